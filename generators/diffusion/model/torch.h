#pragma once
/// LibTorch as this folder sees it: compiled once for all its files (a file takes 15 s to read it).

#include <torch/csrc/api/include/torch/types.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/grad_mode.h>
