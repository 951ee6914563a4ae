#!/usr/bin/env python3
"""Explains, frame by frame, where tracebench's and tshark's TCP sequence analyses differ because options were cut.

    tests/golden/explain_tcp_differences.py --tracebench build/tracebench CAPTURES...

CAPTURES are files or folders. Where the snap length cuts a segment's options ("Packet size limited during capture"),
tshark stops before it shows what its sequence analysis found. To prove that this is the cause, a copy of the capture
is made in which the missing option bytes of exactly those segments are filled with no-operations, and nothing else is
changed; tshark is run on both, tracebench on the capture alone (into tunnels, as tshark does). A frame on which
tshark's verdicts differ is explained if its own options were cut. Where the counts still differ in the copy, the
difference is unexplained. Per capture that differs a line for each kind of verdict; `--frames` lists the frames. Exit
code 1 where anything is unexplained.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

KINDS = {"retransmissions": "tcp.analysis.retransmission", "out_of_order": "tcp.analysis.out_of_order",
         "duplicate_acks": "tcp.analysis.duplicate_ack"}
SUFFIXES = {".pcap", ".pcapng", ".cap", ".dump", ".trace"}
ETHERNET, RAW_IP, LINUX_COOKED = 1, 101, 113
TCP = 6


def ours(tracebench, capture):
    command = [tracebench, "flows", str(capture), "--json", "--inner", "--tcp-idle", "1000000000",
               "--udp-idle", "1000000000"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None
    flows = [flow for flow in json.loads(done.stdout)["flows"] if flow["protocol"] == "TCP"]
    return {kind: sum(flow[kind] for flow in flows) for kind in KINDS}


def tsharks(capture):
    """Frame numbers by kind."""
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=;", "-e", "frame.number"]
    for field in KINDS.values():
        command += ["-e", field]
    frames = {kind: set() for kind in KINDS}
    for line in subprocess.run(command, capture_output=True, text=True, errors="replace").stdout.splitlines():
        number, *verdicts = line.split(";")
        for kind, verdict in zip(KINDS, verdicts):
            if verdict:
                frames[kind].add(int(number))
    return frames


def network_offset(frame, link):
    """Offset and EtherType of what follows the link header; (None, 0) where it is not known."""
    if link == RAW_IP:
        return 0, {4: 0x0800, 6: 0x86DD}.get(frame[0] >> 4 if frame else 0, 0)
    at = {ETHERNET: 12, LINUX_COOKED: 14}.get(link)
    if at is None or len(frame) < at + 2:
        return None, 0
    while len(frame) >= at + 6 and frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return at + 2, struct.unpack_from(">H", frame, at)[0]


def missing_options(frame, original_length, link):
    """How many bytes of TCP options were cut from the frame; 0 where none were, or it holds no TCP header."""
    ip, ether_type = network_offset(frame, link)
    if ip is None or len(frame) < ip + 20:
        return 0
    if ether_type == 0x0800:
        if frame[ip + 9] != TCP or struct.unpack_from(">H", frame, ip + 6)[0] & 0x1FFF:
            return 0
        tcp = ip + 4 * (frame[ip] & 0x0F)
    elif ether_type == 0x86DD and frame[ip + 6] == TCP:
        tcp = ip + 40
    else:
        return 0
    if len(frame) < tcp + 13:
        return 0
    end = tcp + 4 * (frame[tcp + 12] >> 4)
    return max(0, min(end, original_length) - max(len(frame), tcp + 20))


def complete(capture, copy):
    """Writes the copy; returns the numbers of the frames whose options were cut."""
    data = capture.read_bytes()
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
             b"\xa1\xb2\x3c\x4d": ">"}[magic]
    link = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    cut, at, number = set(), 24, 0
    with open(copy, "wb") as out:
        out.write(data[:24])
        while at + 16 <= len(data):
            seconds, fraction, captured, original = struct.unpack_from(order + "IIII", data, at)
            frame = data[at + 16:at + 16 + captured]
            at += 16 + captured
            number += 1
            missing = missing_options(frame, original, link)
            if missing:
                cut.add(number)
                frame += b"\x01" * missing
            out.write(struct.pack(order + "IIII", seconds, fraction, len(frame), original) + frame)
    return cut


def as_pcap(capture, folder):
    """The capture itself, or a conversion where it is not classic pcap."""
    with open(capture, "rb") as file:
        if file.read(4) != b"\x0a\x0d\x0d\x0a":
            return capture
    converted = pathlib.Path(folder) / "converted.pcap"
    done = subprocess.run(["editcap", "-F", "nsecpcap", str(capture), str(converted)], capture_output=True)
    return converted if done.returncode == 0 else None


def explain(tracebench, capture, folder):
    """Rows (kind, tracebench, tshark, explained frames, unexplained), or None where a tool refused the capture."""
    source = as_pcap(capture, folder)
    mine = ours(tracebench, capture)
    if source is None or mine is None:
        return None
    copy = pathlib.Path(folder) / "completed.pcap"
    cut = complete(source, copy)
    before, after = tsharks(source), tsharks(copy)
    rows = []
    for kind in KINDS:
        changed = before[kind] ^ after[kind]
        unexplained = len(changed - cut) + abs(mine[kind] - len(after[kind]))
        rows.append((kind, mine[kind], len(before[kind]), sorted(changed & cut), unexplained))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=pathlib.Path, metavar="CAPTURES")
    parser.add_argument("--tracebench", required=True, help="the executable")
    parser.add_argument("--frames", action="store_true", help="list the frames whose options were cut")
    arguments = parser.parse_args()

    files = []
    for given in arguments.captures:
        files += sorted(p for p in given.rglob("*") if p.suffix in SUFFIXES) if given.is_dir() else [given]
    if not files:
        sys.exit("no capture found")

    total = [0, 0]
    differing = refused = 0
    print(f"{'capture':52} {'kind':16} {'tracebench':>10} {'tshark':>7} {'options cut':>11} {'unexplained':>11}")
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            rows = explain(arguments.tracebench, path, folder)
        if rows is None:
            refused += 1
            print(f"{str(path)[-52:]:52} refused")
            continue
        differing += any(mine != theirs or unexplained for _, mine, theirs, _, unexplained in rows)
        for kind, mine, theirs, explained, unexplained in rows:
            if mine == theirs and not explained and not unexplained:
                continue
            total[0] += len(explained)
            total[1] += unexplained
            print(f"{str(path)[-52:]:52} {kind:16} {mine:10} {theirs:7} {len(explained):11} {unexplained:11}"
                  + (f"  frames {','.join(map(str, explained))}" if arguments.frames else ""))
    print(f"\n{len(files)} captures, {refused} refused, {differing} differ: {total[0]} frames explained by cut options, "
          f"{total[1]} unexplained")
    sys.exit(1 if total[1] else 0)


if __name__ == "__main__":
    main()
