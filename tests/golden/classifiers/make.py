#!/usr/bin/env python3
"""Writes expected.json: scores and support-vector predictions by scikit-learn (1.2.1 made the file kept here).

    python3 make.py > expected.json
"""
import json
import sys

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

rng = np.random.default_rng(20240229)


def scores(classes, true, predicted):
    labels = list(range(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=labels, zero_division=0)
    return {
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro", zero_division=0),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
    }


def score_cases():
    true = rng.integers(0, 5, 60)
    noisy = np.where(rng.random(60) < 0.6, true, rng.integers(0, 5, 60))
    yield scores(5, true, noisy)
    yield scores(4, [0, 0, 1, 1, 1], [0, 1, 1, 1, 0])   # 2 and 3 neither occur nor are predicted
    yield scores(3, [0, 0, 1, 1], [2, 0, 2, 1])         # 2 is predicted only
    yield scores(3, [0, 1, 2, 2], [0, 0, 0, 0])         # 1 and 2 are never predicted


def svm_case():
    """Three overlapping clouds with long tails; what preparation.h calls standardised, then C-SVC."""
    centres = np.array([[0, 0, 0, 0], [1.5, 0, 4, 0], [0, 1.5, 0, 4]])

    def draw(count):
        classes = rng.integers(0, 3, count)
        values = centres[classes] + rng.standard_normal((count, 4))
        values[:, 2:] = np.sinh(values[:, 2:])
        return values.round(3).astype(np.float32), classes

    train, train_classes = draw(90)
    test, _ = draw(60)
    scaler = StandardScaler().fit(np.arcsinh(train.astype(float)))
    model = SVC(C=10, gamma="scale").fit(scaler.transform(np.arcsinh(train.astype(float))), train_classes)
    return {
        "train": [round(float(v), 3) for v in train.ravel()],
        "classes": train_classes.tolist(),
        "test": [round(float(v), 3) for v in test.ravel()],
        "predicted": model.predict(scaler.transform(np.arcsinh(test.astype(float)))).tolist(),
    }


json.dump({"scores": list(score_cases()), "svm": svm_case()}, sys.stdout)
print()
