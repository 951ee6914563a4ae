#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The seeded plan: path, hosts and programs of every session.

Each class draws its sessions in blocks of 24, and within a block every
property is stratified and shuffled on its own: all classes see the same spread
of round-trip times, rates, losses, TTLs and addresses, so none of these says
which class a session is of. Session i does not depend on how many are asked for.

  plan.py shell CLASS INDEX    shell assignments for one session
  plan.py labels DIR           labels.csv for the captures present in DIR
"""
import csv
import math
import pathlib
import random
import sys

CLASSES = ("video", "web", "download", "ssh", "dns", "rtp")
SEED = "tracebench-lab-1"
BLOCK = 24

# Documentation addresses (RFC 5737, RFC 3849) stand for the public Internet.
# One pool for all classes: an address says nothing about the class.
SERVERS4 = [f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113")
            for host in (9, 27, 54, 80, 113, 146, 190, 231)]
SERVERS6 = [f"2001:db8:{net}::{host}" for net in ("20", "a4c", "beef")
            for host in ("9", "1b", "36:50", "71", "92:1", "be", "e7", "4:12")]
# Client networks as home routers, offices and phones hand them out: (client, router).
CLIENTS4 = [("192.168.1.23", "192.168.1.1"), ("192.168.1.104", "192.168.1.1"),
            ("192.168.0.11", "192.168.0.1"), ("192.168.0.57", "192.168.0.1"),
            ("192.168.178.31", "192.168.178.1"), ("192.168.2.140", "192.168.2.1"),
            ("10.0.0.18", "10.0.0.1"), ("10.0.0.77", "10.0.0.1"),
            ("10.20.4.200", "10.20.4.1"), ("172.20.10.3", "172.20.10.1"),
            ("172.16.8.42", "172.16.8.1"), ("100.72.9.66", "100.72.9.1")]
CLIENTS6 = [(f"2001:db8:{net}:1::{host}", f"2001:db8:{net}:1::1")
            for net, host in (("1000", "5d2a"), ("1000", "77e1:40b"), ("1f3e", "c0:ffe"), ("2b80", "8e02:1"))]
SITES = ("acorn", "birch", "cedar", "dahlia", "elder", "fennel", "ginkgo", "hazel")

# Columns of labels.csv after the file and the label.
COLUMNS = ("rtt_ms", "rate_mbit", "loss", "jitter_ms", "ip_version", "up_mbit", "queue_ms", "hops",
           "client_ttl", "server_ttl", "congestion", "resolver", "site", "program")

# What the client runs; the class files say how. Eight of each in a block of 24.
PROGRAMS = {
    "video": ("ffmpeg", "gstreamer", "chromium"),
    "web": ("chromium",),
    "download": ("curl", "wget", "chromium"),
    "ssh": ("openssh",),
    "dns": ("dig", "glibc", "mixed"),
    "rtp": ("baresip-plain", "baresip-ice", "baresip-dtls"),
}


def log_between(low, high, q):
    return math.exp(math.log(low) + q * (math.log(high) - math.log(low)))


def block(label, number):
    rng = random.Random(f"{SEED}/{label}/{number}")

    def shuffled(values):
        values = list(values)
        rng.shuffle(values)
        return values

    def quantiles():
        return shuffled((k + rng.random()) / BLOCK for k in range(BLOCK))

    def cycle(values):
        return shuffled(values[k % len(values)] for k in range(BLOCK))

    rtt, rate, up, queue, jitter = (quantiles() for _ in range(5))
    # 14 of 24 paths lose nothing but what their queue drops.
    loss = shuffled([0.0] * 14 + [log_between(0.001, 0.02, (k + rng.random()) / 10) for k in range(10)])
    version = shuffled([6] * 5 + [4] * 19)
    client_ttl = shuffled([128] * 8 + [64] * 16)
    server_ttl = shuffled([128] * 4 + [64] * 20)
    congestion = shuffled(["bbr"] * 6 + ["cubic"] * 18)
    resolver = shuffled(["near"] * 12 + ["far"] * 12)
    certificate = cycle(("ecdsa", "rsa", "long"))
    tls = shuffled(["1.2"] * 4 + ["1.3"] * 20)
    httpd = shuffled(["caddy"] * 8 + ["nginx"] * 16)
    site = cycle(SITES)
    client4, client6 = cycle(CLIENTS4), cycle(CLIENTS6)
    program = cycle(PROGRAMS[label])
    # Debian 12's GLib gives up on a name without an IPv4 address if the IPv6 one
    # takes more than 50 ms to come: such sessions go to another player.
    for i in range(BLOCK):
        if version[i] == 6 and program[i] == "gstreamer":
            j = next(k for k in range(BLOCK) if version[k] == 4 and program[k] != "gstreamer")
            program[i], program[j] = program[j], program[i]

    for i in range(BLOCK):
        v6 = version[i] == 6
        client, router = (client6 if v6 else client4)[i]
        servers = rng.sample(SERVERS6 if v6 else SERVERS4, 6)
        rate_mbit = round(log_between(1.5, 80, rate[i]), 2)
        yield {
            "label": label,
            "rtt_ms": round(log_between(8, 180, rtt[i]), 1),
            "rate_mbit": rate_mbit,
            # Most access lines are slower upwards.
            "up_mbit": round(max(1.0, rate_mbit * (0.2 + 0.8 * up[i])), 2),
            "loss": round(loss[i], 4),
            "jitter_ms": 0.0 if jitter[i] < 0.25 else round(log_between(0.2, 10, (jitter[i] - 0.25) / 0.75), 2),
            "queue_ms": round(log_between(40, 250, queue[i])),
            "hops": rng.randint(4, 17),
            "ip_version": version[i],
            "client": client, "router": router,
            "servers": " ".join(servers[:5]), "resolver_address": servers[5], "resolver": resolver[i],
            "client_ttl": client_ttl[i], "server_ttl": server_ttl[i], "congestion": congestion[i],
            "certificate": certificate[i], "tls": tls[i], "httpd": httpd[i], "site": site[i],
            "program": program[i],
            "client_mac": "02:%02x:%02x:%02x:%02x:%02x" % tuple(rng.randrange(256) for _ in range(5)),
            "router_mac": "02:%02x:%02x:%02x:%02x:%02x" % tuple(rng.randrange(256) for _ in range(5)),
            "seed": rng.randrange(1, 32768),
        }


def session(label, index):
    """Sessions count from 1, as their file names do."""
    number, place = divmod(index - 1, BLOCK)
    return list(block(label, number))[place]


def labels(directory):
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("file", "label") + COLUMNS)
    for label in CLASSES:
        for path in sorted(pathlib.Path(directory, label).glob(f"{label}-*.pcap")):
            s = session(label, int(path.stem.rsplit("-", 1)[1]))
            out.writerow([f"{label}/{path.name}", label] + [s[c] for c in COLUMNS])


def main(argv):
    if len(argv) == 4 and argv[1] == "shell" and argv[2] in CLASSES:
        for key, value in session(argv[2], int(argv[3])).items():
            print(f"P_{key.upper()}='{value}'")
    elif len(argv) == 3 and argv[1] == "labels":
        labels(argv[2])
    else:
        sys.exit(__doc__)


main(sys.argv)
