#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes expected.json: a classifier two-sample test by scikit-learn (1.2.1 made the file kept here).

    python3 make.py > expected.json

Every label is one session on either side, and label i is in fold i mod 3: whatever shuffles sessions within labels
gives the same folds. Weights make every session weigh the same.
"""
import json
import sys

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

FOLDS, LABELS, COLUMNS = 3, 6, 3

rng = np.random.default_rng(20170424)
rows = []
for side in (0, 1):
    for label in range(LABELS):
        for _ in range(int(rng.integers(3, 9))):
            values = rng.normal(0.4 * label, 1, COLUMNS) + side * np.array([0.7, 0, -0.3])
            rows.append((side, label, *(np.round(values * 64) / 64)))
sides = np.array([row[0] for row in rows])
labels = np.array([row[1] for row in rows])
values = np.array([row[2:] for row in rows])
counts = np.array([[np.sum((sides == side) & (labels == label)) for label in range(LABELS)] for side in (0, 1)])
weights = np.array([1 / counts[side, label] for side, label in zip(sides, labels)])
folds = [(np.flatnonzero(labels % FOLDS != fold), np.flatnonzero(labels % FOLDS == fold)) for fold in range(FOLDS)]
scores = cross_val_predict(GaussianNB(var_smoothing=0), values, sides, cv=folds, method="predict_proba",
                           fit_params={"sample_weight": weights})[:, 1].astype(np.float32)
json.dump({
    "columns": COLUMNS, "folds": FOLDS, "sides": sides.tolist(), "labels": labels.tolist(),
    "values": values.ravel().tolist(), "weights": weights.tolist(), "scores": [float(s) for s in scores],
    "auc": roc_auc_score(sides, scores, sample_weight=weights),
    "plain_auc": roc_auc_score(sides, scores),
    "coarse_auc": roc_auc_score(sides, np.round(scores * 4) / 4, sample_weight=weights),
    "accuracy": balanced_accuracy_score(sides, scores > 0.5, sample_weight=weights),
}, sys.stdout)
print()
