#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The distances of distance_speed.cpp by SciPy and scikit-learn, on the same numbers: a line each of name, least
processor seconds of REPEATS and value. Started by that program.

    distance_peer.py FILE NUMBERS VECTORS WIDTH REPEATS

FILE: doubles of this machine's order, two samples of NUMBERS numbers, then two of VECTORS rows of WIDTH, then the
kernel's bandwidth.
"""
import sys
import time

import numpy
from scipy.stats import energy_distance, wasserstein_distance
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors


def mmd(x, y, bandwidth):
    gamma = 1 / (2 * bandwidth ** 2)
    of_x, of_y, across = rbf_kernel(x, gamma=gamma), rbf_kernel(y, gamma=gamma), rbf_kernel(x, y, gamma=gamma)
    m, n = len(x), len(y)
    return (of_x.sum() - m) / (m * (m - 1)) + (of_y.sum() - n) / (n * (n - 1)) - 2 * across.mean()


def manifolds(x, y, neighbours=5):
    """Precision, recall, density and coverage by way of all distances, as their authors' code has it."""
    radii = [NearestNeighbors(n_neighbors=neighbours).fit(side).kneighbors()[0][:, -1] for side in (x, y)]
    distances = pairwise_distances(x, y)
    in_x, in_y = distances <= radii[0][:, None], distances <= radii[1][None, :]
    return (in_x.any(axis=0).mean() + in_y.any(axis=1).mean() + in_x.sum(axis=0).mean() / neighbours
            + in_x.any(axis=1).mean())


def main():
    path, (numbers, vectors, width, repeats) = sys.argv[1], map(int, sys.argv[2:])
    data = numpy.fromfile(path)
    a, b, rest = data[:numbers], data[numbers:2 * numbers], data[2 * numbers:]
    x, y = rest[:-1].reshape(2, vectors, width)
    for name, run in (("wasserstein", lambda: wasserstein_distance(a, b)),
                      ("energy", lambda: energy_distance(a, b)),
                      ("mmd", lambda: mmd(x, y, rest[-1])),
                      ("manifolds", lambda: manifolds(x, y))):
        best = float("inf")
        for _ in range(repeats):
            before = time.process_time()
            value = run()
            best = min(best, time.process_time() - before)
        print(name, best, repr(float(value)))


main()
