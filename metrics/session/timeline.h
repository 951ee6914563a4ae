#pragma once
/// Single sessions as the report draws them: interleaved flows and throughput over time.

#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/samples.h"

namespace tracebench {

/// The shape `session` of docs/results.md. At most 300 packets (the first and last of every flow, the others
/// evenly spread over the session) and 40 flows (those with most packets; "flows_left_out" counts the rest)
/// and 120 steps of throughput. Size is positive forward, negative in reverse; up is forward. An empty trace
/// gives a session without flows.
nlohmann::json describe_session(const LabelledTrace& sample);

/// Two typical sessions of every label: with the median number of packets, and with the 85th percentile.
nlohmann::json describe_sessions(const Samples& samples);

}  // namespace tracebench
