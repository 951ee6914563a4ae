#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares tracebench's flows with tshark's and nfdump's: packets and bytes a direction, handshake times.

    tests/golden/flows/compare_flows.py --tracebench build/tracebench CAPTURES...

CAPTURES are files or folders. Needs tshark and, for the second part, nfdump (nfpcapd). Both sides are summed
over a direction of a 5-tuple (protocol, source, port, destination, port), so that it does not matter where
each tool ends a flow; tracebench is run without idle times. Prints every difference, then how many agree.

tshark and nfdump read the innermost headers, so tracebench does too (--inner); fragments are not put together.
Headers quoted by ICMP errors are left out. nfdump counts IP packet lengths and is compared with
octetDeltaCount.
"""
import argparse
import collections
import csv
import io
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile

SUFFIXES = {".pcap", ".pcapng", ".cap", ".dump", ".trace"}
PROTOCOLS = {"6": "TCP", "17": "UDP"}
FOREVER = ["--tcp-idle", "1000000000", "--udp-idle", "1000000000"]


def run(command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace")


def parse_endpoint(text):
    address, port = text.rsplit(":", 1)
    return str(ipaddress.ip_address(address.strip("[]"))), int(port)


def our_conversations(tracebench, capture):
    """{(protocol, source, port, destination, port): [packets, frame bytes]}, and handshake times in ms."""
    done = run([tracebench, "flows", str(capture), "--json", "--inner"] + FOREVER)
    if done.returncode != 0:
        return None, None
    counts, times = collections.defaultdict(lambda: [0, 0]), collections.defaultdict(list)
    for flow in json.loads(done.stdout)["flows"]:
        if flow["protocol"] not in ("TCP", "UDP"):
            continue
        ends = parse_endpoint(flow["src"]), parse_endpoint(flow["dst"])
        for direction in (0, 1):
            if flow["packets"][direction] == 0:
                continue
            key = (flow["protocol"], *ends[direction], *ends[1 - direction])
            counts[key][0] += flow["packets"][direction]
            counts[key][1] += flow["bytes"][direction]
        if flow["protocol"] == "TCP":
            times[frozenset(ends)].append(flow["rtt_ms"])
    return counts, times


def tshark_conversations(capture):
    fields = ["frame.protocols", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
              "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.stream", "tcp.analysis.initial_rtt"]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=;", "-E", "occurrence=l",
               "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    for field in fields:
        command += ["-e", field]
    counts, times = collections.defaultdict(lambda: [0, 0]), {}
    for line in run(command).stdout.splitlines():
        cells = dict(zip(fields, (line.split(";") + [""] * len(fields))[:len(fields)]))
        protocols = cells["frame.protocols"].split(":")
        if "icmp" in protocols or "icmpv6" in protocols:
            continue
        version = next((p for p in reversed(protocols) if p in ("ip", "ipv6")), None)
        for protocol in ("tcp", "udp"):
            if version is None or cells[protocol + ".srcport"] == "" or protocol not in protocols:
                continue
            ends = [(str(ipaddress.ip_address(cells[f"{version}.{end}"])), int(cells[f"{protocol}.{end}port"]))
                    for end in ("src", "dst")]
            key = (protocol.upper(), *ends[0], *ends[1])
            counts[key][0] += 1
            counts[key][1] += int(cells["frame.len"])
            if protocol == "tcp" and cells["tcp.analysis.initial_rtt"]:
                times.setdefault((frozenset(ends), cells["tcp.stream"]),
                                 float(cells["tcp.analysis.initial_rtt"]) * 1000)
            break
    by_ends = collections.defaultdict(list)
    for (ends, _), time in times.items():
        by_ends[ends].append(time)
    return counts, by_ends


def our_records(tracebench, capture):
    done = run([tracebench, "flows", str(capture), "--csv", "--features", "ipfix", "--inner"] + FOREVER)
    if done.returncode != 0:
        return None
    counts = collections.defaultdict(lambda: [0, 0])
    for row in csv.DictReader(io.StringIO(done.stdout)):
        if row["protocolIdentifier"] not in PROTOCOLS:
            continue
        ends = [(row["sourceIPv4Address"] or row["sourceIPv6Address"], int(row["sourceTransportPort"])),
                (row["destinationIPv4Address"] or row["destinationIPv6Address"],
                 int(row["destinationTransportPort"]))]
        for prefix, (a, b) in (("packet", ends), ("reversePacket", reversed(ends))):
            if row[prefix + "DeltaCount"] == "0":
                continue
            octets = "octetDeltaCount" if prefix == "packet" else "reverseOctetDeltaCount"
            key = (PROTOCOLS[row["protocolIdentifier"]], str(ipaddress.ip_address(a[0])), a[1],
                   str(ipaddress.ip_address(b[0])), b[1])
            counts[key][0] += int(row[prefix + "DeltaCount"])
            counts[key][1] += int(row[octets])
    return counts


def nfdump_records(capture):
    with tempfile.TemporaryDirectory() as folder:
        run(["nfpcapd", "-r", str(capture), "-w", folder, "-e", "3600,3600"])
        out = run(["nfdump", "-R", folder, "-q", "-6", "-N", "-o", "fmt:%pr;%sa;%sp;%da;%dp;%pkt;%byt"]).stdout
    counts = collections.defaultdict(lambda: [0, 0])
    for line in out.splitlines():
        cells = [cell.strip() for cell in line.split(";")]
        if len(cells) != 7 or cells[0] not in PROTOCOLS:
            continue
        key = (PROTOCOLS[cells[0]], str(ipaddress.ip_address(cells[1])), int(cells[2]), str(ipaddress.ip_address(cells[3])),
               int(cells[4]))
        counts[key][0] += int(cells[5])
        counts[key][1] += int(cells[6])
    return counts


class Tally:
    def __init__(self, name):
        self.name, self.agree, self.total = name, 0, 0

    def compare(self, capture, ours, theirs):
        for key in sorted(set(ours) | set(theirs)):
            mine, other = tuple(ours.get(key, (0, 0))), tuple(theirs.get(key, (0, 0)))
            self.total += 1
            self.agree += mine == other
            if mine != other:
                print(f"{self.name:8} {capture.name:44} {key[0]} {key[1]}:{key[2]} > {key[3]}:{key[4]}"
                      f"  packets, bytes {mine[0]}, {mine[1]} (theirs {other[0]}, {other[1]})")

    def compare_times(self, capture, ours, theirs):
        for ends in sorted(set(ours) & set(theirs), key=sorted):
            mine = [time for time in ours[ends] if time is not None]
            if len(mine) != 1 or len(theirs[ends]) != 1:
                continue  # several connections: which is which is not said
            self.total += 1
            same = abs(mine[0] - theirs[ends][0]) < 1e-3
            self.agree += same
            if not same:
                print(f"{self.name:8} {capture.name:44} {sorted(ends)}  {mine[0]:.6f} ms (theirs {theirs[ends][0]:.6f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=pathlib.Path, metavar="CAPTURES")
    parser.add_argument("--tracebench", required=True, help="the executable")
    parser.add_argument("--skip", choices=["tshark", "nfdump"], action="append", default=[])
    arguments = parser.parse_args()
    files = []
    for given in arguments.captures:
        files += sorted(p for p in given.rglob("*") if p.suffix in SUFFIXES) if given.is_dir() else [given]
    if not files:
        sys.exit("no capture found")

    conversations, times, records = Tally("tshark"), Tally("rtt"), Tally("nfdump")
    for capture in files:
        if "tshark" not in arguments.skip:
            ours, our_times = our_conversations(arguments.tracebench, capture)
            if ours is not None:
                theirs, their_times = tshark_conversations(capture)
                conversations.compare(capture, ours, theirs)
                times.compare_times(capture, our_times, their_times)
        if "nfdump" not in arguments.skip:
            ours = our_records(arguments.tracebench, capture)
            if ours is not None:
                records.compare(capture, ours, nfdump_records(capture))
    print()
    print(f"{len(files)} captures")
    for tally in (conversations, times, records):
        print(f"{tally.name:8} {tally.agree} of {tally.total} agree")


if __name__ == "__main__":
    main()
