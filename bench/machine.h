#pragma once
/// What this program and this machine are: for results.json, task keys and `doctor`.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tracebench {

/// {"name","version","git_commit","libraries":{name: version}}
nlohmann::json tool_info();
/// {"cpu","cores","memory_gib","os"}
nlohmann::json machine_info();
/// Of the running executable: any rebuild that changes it makes stored results stale.
const std::string& program_sha256();
/// Name of the library that serves BLAS calls ("OpenBLAS", "reference BLAS", ...), from what is mapped.
std::string blas_name();
/// float32 matrix product, n x n, measured here.
double blas_gflops(int n);

}  // namespace tracebench
