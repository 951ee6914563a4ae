#pragma once
/// The learners behind model.h, one factory each. Only registry.cpp uses these: it wraps every learner in
/// prepared(), so each of them may rely on two classes or more that all have samples, and on columns that
/// are not constant.

#include <memory>

#include "classifiers/model.h"

namespace tracebench {

/// Gradient-boosted trees: XGBoost's histogram method, softmax over the classes.
std::unique_ptr<Classifier> make_xgboost();

/// 100 fully grown CART trees on bootstrap samples, sqrt(columns) candidates a split, averaged leaf shares
/// (Breiman, Random Forests, 2001; the defaults are scikit-learn's).
std::unique_ptr<Classifier> make_forest();

/// One fully grown CART tree (Breiman et al., 1984).
std::unique_ptr<Classifier> make_tree();

/// Support vector machine with an RBF kernel, one against one (LIBSVM's C-SVC). Needs standardised columns.
std::unique_ptr<Classifier> make_svm();

/// Multilayer perceptron, by LibTorch (classifiers/neural). Needs standardised columns. LibTorch costs close
/// to a second and 160 MB merely to be loaded, so it sits in a library of its own that is loaded when the
/// model is fitted. Throws InputError where there is no such library.
std::unique_ptr<Classifier> make_mlp();
bool mlp_available();

}  // namespace tracebench
