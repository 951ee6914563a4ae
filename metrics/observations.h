#pragma once
/// What is measured: every header field and flow and session feature of a set of samples, as columns.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/samples.h"

namespace tracebench {

enum class FieldKind { categorical, continuous };
enum class FieldScope { packet, flow, session };
/// What a field's ceiling, the end of the scale, is the distance of.
enum class CeilingModel {
    uniform,  ///< a model that knows the field's support alone: independent marginals match the field itself
    samples,  ///< the independent-marginals samples
};

struct FieldInfo {
    std::string name;  ///< `ip.ttl`, `flow.duration`, `session.flows`: stable, used in results
    FieldKind kind = FieldKind::continuous;
    FieldScope scope = FieldScope::packet;
    std::string unit;   ///< "bytes", "s", "1"; empty for codes
    std::string title;  ///< for people
    bool log = false;   ///< spans decades: shown, and drawn uniformly, on a logarithmic axis
    CeilingModel ceiling = CeilingModel::samples;
};

/// One field over all samples. `session[i]` says which sample value i came from: resampling is by sample,
/// never by packet.
struct Column {
    FieldInfo info;
    std::vector<double> values;           ///< categorical values are codes (ports, flags, versions)
    std::vector<std::uint32_t> session;   ///< same length, ascending
    std::vector<std::uint32_t> counts{};  ///< how often each value stands there; empty: once each

    std::uint32_t count(std::size_t i) const { return counts.empty() ? 1 : counts[i]; }
    /// Observations in all: more than there are values where some are counted.
    std::uint64_t total() const;
};

class SampleObserver;

struct Observations {
    std::vector<Column> columns;              ///< in all_fields() order
    std::vector<std::string> session_labels;  ///< one a sample
    std::vector<std::string> session_ids;
    std::uint64_t packets = 0, flows = 0, bytes = 0;

    std::size_t sessions() const { return session_labels.size(); }
    const Column* find(const std::string& field) const;
    /// One more sample, of packets that `give` hands to the observer in time order.
    void add(const std::string& id, const std::string& label,
             const std::function<void(SampleObserver&)>& give);
};

/// Every field that can be observed, in report order.
const std::vector<FieldInfo>& all_fields();
/// What a code of a categorical field stands for: `SYN,ACK`, `fwd 1-99`, a number.
std::string category_name(const FieldInfo& field, double code);
/// "packet", "flow", "session"; "categorical", "continuous".
const char* scope_name(FieldScope scope);
const char* kind_name(FieldKind kind);

/// One pass over the samples. A field that occurs nowhere gives an empty column. Equal values of long
/// sessions are counted, and no longer in the order of packets (value_counts.h).
Observations observe(const Samples& samples);

}  // namespace tracebench
