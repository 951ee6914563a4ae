#!/usr/bin/env python3
"""Compares tracebench's counts with tshark's, capture by capture.

    tests/golden/compare_tshark.py --tracebench build/tracebench CAPTURES...
    tests/golden/compare_tshark.py --tracebench build/tracebench --reference summary.csv FOLDER

CAPTURES are files or folders. The reference is a CSV with a column `file` (relative to FOLDER) and any of
the columns below; without it tshark is run. tshark does not end streams by idle time, so tracebench is run
without idle times too. Prints the captures that differ and, per column, how many agree.

Known differences: tshark counts a datagram sent in fragments where its last fragment completes it, and counts
headers quoted inside ICMP errors as packets and streams; tracebench reads neither. Where the snap length cuts TCP
options ("Packet size limited during capture"), tshark stops before it shows its sequence analysis: such
retransmissions and duplicate acknowledgements are counted by tracebench only (explain_tcp_differences.py shows it
frame by frame).
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys

COLUMNS = ["packets", "ip_packets", "tcp_streams", "udp_streams", "tcp_retransmissions", "tcp_out_of_order",
           "tcp_duplicate_ack", "tcp_zero_window", "tcp_keep_alive"]
SUFFIXES = {".pcap", ".pcapng", ".cap", ".dump", ".trace"}


def ours(tracebench, capture, inner):
    command = [tracebench, "flows", str(capture), "--json", "--tcp-idle", "1000000000", "--udp-idle", "1000000000"]
    done = subprocess.run(command + (["--inner"] if inner else []), capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip() or f"exit code {done.returncode}"
    report = json.loads(done.stdout)
    tcp = [flow for flow in report["flows"] if flow["protocol"] == "TCP"]
    udp = [flow for flow in report["flows"] if flow["protocol"] == "UDP"]
    # Flows without ports are the later fragments of datagrams whose first one has its own flow.
    ported = [flow for flow in tcp + udp if not (flow["src"].endswith(":0") and flow["dst"].endswith(":0"))]
    return {
        "packets": report["packets"],
        "ip_packets": report["packets"] - report["packets_without_ip"],
        "tcp_streams": sum(flow["protocol"] == "TCP" for flow in ported),
        "udp_streams": sum(flow["protocol"] == "UDP" for flow in ported),
        "tcp_retransmissions": sum(flow["retransmissions"] for flow in tcp),
        "tcp_out_of_order": sum(flow["out_of_order"] for flow in tcp),
        "tcp_duplicate_ack": sum(flow["duplicate_acks"] for flow in tcp),
        "tcp_zero_window": sum(flow["zero_windows"] for flow in tcp),
        "tcp_keep_alive": sum(flow["keep_alives"] for flow in tcp),
    }, done.stderr.strip()


def tsharks(capture):
    fields = ["ip.version", "ipv6.version", "tcp.stream", "udp.stream", "tcp.analysis.retransmission",
              "tcp.analysis.out_of_order", "tcp.analysis.duplicate_ack", "tcp.analysis.zero_window",
              "tcp.analysis.keep_alive"]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=;"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, errors="replace").stdout.splitlines()
    rows = [(line.split(";") + [""] * len(fields))[:len(fields)] for line in lines]
    streams = [{part for row in rows for part in row[column].split(",") if part} for column in (2, 3)]
    return {
        "packets": len(rows),
        "ip_packets": sum(bool(row[0] or row[1]) for row in rows),
        "tcp_streams": len(streams[0]),
        "udp_streams": len(streams[1]),
        "tcp_retransmissions": sum(bool(row[4]) for row in rows),
        "tcp_out_of_order": sum(bool(row[5]) for row in rows),
        "tcp_duplicate_ack": sum(bool(row[6]) for row in rows),
        "tcp_zero_window": sum(bool(row[7]) for row in rows),
        "tcp_keep_alive": sum(bool(row[8]) for row in rows),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=pathlib.Path, metavar="CAPTURES")
    parser.add_argument("--tracebench", required=True, help="the executable")
    parser.add_argument("--reference", type=pathlib.Path, help="CSV of tshark's counts")
    parser.add_argument("--inner", action="store_true", help="look into tunnels, as tshark does")
    arguments = parser.parse_args()

    if arguments.reference:
        with open(arguments.reference, newline="") as file:
            work = [(arguments.captures[0] / row["file"], row["file"], row) for row in csv.DictReader(file)]
        work = [item for item in work if item[0].exists()]
    else:
        files = []
        for given in arguments.captures:
            files += sorted(p for p in given.rglob("*") if p.suffix in SUFFIXES) if given.is_dir() else [given]
        work = [(path, str(path), None) for path in files]
    if not work:
        sys.exit("no capture found")

    agree, total, refused = dict.fromkeys(COLUMNS, 0), dict.fromkeys(COLUMNS, 0), 0
    print(f"{'capture':60} {'column':20} {'tshark':>9} {'tracebench':>10}")
    for path, name, row in work:
        mine, message = ours(arguments.tracebench, path, arguments.inner)
        theirs = row if row is not None else tsharks(path)
        if mine is None:
            refused += 1
            print(f"{name[-60:]:60} refused: {message} (tshark read {theirs.get('packets') or 0} packets)")
            continue
        for column in COLUMNS:
            if theirs.get(column) in (None, ""):
                continue
            total[column] += 1
            expected = int(theirs[column])
            agree[column] += expected == mine[column]
            if expected != mine[column]:
                print(f"{name[-60:]:60} {column:20} {expected:9} {mine[column]:10}"
                      + (f"  ({message})" if message and column == "packets" else ""))
    print()
    for column in COLUMNS:
        print(f"{column:20} {agree[column]:5} of {total[column]:5} captures agree")
    print(f"{'refused':20} {refused:5}")


if __name__ == "__main__":
    main()
