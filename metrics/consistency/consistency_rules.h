#pragma once
/// What must hold within one flow record if its fields belong together: domain knowledge about flows, as it
/// is used to judge synthetic NetFlow. In the spirit of Ring, Schloer, Landes, Hotho, "Flow-based network
/// traffic generation using Generative Adversarial Networks", Computers & Security 82 (2019), whose tests 1
/// to 7 are named by number; of Yin et al. (NetShare), SIGCOMM 2022, whose tests are in its appendix; and of
/// Wolf et al., "Benchmarking of synthetic network data: Reviewing challenges and approaches", Computers &
/// Security 145 (2024).
///
/// To add one: a check and a line in the table of consistency_rules.cpp, a record that keeps it and one that
/// breaks it in tests/unit/metrics/consistency_rules_test.cpp, a line in docs/metrics.md.

#include <span>
#include <string_view>

#include "metrics/consistency/biflow.h"

namespace tracebench {

enum class Consistency {
    not_applicable,  ///< the rule says nothing about this record
    holds,
    broken,
};

struct ConsistencyRule {
    using Check = Consistency (*)(const Biflow&);

    std::string_view id;      ///< `bytes.minimum`: stable, used in results
    std::string_view title;   ///< one line for people: what holds
    std::string_view source;  ///< `RFC 9293 section 3.5`, `Ring test 7`
    /// Real records often break it, depending on where and when they were captured: real and synthetic rates
    /// are compared then, and it does not count as broken.
    bool observed = false;
    Check check = nullptr;
};

/// Every rule; required ones first.
std::span<const ConsistencyRule> consistency_rules();

}  // namespace tracebench
