#!/usr/bin/env python3
"""Time and memory of whole captures, up to ten million packets, beside programs that read them too.

    tests/speed/large_capture.py --tracebench build/tracebench [--packets 1000000,10000000] [--tshark] [--run]

The captures are the embedded lab set's, laid one over the other in time and repeated with other client addresses,
cut at 96 bytes a packet. For each size and program: seconds of wall clock, seconds of all processors and how many times
those of tcpdump writing to /dev/null, which stands for libpcap's read loop, peak resident memory, and that without the
mapped captures, whose pages are the kernel's to take back. nfpcapd (nfdump) and softflowd, where installed, for flows;
tshark (expert information, checksums on) only on request and on the smallest size: it takes minutes.

With --run also a run of each metric over as many packets in several captures, half of them against the other half, one
task at a time, and one run of all of them. The first and the last have the making of the synthetic samples and of the
ceiling's in them.
"""
import argparse
import json
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


def write_capture(path, wanted, first_copy=0):
    packets = lab_packets()
    span = packets[-1][0] + 10**6
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, SNAP, 1))
        for copy in range(-(-wanted // len(packets))):
            address = struct.pack(">I", 0x0A000000 + (first_copy + copy) * 7919 % (1 << 24))
            start = 1_700_000_000 * 10**9 + (first_copy + copy) * span
            chunk = []
            for t, data, length in packets[:wanted - copy * len(packets)]:
                if data[12:14] == b"\x08\x00":
                    data = data[:26] + address + data[30:]
                chunk.append(struct.pack("<IIII", (start + t) // 10**9, (start + t) % 10**9, len(data), length) + data)
            out.write(b"".join(chunk))


def write_dataset(folder, wanted, captures):
    """`captures` sessions of one class, `wanted` packets in all, with labels.csv."""
    folder.mkdir()
    with open(folder / "labels.csv", "w") as labels:
        print("file,label", file=labels)
        for i in range(captures):
            write_capture(folder / f"{i:03}.pcap", wanted // captures, first_copy=1000 * i)
            print(f"{i:03}.pcap,all", file=labels)


def manifest(folder, name, metrics):
    """The data set against itself: half of its sessions are synthetic ones, too."""
    return {"name": name, "datasets": [{"name": "large", "folder": str(folder), "labels": str(folder / "labels.csv")}],
            "generators": [{"name": "itself", "kind": "captures", "settings": {"folder": str(folder)}}],
            "metrics": metrics, "seeds": [1], "bootstrap": 20}


def anonymous_mebibytes(pid):
    """What a process has that is not a mapped file: a capture's pages are the kernel's to take back."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0


def measure(command):
    """Seconds of wall clock and of processors, peak of all resident memory and of the anonymous part, exit code."""
    began, anonymous = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        anonymous = max(anonymous, anonymous_mebibytes(process.pid))
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, anonymous,
            process.returncode)


def peers(capture, folder, with_tshark):
    commands = {"tcpdump -w /dev/null": ["tcpdump", "-r", capture, "-w", "/dev/null"]}
    if shutil.which("nfpcapd"):
        commands["nfpcapd (flows)"] = ["nfpcapd", "-r", capture, "-w", folder]
    if shutil.which("softflowd"):
        # Flows go to a port where nobody listens; with room for as many as tracebench keeps. It would not end with a
        # control socket.
        commands["softflowd (flows)"] = ["softflowd", "-r", capture, "-n", "127.0.0.1:9", "-m", "1000000", "-d",
                                         "-p", f"{folder}/softflowd.pid", "-c", "none"]
    if with_tshark:
        commands["tshark -z expert"] = ["tshark", "-r", capture, "-q", "-z", "expert", "-o", "ip.check_checksum:TRUE",
                                        "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    return commands


def verbs(tracebench, capture):
    commands = {
        "flows": [tracebench, "flows", capture, "--json"],
        "flows --csv (CICFlowMeter)": [tracebench, "flows", capture, "--csv"],
    }
    for threads in ("1", "2"):
        commands[f"compliance, {threads} threads"] = [tracebench, "compliance", capture, "--json", "--threads", threads]
        commands[f"distance with itself, {threads} threads"] = [tracebench, "distance", capture, capture, "--json",
                                                                "--threads", threads]
    return commands


def print_line(size, name, measured, read_seconds):
    wall, processor, resident, anonymous, code = measured
    failed = "" if code == 0 else f"  exit code {code}"
    print(f"{size:>10} packets  {name:34} {wall:7.1f} s {processor:7.2f} s of processor "
          f"{processor / read_seconds:6.1f} x libpcap {resident:6.0f} MiB, {anonymous:6.0f} without mapped files{failed}",
          flush=True)


def measure_runs(tracebench, size, captures, metrics, folder, read_seconds):
    data, out = folder / "data", folder / "run"
    write_dataset(data, size, captures)
    runs = {"summary, and to make the samples": ["summary"]} | {metric: [metric] for metric in metrics}
    runs["all of these at once"] = ["summary"] + metrics
    for name, wanted in runs.items():
        file = folder / "run.json"
        file.write_text(json.dumps(manifest(data, name, wanted)))
        again = ["--fresh"] if len(wanted) > 1 else []
        measured = measure([tracebench, "run", str(file), "-o", str(out), "--jobs", "1", *again])
        print_line(size, f"run: {name}", measured, read_seconds)
    shutil.rmtree(data)
    shutil.rmtree(out, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracebench", required=True)
    parser.add_argument("--packets", default="1000000,10000000")
    parser.add_argument("--tshark", action="store_true")
    parser.add_argument("--run", action="store_true", help="also every metric of a run, the captures against themselves")
    parser.add_argument("--captures", type=int, default=20, help="that the packets of a run are in")
    parser.add_argument("--metrics", default="distance,compliance,nprint,cicflow,sequence,netshare,consistency,joint,privacy")
    options = parser.parse_args()
    sizes = [int(n) for n in options.packets.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            capture = f"{folder}/{size}.pcap"
            write_capture(capture, size)
            read = None
            commands = peers(capture, folder, options.tshark and size == sizes[0]) | verbs(options.tracebench, capture)
            for name, command in commands.items():
                measured = measure(command)
                read = read or measured[1]
                print_line(size, name, measured, read)
            os.unlink(capture)
            if options.run:
                measure_runs(options.tracebench, size, options.captures, options.metrics.split(","),
                             pathlib.Path(folder), read)


if __name__ == "__main__":
    main()
