#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes expected.json: what scikit-learn and NumPy say of membership scores and nearest neighbours.

Needs python3-sklearn. Run it in this folder; the result does not change between runs.
"""
import json

import numpy
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


def attack(rng, members, others, shift, decimals):
    scores = numpy.concatenate([rng.normal(shift, 1, members), rng.normal(0, 1, others)]).round(decimals)
    member = numpy.array([1] * members + [0] * others)
    weights = rng.integers(0, 4, members + others)
    order = rng.permutation(len(scores))
    scores, member, weights = scores[order], member[order], weights[order]

    def rates(sample_weight):
        fpr, tpr, _ = roc_curve(member, scores, sample_weight=sample_weight, drop_intermediate=False)
        return {str(level): float(tpr[fpr <= level].max()) for level in (0.001, 0.01, 0.1)}

    return {
        "scores": scores.tolist(), "member": member.tolist(), "weights": weights.tolist(),
        "auc": float(roc_auc_score(member, scores)), "tpr": rates(None),
        "weighted_auc": float(roc_auc_score(member, scores, sample_weight=weights)),
        "weighted_tpr": rates(weights),
    }


def neighbours(rng):
    train, heldout, synthetic = rng.normal(0, 2, (60, 4)), rng.normal(1, 3, (60, 4)), rng.normal(0, 1, (50, 4))
    synthetic[7] = train[3]
    scaler = StandardScaler().fit(numpy.concatenate([train, heldout]))
    scaled = [scaler.transform(side) for side in (train, heldout, synthetic)]
    model = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(scaled[0])
    distances, _ = model.kneighbors(scaled[2])
    return {
        "train": train.tolist(), "heldout": heldout.tolist(), "synthetic": synthetic.tolist(),
        "nearest_two": distances.tolist(),
        "dcr_p5": float(numpy.percentile(distances[:, 0], 5)),
        "nndr_p5": float(numpy.percentile(distances[:, 0] / distances[:, 1], 5)),
    }


def main():
    rng = numpy.random.default_rng(20251120)
    expected = {
        "attacks": [attack(rng, 300, 200, 1.0, 6), attack(rng, 150, 400, 0.2, 1), attack(rng, 40, 30, 3, 0)],
        "neighbours": neighbours(rng),
    }
    with open("expected.json", "w") as file:
        json.dump(expected, file)
        file.write("\n")


main()
