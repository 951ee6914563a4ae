#pragma once
/// Parts of the program that are loaded when they are first used, because what they need is slow to start
/// (LibTorch) or may be absent.

#include <filesystem>
#include <string>

namespace tracebench {

/// Beside the program, as built; or in ../lib/tracebench, as installed. Empty where there is none.
std::filesystem::path find_program_library(const std::string& name);

/// The address of `symbol` in that library, which stays loaded. Throws InputError where the library is not
/// there or cannot be loaded, with what to do.
void* load_program_symbol(const std::string& library, const char* symbol);

}  // namespace tracebench
