#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the captures with tshark and prints the table of README.md.

Per class: sessions, packets, flows, bytes, duration, and the round-trip time as
the TCP handshakes or the first DNS exchange show it. Fails on a bad checksum, on
a packet larger than the MTU, and on a file that labels.csv does not list.
Checksums that the snap length cuts off cannot be verified; IP headers always can.

  summary.py [DIR]      (this directory)
"""
import collections
import csv
import pathlib
import statistics
import subprocess
import sys

FIELDS = ("frame.len", "frame.time_relative", "ip.proto", "ipv6.nxt", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst",
          "tcp.srcport", "udp.srcport", "tcp.dstport", "udp.dstport", "ip.checksum.status", "tcp.checksum.status",
          "udp.checksum.status", "tcp.analysis.initial_rtt")
FULL_FRAME = 1514


def read(path):
    """Rows of FIELDS, one a packet."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f",
               "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [dict(zip(FIELDS, line.split("\t"))) for line in out.splitlines()]


def main():
    base = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    with open(base / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = {row["file"] for row in rows}
    present = {str(p.relative_to(base)) for p in base.glob("*/*.pcap")}
    problems = [f"only in one place: {name}" for name in sorted(listed ^ present)]

    sums = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        packets = read(base / row["file"])
        flows, rtt = set(), []
        for p in packets:
            ends = [(p["ip.src"] or p["ipv6.src"], p["tcp.srcport"] or p["udp.srcport"]),
                    (p["ip.dst"] or p["ipv6.dst"], p["tcp.dstport"] or p["udp.dstport"])]
            flows.add((bool(p["tcp.srcport"]), *sorted(ends)))
            if "0" in (p["ip.checksum.status"], p["tcp.checksum.status"], p["udp.checksum.status"]):
                problems.append(f"bad checksum: {row['file']}")
            if int(p["frame.len"]) > FULL_FRAME:
                problems.append(f"frame of {p['frame.len']} bytes: {row['file']}")
            if p["tcp.analysis.initial_rtt"]:
                rtt.append(float(p["tcp.analysis.initial_rtt"]) * 1000)
        s = sums[row["label"]]
        s["packets"].append(len(packets))
        s["flows"].append(len(flows))
        s["bytes"].append((base / row["file"]).stat().st_size)
        s["wire"].append(sum(int(p["frame.len"]) for p in packets))
        s["seconds"].append(float(packets[-1]["frame.time_relative"]))
        s["v6"].append(row["ip_version"] == "6")
        if rtt:
            s["rtt"].append(min(rtt))
            s["excess"].append(min(rtt) - float(row["rtt_ms"]))

    print("| class | sessions | of them IPv6 | packets (a session) | flows (a session) | seconds a session "
          "| bytes on the wire | bytes in files | handshake RTT, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")

    def spread(values, form="{:.0f}"):
        return "–".join(form.format(v) for v in (min(values), max(values)))

    total = collections.Counter()
    for label, s in sums.items():
        total.update(sessions=len(s["packets"]), v6=sum(s["v6"]), packets=sum(s["packets"]), flows=sum(s["flows"]),
                     wire=sum(s["wire"]), bytes=sum(s["bytes"]))
        rtt = f"{spread(s['rtt'])}" if s["rtt"] else ""
        print(f"| {label} | {len(s['packets'])} | {sum(s['v6'])} | {sum(s['packets'])} ({spread(s['packets'])}) "
              f"| {sum(s['flows'])} ({spread(s['flows'])}) | {spread(s['seconds'], '{:.1f}')} | {sum(s['wire'])} "
              f"| {sum(s['bytes'])} | {rtt} |")
    print(f"| all | {total['sessions']} | {total['v6']} | {total['packets']} | {total['flows']} | | {total['wire']} "
          f"| {total['bytes']} | |")
    for label, s in sums.items():
        if s["excess"]:
            print(f"{label}: handshake minus planned RTT, ms: median {statistics.median(s['excess']):.1f}, "
                  f"least {min(s['excess']):.1f}, most {max(s['excess']):.1f}", file=sys.stderr)
    for problem in dict.fromkeys(problems):
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


main()
