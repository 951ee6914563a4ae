#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes series_expected.json: what NumPy, SciPy and PyWavelets say of the statistics of series.

    make_series.py > series_expected.json

Fractional Gaussian noise is drawn by Davies and Harte's method (circulant embedding; Biometrika 74(1), 1987),
rounded, and put in with its Hurst exponent. Needs python3-scipy and python3-pywt; does not change between runs.
"""
import json

import numpy
import pywt
from scipy.special import digamma

LENGTHS = {0.5: 600, 0.7: 1000, 0.9: 1024}


def fractional_noise(rng, hurst, n):
    k = numpy.arange(n + 1, dtype=float)
    gamma = ((k + 1) ** (2 * hurst) - 2 * k ** (2 * hurst) + numpy.abs(k - 1) ** (2 * hurst)) / 2
    eigenvalues = numpy.fft.fft(numpy.concatenate([gamma, gamma[-2:0:-1]])).real
    assert eigenvalues.min() > -1e-9
    size = 2 * n
    noise = rng.normal(size=size) + 1j * rng.normal(size=size)
    return numpy.fft.fft(numpy.sqrt(numpy.maximum(eigenvalues, 0) / size) * noise).real[:n]


def aggregated_variance(series):
    blocks, variances, block = [], [], 1
    while len(series) // block >= 8:
        count = len(series) // block
        blocks.append(block)
        variances.append(series[:count * block].reshape(count, block).mean(axis=1).var(ddof=1))
        block *= 2
    return 1 + numpy.polyfit(numpy.log(blocks), numpy.log(variances), 1)[0] / 2


def wavelet(series):
    octaves, energies, weights, j = [], [], [], 1
    while True:
        approximation, details = pywt.dwt(series, "db2", mode="zero")
        inner = slice(1, (len(series) - 4) // 2 + 2)  # what no border touches
        approximation, details = approximation[inner], details[inner]
        n = len(details)
        if n < 8:
            break
        octaves.append(j)
        energies.append(numpy.log2(numpy.mean(details ** 2)) - (digamma(n / 2) / numpy.log(2) - numpy.log2(n / 2)))
        weights.append(n)
        series, j = approximation, j + 1
    slope = numpy.polyfit(octaves, energies, 1, w=numpy.sqrt(weights))[0]
    return (slope + 1) / 2


def autocorrelation(series):
    centred = series - series.mean()
    r = numpy.correlate(centred, centred, "full")[len(series) - 1:]
    r = r / r[0]
    return float(r[1]), int(numpy.argmax(r < 1 / numpy.e))


def main():
    rng = numpy.random.default_rng(20240607)
    cases = []
    for hurst, n in LENGTHS.items():
        series = numpy.round(1000 * fractional_noise(rng, hurst, n))
        lag1, decay = autocorrelation(series)
        cases.append({"hurst": hurst, "aggregated_variance": aggregated_variance(series), "wavelet": wavelet(series),
                      "lag1": lag1, "decay_lag": decay, "series": [int(value) for value in series]})
    print("[")
    print(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
    print("]")


if __name__ == "__main__":
    main()
