#pragma once
/// Errors a user can cause, and how they read.
///
///     throw InputError("lab.json", "/split/train is 1.5", "use a fraction between 0 and 1");
///
/// prints `lab.json: /split/train is 1.5; use a fraction between 0 and 1` and ends with exit code 2.
/// Everything else that escapes as a std::exception is a defect of ours: exit code 5.

#include <stdexcept>
#include <string>
#include <string_view>

namespace tracebench {

/// Bad usage or bad input: which file and place, what is wrong and was expected, what to do.
class InputError : public std::runtime_error {
  public:
    /// `place` is a file, with a frame, row, byte or JSON pointer where one is known. All three parts are
    /// escaped for a terminal, so hostile names and contents may be passed as they are.
    InputError(std::string_view place, std::string_view problem, std::string_view remedy = {});
};

/// The user (or a signal) asked us to stop: exit code 130.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

/// `text` with control characters, escape sequences and invalid UTF-8 as \xNN, cut at `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 400);

}  // namespace tracebench
