#!/usr/bin/env python3
"""Time and memory of whole captures, up to ten million packets, beside programs that read them too.

    tests/speed/large_capture.py --tracebench build/tracebench [--packets 1000000,10000000] [--tshark]

The captures are the embedded lab set's, laid one over the other in time and repeated with other client addresses,
cut at 96 bytes a packet. For each size and program: seconds of wall clock, packets a second, peak resident memory.
tcpdump writing to /dev/null stands for libpcap's read loop; nfpcapd (nfdump), where installed, for flows;
tshark (expert information, checksums on) only on request and on the smallest size: it takes minutes.
"""
import argparse
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

LAB = pathlib.Path(__file__).resolve().parents[2] / "datasets" / "lab"
SNAP = 96


def lab_packets():
    """(ns since the capture began, bytes, length on the wire) of all captures, by time."""
    packets = []
    for path in sorted(LAB.glob("*/*.pcap")):
        data = path.read_bytes()
        magic, = struct.unpack_from("<I", data)
        unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
        own, at = [], 24
        while at + 16 <= len(data):
            seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
            at += 16
            own.append((seconds * 10**9 + fraction * unit, data[at:at + min(captured, SNAP)], length))
            at += captured
        packets += [(t - own[0][0], b, n) for t, b, n in own]
    return sorted(packets, key=lambda p: p[0])


def write_capture(path, wanted):
    packets = lab_packets()
    span = packets[-1][0] + 10**6
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, SNAP, 1))
        for copy in range(-(-wanted // len(packets))):
            address = struct.pack(">I", 0x0A000000 + copy * 7919)
            start = 1_700_000_000 * 10**9 + copy * span
            chunk = []
            for t, data, length in packets[:wanted - copy * len(packets)]:
                if data[12:14] == b"\x08\x00":
                    data = data[:26] + address + data[30:]
                chunk.append(struct.pack("<IIII", (start + t) // 10**9, (start + t) % 10**9, len(data), length) + data)
            out.write(b"".join(chunk))


def measure(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_maxrss / 1024, process.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracebench", required=True)
    parser.add_argument("--packets", default="1000000,10000000")
    parser.add_argument("--tshark", action="store_true")
    options = parser.parse_args()
    sizes = [int(n) for n in options.packets.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            capture = f"{folder}/{size}.pcap"
            write_capture(capture, size)
            commands = {
                "tcpdump -w /dev/null": ["tcpdump", "-r", capture, "-w", "/dev/null"],
                "flows": [options.tracebench, "flows", capture, "--json"],
                "flows --csv (CICFlowMeter)": [options.tracebench, "flows", capture, "--csv"],
                "compliance": [options.tracebench, "compliance", capture, "--json"],
                "distance (with itself: two passes)": [options.tracebench, "distance", capture, capture, "--json"],
            }
            if shutil.which("nfpcapd"):
                commands["nfpcapd (flows)"] = ["nfpcapd", "-r", capture, "-w", folder]
            if options.tshark and size == sizes[0]:
                commands["tshark -z expert"] = ["tshark", "-r", capture, "-q", "-z", "expert", "-o", "ip.check_checksum:TRUE",
                                                "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
            read = None
            for name, command in commands.items():
                seconds, mebibytes, code = measure(command)
                read = read or seconds
                failed = "" if code == 0 else f"  exit code {code}"
                print(f"{size:>10} packets  {name:36} {seconds:8.2f} s {size / seconds / 1e6:7.2f} M packets/s "
                      f"{seconds / read:7.1f} x libpcap {mebibytes:7.0f} MiB{failed}", flush=True)
            os.unlink(capture)


if __name__ == "__main__":
    main()
