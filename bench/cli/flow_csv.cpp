#include "bench/cli/flow_csv.h"

#include <fmt/format.h>

#include <stdexcept>
#include <unordered_map>

#include "bench/cli/flow_text.h"
#include "metrics/flow/cic_features.h"
#include "metrics/flow/ipfix_record.h"

namespace tracebench::cli {
namespace {

/// `T` is what is kept of a live flow.
template <typename T>
class LiveFlows : public FlowCsv {
  protected:
    T& at(std::uint64_t flow) { return live_[flow]; }
    T take(std::uint64_t flow) {
        const auto found = live_.find(flow);
        if (found == live_.end()) return T{};
        const T result = found->second;
        live_.erase(found);
        return result;
    }

  private:
    std::unordered_map<std::uint64_t, T> live_;
};

class CicCsv : public LiveFlows<CicFlow> {
  public:
    std::string header() const override {
        std::string names = "Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp";
        for (const CicFeature& feature : cic_features()) names += fmt::format(",{}", feature.name);
        return names;
    }
    void add(std::uint64_t flow, const PacketView& packet, const Headers& headers,
             Direction direction) override {
        at(flow).add(cic_packet(packet, headers, direction));
    }
    std::string finish(const Flow& flow) override {
        std::string row = fmt::format("{},{},{},{},{},{},{}", flow.key.flow_id(), flow.src.address.text(),
                                      flow.src.port, flow.dst.address.text(), flow.dst.port,
                                      flow.key.protocol, exact_seconds(flow.first_ns));
        for (const double value : take(flow.number).values()) row += fmt::format(",{}", value);
        return row;
    }
};

class IpfixCsv : public LiveFlows<IpfixRecord> {
  public:
    std::string header() const override { return IpfixRecord::csv_header(); }
    void add(std::uint64_t flow, const PacketView&, const Headers& headers, Direction direction) override {
        at(flow).add(headers, direction);
    }
    std::string finish(const Flow& flow) override { return take(flow.number).csv_row(flow); }
};

}  // namespace

std::unique_ptr<FlowCsv> make_flow_csv(const std::string& features) {
    if (features == "cic") return std::make_unique<CicCsv>();
    if (features == "ipfix") return std::make_unique<IpfixCsv>();
    throw std::invalid_argument("no such flow features: " + features);
}

}  // namespace tracebench::cli
