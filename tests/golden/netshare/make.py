#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes expected.json: packets of a few sessions, and the distances between them as NetShare defines them.

The definitions are those of its published evaluation (JSD: the square of scipy's jensenshannon, which is the
divergence with natural logarithms; EMD: scipy's wasserstein_distance), written here once more over plain tuples.
Needs python3-scipy. Run it in this folder; the result does not change between runs.
"""
import json
from collections import Counter, defaultdict

import numpy
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

HEADERS = {1: 28, 6: 40, 17: 28}  # IPv4 with ICMP, TCP, UDP


def make_sessions(rng, sessions, servers, skew):
    """Packets as (session, ns, source, source port, destination, destination port, protocol, IP length)."""
    packets = []
    for session in range(sessions):
        start = int(rng.integers(1, 10**9))
        for _ in range(int(rng.integers(2, 6))):
            client, server = f"10.0.{session}.{rng.integers(1, 4)}", f"203.0.113.{rng.integers(1, servers)}"
            protocol = int(rng.choice([1, 6, 17], p=[0.1, 0.6, 0.3]))
            port = int(rng.choice([53, 80, 443])) if protocol != 1 else 0
            own = int(rng.integers(40000, 40010)) if protocol != 1 else 0
            time = start + int(rng.integers(0, 10**9))
            for _ in range(int(rng.integers(1, 12))):
                length = HEADERS[protocol] + int(rng.exponential(skew))
                ends = (client, own, server, port)
                if rng.random() < 0.5:
                    ends = ends[2:] + ends[:2]
                packets.append((session, time, *ends, protocol, min(length, 1500)))
                time += int(rng.exponential(5e8))
    return sorted(packets)


def fields_of(packets):
    first = {}
    for packet in packets:
        first.setdefault(packet[0], packet[1])
    flows = defaultdict(list)
    for packet in packets:
        flows[packet[0], *packet[2:7]].append(packet)
    fields = {
        "packet.SA": [p[2] for p in packets], "packet.DA": [p[4] for p in packets],
        "packet.SP": [p[3] for p in packets if p[6] != 1], "packet.DP": [p[5] for p in packets if p[6] != 1],
        "packet.PR": [p[6] for p in packets], "packet.PS": [p[7] for p in packets],
        "packet.PAT": [(p[1] - first[p[0]]) * 1e-9 for p in packets],
        "packet.FS": [len(flow) for flow in flows.values()],
        "flow.SA": [key[1] for key in flows], "flow.DA": [key[3] for key in flows],
        "flow.SP": [key[2] for key in flows if key[5] != 1], "flow.DP": [key[4] for key in flows if key[5] != 1],
        "flow.PR": [key[5] for key in flows],
        "flow.TS": [(flow[0][1] - first[key[0]]) * 1e-9 for key, flow in flows.items()],
        "flow.TD": [(flow[-1][1] - flow[0][1]) * 1e-9 for flow in flows.values()],
        "flow.PKT": [len(flow) for flow in flows.values()],
        "flow.BYT": [sum(p[7] for p in flow) for flow in flows.values()],
    }
    return fields


def rank_jsd(real, synthetic):
    p, q = ([count for _, count in Counter(side).most_common()] for side in (real, synthetic))
    longest = max(len(p), len(q))
    return jensenshannon(p + [0] * (longest - len(p)), q + [0] * (longest - len(q))) ** 2


def value_jsd(real, synthetic):
    p, q = numpy.zeros(65536), numpy.zeros(65536)
    for side, values in ((p, real), (q, synthetic)):
        for value in values:
            side[value] += 1 / len(values)
    return jensenshannon(p, q) ** 2


def main():
    rng = numpy.random.default_rng(20220822)
    real, synthetic = make_sessions(rng, 5, 9, 400), make_sessions(rng, 7, 5, 250)
    of_real, of_synthetic = fields_of(real), fields_of(synthetic)
    expected = {}
    for name, values in of_real.items():
        kind = name.split(".")[1]
        distance = rank_jsd if kind in ("SA", "DA") else value_jsd if kind in ("SP", "DP", "PR") else wasserstein_distance
        expected[name] = float(distance(values, of_synthetic[name]))
    with open("expected.json", "w") as file:
        json.dump({"real": real, "synthetic": synthetic, "expected": expected}, file)
        file.write("\n")


main()
