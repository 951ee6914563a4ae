#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes real.csv, synthetic.csv and expected.json: what SciPy says of the same columns.

The bins follow the rule of metrics/distance/bins.h, written here a second time; the distances are SciPy's and
NumPy's alone. Needs python3-scipy. Run it in this folder; the result does not change between runs.
"""
import csv
import json

import numpy
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import chi2_contingency, energy_distance, ks_2samp, wasserstein_distance

ROWS = {"real": 120, "synthetic": 90}


def make_columns():
    rng = numpy.random.default_rng(20240607)
    n, m = ROWS["real"], ROWS["synthetic"]
    real = {
        "size": rng.integers(40, 1500, n),
        "iat": numpy.round(rng.lognormal(-5, 2, n), 9),
        "ttl": rng.choice([64, 128, 255], n, p=[0.6, 0.3, 0.1]),
        "constant": numpy.full(n, 7),
        "beyond": numpy.round(rng.normal(0, 1, n), 6),
        "protocol": rng.choice(["TCP", "UDP", "ICMP"], n, p=[0.7, 0.25, 0.05]),
        "same": numpy.arange(n) % 30,
    }
    synthetic = {
        "size": rng.integers(0, 1200, m),
        "iat": numpy.round(rng.lognormal(-4, 1.5, m), 9),
        "ttl": rng.choice([32, 64, 100, 128], m),
        "constant": rng.choice([6, 7, 8], m),
        "beyond": numpy.round(rng.normal(0, 1, m) + 40, 6),
        "protocol": rng.choice(["TCP", "UDP", "GRE", 'odd, "quoted"'], m),
        "same": numpy.arange(m) % 30,
    }
    return real, synthetic


def edges_of(real):
    values = numpy.sort(real.astype(float))
    n = len(values)
    bins = int(numpy.clip(round(2 * n ** 0.4), 8, 64))
    distinct = numpy.unique(values)
    if len(distinct) <= bins:
        return numpy.concatenate([distinct[:1], distinct[:-1] / 2 + distinct[1:] / 2, distinct[-1:]])
    return numpy.unique([values[int(k / bins * (n - 1))] for k in range(bins + 1)])


def counts_in(edges, values):
    values = values.astype(float)
    inside, _ = numpy.histogram(values, edges)
    return [int((values < edges[0]).sum()), *map(int, inside), int((values > edges[-1]).sum())]


def divergences(a, b):
    """Of counts in the same bins."""
    occupied = numpy.array(a) + numpy.array(b) > 0
    a, b = numpy.array(a)[occupied], numpy.array(b)[occupied]
    p, q = a / a.sum(), b / b.sum()
    smooth_p, smooth_q = (a + 0.5) / (a + 0.5).sum(), (b + 0.5) / (b + 0.5).sum()
    return {"jsd": float(jensenshannon(p, q, base=2) ** 2), "tvd": float(abs(p - q).sum() / 2),
            "hellinger": float(numpy.linalg.norm(numpy.sqrt(p) - numpy.sqrt(q)) / numpy.sqrt(2)),
            "kl": float(rel_entr(smooth_p, smooth_q).sum() / numpy.log(2)),
            # The statistic of two samples of one observation each.
            "chi_square": float(chi2_contingency([p, q], correction=False)[0] / 2) if len(p) > 1 else 0.0}


def expected_of(real, synthetic):
    expected = {"n": [len(real), len(synthetic)]}
    if real.dtype.kind in "US":
        names = sorted(set(real.tolist()) | set(synthetic.tolist()))
        a, b = ([int((side == name).sum()) for name in names] for side in (real, synthetic))
        expected |= {"kind": "categorical", "categories": names}
    else:
        edges = edges_of(real)
        a, b = counts_in(edges, real), counts_in(edges, synthetic)
        expected |= {"kind": "continuous", "edges": edges.tolist(),
                     "wasserstein": float(wasserstein_distance(real, synthetic)),
                     "ks": float(ks_2samp(real, synthetic).statistic),
                     "energy": float(energy_distance(real, synthetic))}
    return expected | {"real": a, "synthetic": b} | divergences(a, b)


def main():
    sides = dict(zip(("real", "synthetic"), make_columns()))
    for name, columns in sides.items():
        with open(f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values()))
    expected = {name: expected_of(sides["real"][name], sides["synthetic"][name]) for name in sides["real"]}
    with open("expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


main()
