#pragma once
/// A flow as the verbs `flows` and `inspect` show it.

#include <cstdint>
#include <string>

#include "traffic/flow_table.h"

namespace tracebench::cli {

/// Column titles, and a row under them, without line ends. Times are relative to `start_ns`. In the column of
/// states: `open` a handshake was seen, `end` a FIN both ways or a reset.
std::string flow_row_header();
std::string flow_row(const Flow& flow, std::int64_t start_ns);

/// The object that interface documents promise, on one line.
std::string flow_json(const Flow& flow);

/// Seconds with all nine digits, which a double would not keep.
std::string exact_seconds(std::int64_t ns);

}  // namespace tracebench::cli
