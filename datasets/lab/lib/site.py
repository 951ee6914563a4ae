#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a small web site for one browsing session: pages that pull in style
sheets, scripts, fonts and pictures from several hosts, as present-day pages do.

  site.py --seed N --root DIR --hosts NAME...     the first host has the pages

Each page goes on to the next by itself after a reading pause; the last one logs
"lab: done". Sizes are log-normal with medians as the HTTP Archive reports them,
divided by about ten: the shape of browsing, at a size that fits a repository.
"""
import argparse
import math
import os
import pathlib
import random

# kind: (how many a page, from and to; median bytes; sigma; extension)
OBJECTS = {
    "style": ((1, 2), 2500, 0.8, "css"),
    "script": ((1, 4), 3500, 1.0, "js"),
    "font": ((0, 1), 6000, 0.4, "woff2"),
    "picture": ((2, 8), 2600, 1.0, "png"),
    "beacon": ((0, 2), 60, 0.3, "gif"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--hosts", nargs="+", required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    (args.root / "assets").mkdir(parents=True)

    def size(median, sigma):
        return int(min(rng.lognormvariate(math.log(median), sigma), 40000))

    def filler(count):
        # Incompressible, as pictures are and as text is after compression.
        return os.urandom(count // 2 + 1).hex()[:count]

    def make(kind):
        (_, _), median, sigma, extension = OBJECTS[kind]
        name = f"assets/{kind}-{rng.getrandbits(32):08x}.{extension}"
        count = size(median, sigma)
        if kind == "style":
            data = f"body{{font-family:sans-serif;margin:2em}}/*{filler(count)}*/".encode()
        elif kind == "script":
            data = f"window.lab=(window.lab||0)+1;/*{filler(count)}*/".encode()
        else:
            data = os.urandom(count)
        (args.root / name).write_bytes(data)
        return f"https://{rng.choice(args.hosts)}/{name}"

    # What all pages of a site share comes from the browser's cache the second time.
    shared = [("style", make("style")), ("script", make("script")), ("picture", make("picture"))]
    pages = rng.choice((1, 1, 2, 2))
    for page in range(pages):
        parts = list(shared)
        for kind, ((low, high), *_) in OBJECTS.items():
            share = 1 if page == 0 else 2  # later pages bring less that is new
            parts += [(kind, make(kind)) for _ in range(rng.randint(low, high) // share)]
        head, body, late = [], [], []
        for kind, url in parts:
            if kind == "style":
                head.append(f'<link rel=stylesheet href="{url}">')
            elif kind == "script":
                (head if rng.random() < 0.4 else body).append(f'<script src="{url}" defer></script>')
            elif kind == "font":
                late.append(f'fetch("{url}")')
            elif kind == "beacon":
                late.append(f'fetch("{url}",{{cache:"no-store"}})')
            else:
                lazy = " loading=lazy" if rng.random() < 0.2 else ""
                body.append(f'<p>{filler(80)}<img src="{url}" width=160 height=90{lazy}>')
        # The reading pause is cut short: nothing is sent in it.
        pause = int(1000 * min(rng.lognormvariate(math.log(1.8), 0.5), 5))
        then = f'location.href="/page-{page + 1}.html"' if page + 1 < pages else 'console.log("lab: done")'
        script = ("addEventListener('load',()=>Promise.allSettled([" + ",".join(late) + "])"
                  f".then(()=>setTimeout(()=>{{{then}}},{pause})))")
        text = (f"<!doctype html><html><head><meta charset=utf-8><title>{page}</title>"
                + "".join(head) + "</head><body>" + "".join(body)
                + f"<!--{filler(size(4000, 0.6))}--><script>{script}</script></body></html>")
        (args.root / ("index.html" if page == 0 else f"page-{page}.html")).write_text(text)


main()
