#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes cic_expected.json: what CICFlowMeter's own code says of flows of the lab captures.

    make_cic.py CICFLOWMETER > cic_expected.json

CICFLOWMETER is a clone of github.com/ahlashkari/CICFlowMeter, of which BasicFlow.java and BasicPacketInfo.java
(the features) are compiled and driven; tshark takes the packets apart. Needs a JDK (default-jdk-headless),
libcommons-math3-java and tshark. For each flow the result has its packets, [time in us, 0 forward or 1 reverse,
TCP flags, payload bytes, transport header bytes, window], and the original's row, with its errors.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

LAB = pathlib.Path(__file__).resolve().parents[3] / "datasets" / "lab"
# Capture, stream; chosen for silences, one-packet directions, resets, UDP.
FLOWS = [("web/web-01.pcap", "tcp", 2), ("web/web-01.pcap", "tcp", 8), ("web/web-12.pcap", "tcp", 6), ("web/web-02.pcap", "tcp", 1), ("ssh/ssh-01.pcap", "tcp", 0),
         ("ssh/ssh-05.pcap", "tcp", 0), ("video/video-05.pcap", "tcp", 0), ("video/video-03.pcap", "tcp", 0),
         ("download/download-04.pcap", "tcp", 0), ("dns/dns-01.pcap", "udp", 0), ("rtp/rtp-01.pcap", "udp", 3),
         ("rtp/rtp-02.pcap", "udp", 2)]
MOST_PACKETS = 150

FORMAT_UTILS = """package org.jnetpcap.packet.format;
public class FormatUtils { public static String ip(byte[] a) { return a[0] + "." + a[1] + "." + a[2] + "." + a[3]; } }
"""
DRIVER = """package cic.cs.unb.ca.jnetpcap;
import java.util.Scanner;
public class Driver {
    public static void main(String[] arguments) {
        Scanner in = new Scanner(System.in);
        long activityTimeout = 5000000L;  // Cmd.java
        IdGenerator ids = new IdGenerator();
        while (in.hasNext()) {
            int packets = in.nextInt(), protocol = in.nextInt();
            BasicFlow flow = null;
            for (int i = 0; i < packets; ++i) {
                long time = in.nextLong();
                boolean reverse = in.nextInt() == 1;
                int flags = in.nextInt();
                byte[] client = {10, 0, 0, 1}, server = {10, 0, 0, 2};
                BasicPacketInfo p = new BasicPacketInfo(reverse ? server : client, reverse ? client : server,
                                                        reverse ? 2 : 1, reverse ? 1 : 2, protocol, time, ids);
                p.setFlagFIN((flags & 1) != 0);
                p.setFlagSYN((flags & 2) != 0);
                p.setFlagRST((flags & 4) != 0);
                p.setFlagPSH((flags & 8) != 0);
                p.setFlagACK((flags & 16) != 0);
                p.setFlagURG((flags & 32) != 0);
                p.setFlagECE((flags & 64) != 0);
                p.setFlagCWR((flags & 128) != 0);
                p.setPayloadBytes(in.nextLong());
                p.setHeaderBytes(in.nextLong());
                p.setTCPWindow(in.nextInt());
                if (flow == null) {
                    flow = new BasicFlow(true, p, activityTimeout);
                } else {  // as FlowGenerator.java does with packets of a flow that goes on
                    flow.updateActiveIdleTime(time, activityTimeout);
                    flow.addPacket(p);
                }
            }
            System.out.println(flow.dumpFlowBasedFeaturesEx());
        }
    }
}
"""


def number(text):
    return int(text, 0) if text else 0


def packets_of(capture, protocol, stream):
    fields = ["frame.time_epoch", f"{protocol}.srcport", "tcp.flags", "tcp.len", "tcp.hdr_len", "tcp.window_size_value",
              "udp.length"]
    command = ["tshark", "-n", "-r", str(LAB / capture), "-Y", f"{protocol}.stream=={stream}", "-T", "fields", "-E",
               "separator=;", "-o", "tcp.relative_sequence_numbers:FALSE"]
    for field in fields:
        command += ["-e", field]
    packets, client = [], None
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        time, port, flags, length, header, window, datagram = line.split(";")
        client = client or port
        seconds, fraction = time.split(".")
        packets.append([int(seconds) * 1000000 + int(fraction[:6]), int(port != client), number(flags) & 0xFF,
                        number(length) if protocol == "tcp" else number(datagram) - 8,
                        number(header) if protocol == "tcp" else 8, number(window)])
    return packets[:MOST_PACKETS]


def main():
    clone = pathlib.Path(sys.argv[1]) / "src/main/java/cic/cs/unb/ca/jnetpcap"
    flows = [{"flow": f"{capture} {protocol} {stream}", "packets": packets_of(capture, protocol, stream)}
             for capture, protocol, stream in FLOWS]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "FormatUtils.java").write_text(FORMAT_UTILS)
        (folder / "Driver.java").write_text(DRIVER)
        sources = [clone / f"{source}.java" for source in ("BasicFlow", "BasicPacketInfo", "IdGenerator", "DateFormatter")]
        classpath = "/usr/share/java/commons-math3.jar"
        subprocess.run(["javac", "-nowarn", "-cp", classpath, "-d", folder, *sources, folder / "FormatUtils.java",
                        folder / "Driver.java"], check=True)
        text = ""
        for (_, protocol, _), flow in zip(FLOWS, flows):
            text += f"{len(flow['packets'])} {6 if protocol == 'tcp' else 17}\n"
            text += "".join(" ".join(map(str, packet)) + "\n" for packet in flow["packets"])
        rows = subprocess.run(["java", "-cp", f"{classpath}:{folder}", "cic.cs.unb.ca.jnetpcap.Driver"], input=text,
                              capture_output=True, text=True, check=True).stdout.splitlines()
    for flow, row in zip(flows, rows, strict=True):
        # Seven columns of names and times before the features, the label after them.
        flow["features"] = [float(cell) for cell in row.split(",")[7:-1]]
    print("[")
    print(",\n".join(json.dumps(flow, separators=(",", ":")) for flow in flows))
    print("]")


if __name__ == "__main__":
    main()
