#pragma once
/// The library that holds the model on LibTorch, and what is looked up in it.

namespace tracebench::ssm {

inline constexpr const char* model_library = "libtracebench_ssm.so";

}  // namespace tracebench::ssm
