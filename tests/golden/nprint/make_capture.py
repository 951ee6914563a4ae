#!/usr/bin/env python3
"""Makes capture.pcap, a frame for each thing nPrint treats in its own way.

expected.npt was then written by nPrint 1.2.1 itself: nprint -P capture.pcap -4 -t -u -i -W expected.npt
"""
import struct

MAC = bytes.fromhex("020000000001020000000002")


def ipv4(protocol, payload, options=b"", flags_offset=0x4000, source=(192, 0, 2, 1)):
    words = 5 + len(options) // 4
    return struct.pack("!BBHHHBBH4B4B", 0x40 | words, 0, 4 * words + len(payload), 7, flags_offset, 64, protocol,
                       0xBEEF, *source, 198, 51, 100, 9) + options + payload


def ipv6(next_header, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 63) + bytes.fromhex(
        "20010db8000000000000000000000001" "20010db8000000000000000000000002") + payload


def tcp(options=b"", payload=b""):
    return struct.pack("!HHIIBBHHH", 50112, 443, 0xDEADBEEF, 0x01020304, (5 + len(options) // 4) << 4, 0x18, 502,
                       0xABCD, 3) + options + payload


UDP = struct.pack("!HHHH", 5353, 53, 12, 0x1234) + b"abcd"
ICMP = struct.pack("!BBHHH", 8, 0, 0x4321, 77, 1) + b"ping"
OPTIONS = bytes.fromhex("020405b4" "0402080a0000000100000000" "01030307")


def ethernet(ethertype, payload):
    return MAC + struct.pack("!H", ethertype) + payload


long_tcp = ethernet(0x0800, ipv4(6, tcp(OPTIONS, b"GET / HTTP/1.1\r\n")))
FRAMES = [
    (long_tcp, None),
    (ethernet(0x0800, ipv4(17, UDP)), None),
    (ethernet(0x0800, ipv4(1, ICMP, options=bytes.fromhex("94040000"))), None),
    (ethernet(0x86DD, ipv6(6, tcp())), None),
    (ethernet(0x86DD, ipv6(58, ICMP)), None),                                # no row: ICMPv6
    (ethernet(0x0806, bytes(28)), None),                                     # no row: ARP
    (ethernet(0x8100, struct.pack("!HH", 5, 0x0800) + ipv4(6, tcp())), None),  # no row: VLAN tag
    (ethernet(0x0800, ipv4(47, bytes(8))), None),                            # no row: GRE
    (ethernet(0x0800, ipv4(17, b"not a header", flags_offset=0x0100)), None),  # payload of a later fragment
    (long_tcp, 64),                                                          # cut within the TCP options
    (MAC.replace(b"\x02", b"\x45", 1) + b"\x08\x06" + bytes(28), None),      # no row, though it begins with a 4
]

with open("capture.pcap", "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for number, (frame, cut) in enumerate(FRAMES):
        seen = frame[:cut]
        out.write(struct.pack("<IIII", 1700000000 + number, 0, len(seen), len(frame)) + seen)
