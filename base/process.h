#pragma once
/// Other people's programs, run without a shell and within bounds.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tracebench {

struct ProcessRequest {
    std::vector<std::string> arguments{};  ///< arguments[0] is looked up on PATH
    std::string input{};                   ///< written to its standard input, which then closes
    std::filesystem::path working_folder{};  ///< empty: ours
    double timeout_s = 0;                ///< wall clock; 0: none
    std::uint64_t memory_bytes = 0;      ///< address space (RLIMIT_AS); 0: no limit
    std::uint64_t file_bytes = 0;        ///< largest single file it may write (RLIMIT_FSIZE); 0: no limit
    std::filesystem::path watched_folder{};   ///< its size is watched while the program runs; empty: nothing is
    std::uint64_t watched_bytes = 0;        ///< killed when watched_folder grows past this; 0: no limit
    std::size_t output_limit = 1 << 20;  ///< bytes kept of standard output and of standard error (its end)
};

struct ProcessResult {
    enum class End { exited, signalled, timed_out, output_too_large, not_started };
    End end = End::not_started;
    int code = 0;              ///< exit code, or the signal's number, or errno of what could not be started
    std::string output, errors;
    double seconds = 0;

    bool succeeded() const { return end == End::exited && code == 0; }
    /// "exit code 3", "killed by signal 9 (Killed)", "no answer within 60 s": for messages.
    std::string outcome() const;
};

/// Runs it in a process group of its own, which is killed as a whole at a limit. Descriptors of ours are not
/// inherited. Throws Interrupted (after killing it) when the user stops us.
ProcessResult run_process(const ProcessRequest& request);

}  // namespace tracebench
