#pragma once
/// Packets as people see them in a report: one sample of each class as NetDiffusion's image.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "traffic/trace.h"

namespace tracebench {

class PacketPictures {
  public:
    static constexpr std::size_t most_labels = 8, most_rows = 96;

    /// Whether a trace of this label would still be taken: the first of each, of the first labels.
    bool wants(const std::string& label) const;
    /// Of its packets with an nPrint row (traffic/nprint.h) the first ones; a trace without any is not taken.
    void add(const std::string& label, const Trace& trace);
    /// [{"label", "rows", "packets", "png"}, ...]: `png`, in base64, is 1088 pixels wide and `rows` high;
    /// `packets` are those of the whole trace.
    const nlohmann::json& to_json() const { return pictures_; }

  private:
    std::set<std::string> labels_;
    nlohmann::json pictures_ = nlohmann::json::array();
};

}  // namespace tracebench
