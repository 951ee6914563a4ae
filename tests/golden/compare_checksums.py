#!/usr/bin/env python3
"""Compares the verdicts of tracebench's checksum rules with tshark's, capture by capture.

    tests/golden/compare_checksums.py --tracebench build/tracebench CAPTURES...

CAPTURES are files or folders. Per capture and protocol the numbers of right and of wrong checksums are compared,
and of what neither can verify; those left to the network card (tracebench: offloaded) are wrong ones to tshark.
Prints the captures that differ, with the frames that tshark holds for wrong and the first ones that tracebench
does, and per protocol how many captures and checksums agree. tshark is told not to put fragments together, since
tracebench looks at packets as they were captured, and only what it finds in the outermost IP packet is counted:
tracebench reads neither tunnels nor the packets that ICMP errors quote.

Known differences: link types that tracebench does not know, and damaged lengths (which have rules of their own).
"""

import argparse
import json
import pathlib
import subprocess
import sys

PROTOCOLS = {"ip": "ipv4.checksum", "tcp": "tcp.checksum", "udp": "udp.checksum", "icmp": "icmp.checksum",
             "icmpv6": "icmpv6.checksum"}
SUFFIXES = {".pcap", ".pcapng", ".cap", ".dump", ".trace"}


def ours(tracebench, capture):
    done = subprocess.run([tracebench, "compliance", str(capture), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    rules = {rule["id"]: rule for rule in json.loads(done.stdout)["rules"]}
    result = {}
    for protocol, rule_id in PROTOCOLS.items():
        rule = rules[rule_id]
        result[protocol] = {"good": rule["checked"] - rule["failed"], "bad": rule["failed"] + rule["offloaded"],
                            "frames": rule["examples"]}
    return result


def outermost_layers(layers):
    """The first IP layer of frame.protocols and the transport in it: eth:ethertype:ip:icmp:ip:udp -> ip, icmp."""
    names = layers.split(":")
    first = next((i for i, name in enumerate(names) if name in ("ip", "ipv6")), None)
    if first is None:
        return []
    inside = next((name for name in names[first + 1:] if not name.startswith("ipv6.") and name != "ah"), "")
    return [names[first], inside]


def tsharks(capture):
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=;", "-E", "occurrence=f",
               "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-e", "frame.number",
               "-e", "frame.protocols"]
    for protocol in PROTOCOLS:
        command += ["-e", f"{protocol}.checksum.status"]
    for protocol in ("ip", "tcp", "udp"):
        command += ["-o", f"{protocol}.check_checksum:TRUE"]
    lines = subprocess.run(command, capture_output=True, text=True, errors="replace").stdout.splitlines()
    result = {protocol: {"good": 0, "bad": 0, "frames": []} for protocol in PROTOCOLS}
    for line in lines:
        frame, layers, *states = line.split(";")
        outermost = outermost_layers(layers)
        for protocol, state in zip(PROTOCOLS, states):
            if protocol not in outermost:
                continue
            # 0: bad, 1: good; 2 (unverified) and 3 (not present) say nothing.
            result[protocol]["good"] += state == "1"
            if state == "0":
                result[protocol]["bad"] += 1
                result[protocol]["frames"].append(int(frame))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=pathlib.Path, metavar="CAPTURES")
    parser.add_argument("--tracebench", required=True, help="the executable")
    arguments = parser.parse_args()
    files = []
    for given in arguments.captures:
        files += sorted(p for p in given.rglob("*") if p.suffix in SUFFIXES) if given.is_dir() else [given]
    if not files:
        sys.exit("no capture found")

    columns = [(protocol, kind) for protocol in PROTOCOLS for kind in ("good", "bad")]
    agree, seen = dict.fromkeys(columns, 0), dict.fromkeys(columns, [0, 0])
    compared = refused = 0
    print(f"{'capture':56} {'checksum':12} {'tshark':>7} {'tracebench':>10}  tshark's bad frames / tracebench's")
    for path in files:
        mine, theirs = ours(arguments.tracebench, path), tsharks(path)
        if mine is None:
            refused += 1
            continue
        compared += 1
        for protocol, kind in columns:
            a, b = theirs[protocol][kind], mine[protocol][kind]
            seen[protocol, kind] = [seen[protocol, kind][0] + a, seen[protocol, kind][1] + b]
            agree[protocol, kind] += a == b
            if a != b:
                frames = f"{theirs[protocol]['frames'][:8]} / {mine[protocol]['frames'][:8]}"
                print(f"{str(path)[-56:]:56} {protocol + ' ' + kind:12} {a:7} {b:10}  {frames}")
    print(f"\n{compared} captures compared, {refused} refused by tracebench")
    print(f"{'checksum':12} {'captures that agree':>20} {'tshark':>9} {'tracebench':>11}")
    for protocol, kind in columns:
        a, b = seen[protocol, kind]
        print(f"{protocol + ' ' + kind:12} {agree[protocol, kind]:20} {a:9} {b:11}")


if __name__ == "__main__":
    main()
