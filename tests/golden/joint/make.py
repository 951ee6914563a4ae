#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes expected.json: vectors, and what NumPy, SciPy and scikit-learn say of them.

Nothing here knows how metrics/joint computes: kernels are scikit-learn's pairwise_kernels, neighbours its
NearestNeighbors, matrix roots scipy.linalg.sqrtm. Needs python3-scipy and python3-sklearn. Run it in this folder;
the result does not change between runs.
"""
import json

import numpy
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr, wasserstein_distance
from sklearn.metrics import normalized_mutual_info_score, pairwise_kernels
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 5


def vectors(rng, rows, shift):
    """Four features: two that belong together, one with ties, one with a long tail."""
    x = rng.normal(shift, 1, rows)
    y = 0.8 * x + 0.6 * rng.normal(0, 1, rows)
    return numpy.column_stack([x, y, rng.integers(0, 4, rows), rng.exponential(1 + shift, rows)])


def kernel_distances(a, b, bandwidth):
    k = lambda x, y: pairwise_kernels(x, y, metric="rbf", gamma=1 / (2 * bandwidth ** 2))
    of_a, of_b, across = k(a, a), k(b, b), k(a, b)
    m, n = len(a), len(b)
    mmd = ((of_a.sum() - numpy.trace(of_a)) / (m * (m - 1)) + (of_b.sum() - numpy.trace(of_b)) / (n * (n - 1))
           - 2 * across.mean())
    pairs = min(m, n) // 2
    even, odd = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    linear = (numpy.diag(of_a[even, odd]) + numpy.diag(of_b[even, odd])
              - numpy.diag(across[even, odd]) - numpy.diag(across[odd, even])).mean()
    energy = 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()
    return {"mmd": mmd, "mmd_linear": linear, "energy": numpy.sqrt(energy)}


def manifolds(real, synthetic):
    def radii(points):
        return NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(points).kneighbors()[0][:, NEIGHBOURS - 1]

    distances = cdist(real, synthetic)
    in_real = distances <= radii(real)[:, None]
    in_synthetic = distances <= radii(synthetic)[None, :]
    return {"precision": in_real.any(axis=0).mean(), "recall": in_synthetic.any(axis=1).mean(),
            "density": in_real.sum(axis=0).mean() / NEIGHBOURS, "coverage": in_real.any(axis=1).mean()}


def frechet(a, b):
    of_a, of_b = numpy.cov(a, rowvar=False), numpy.cov(b, rowvar=False)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return shift @ shift + numpy.trace(of_a + of_b - 2 * sqrtm(of_a @ of_b).real)


def mean_difference(a, b):
    upper = numpy.triu_indices(len(a), 1)
    return abs(a[upper] - b[upper]).mean()


def compare(a, b, directions):
    bandwidth = numpy.median(pdist(numpy.vstack([a, b])))
    result = {"bandwidth": bandwidth, "frechet": frechet(a, b),
              "correlation": mean_difference(numpy.corrcoef(a, rowvar=False), numpy.corrcoef(b, rowvar=False)),
              "rank_correlation": mean_difference(spearmanr(a)[0], spearmanr(b)[0]),
              "sliced_wasserstein": numpy.mean([wasserstein_distance(a @ d, b @ d) for d in directions])}
    return {name: float(value) for name, value in
            (result | kernel_distances(a, b, bandwidth) | manifolds(a, b)).items()}


def information(rng):
    """Tables of two codes each, and their normalised mutual information."""
    cases = []
    for noise in (0.0, 0.3, 1.0):
        x = rng.integers(0, 5, 300)
        y = numpy.where(rng.random(300) < noise, rng.integers(0, 3, 300), x % 3)
        table = numpy.zeros((5, 3), int)
        numpy.add.at(table, (x, y), 1)
        cases.append({"table": table.ravel().tolist(), "columns": 3,
                      "value": float(normalized_mutual_info_score(x, y, average_method="arithmetic"))})
    return cases


def main():
    rng = numpy.random.default_rng(20240611)
    directions = rng.normal(size=(7, 4))
    directions /= numpy.linalg.norm(directions, axis=1, keepdims=True)
    cases = []
    for rows_a, rows_b, shift in ((60, 50, 0.0), (40, 75, 0.7), (30, 30, 6.0)):
        a, b = vectors(rng, rows_a, 0), vectors(rng, rows_b, shift)
        cases.append({"a": a.ravel().tolist(), "b": b.ravel().tolist(), "expected": compare(a, b, directions)})
    document = {"width": 4, "directions": directions.ravel().tolist(), "cases": cases,
                "information": information(rng)}
    with open("expected.json", "w") as file:
        json.dump(document, file)
        file.write("\n")


main()
