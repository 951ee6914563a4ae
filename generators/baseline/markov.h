#pragma once
/// `markov`: sessions of flows whose packets follow a Markov chain: state within a flow, none between flows.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generators/baseline/flow_kind.h"
#include "generators/baseline/packet_chain.h"
#include "generators/generator.h"
#include "generators/histogram.h"

namespace tracebench {

/// One label's sessions.
class SessionModel {
  public:
    /// TCP, UDP, ICMP and ICMPv6 flows are learned, other packets skipped.
    void add(const Trace& session, Random& random);
    /// Once, after the last add().
    void finish();
    bool empty() const { return kinds_.empty(); }
    /// In time order, cut at `max_packets` (0: no limit).
    Trace draw(std::size_t max_packets, Random& random);

    /// Mean negative log-likelihood a packet, in nats: of the number of flows, their starts, services and
    /// packets (PacketChain::loss()). What is drawn from training flows beside that (TTL, options, windows)
    /// is left out. Infinite where a flow's protocol was never learned, NaN without flows. Requires !empty().
    double loss(const Trace& session) const;

    nlohmann::json to_json() const;
    /// Throws InputError.
    static SessionModel from_json(const CheckedJson& json);
    nlohmann::json describe() const;

  private:
    using Service = std::pair<std::uint8_t, std::uint16_t>;  // protocol, port (0: every other service)
    struct Servers;

    PacketChain& chain_of(const FlowKind& kind);

    std::vector<FlowKind> kinds_;
    std::vector<std::vector<ChainPacket>> flows_;  // beside kinds_, until finish()
    std::map<Service, PacketChain> chains_;
    Histogram flows_per_session_;
    Histogram start_gaps_ns_{6};  // between a session's flow starts
    std::uint64_t flows_seen_ = 0;
    std::uint64_t reused_servers_ = 0;  // flows to an address that the session had met
    std::uint32_t snap_length_ = 0;     // 0: whole packets
};

/// Takes no settings. A session is a number of flows with times between their starts; a flow is a kind
/// (protocol, service port, both ends' TTL, options, windows) taken from a training flow, and a packet chain
/// of its service (or of its protocol where the service has under four flows) over direction, TCP flags,
/// TCP phase and size class, with payload size per state and time per transition. All of these are drawn
/// independently of each other. One client talks to all servers; addresses, client ports and start times are
/// fresh. Sequence numbers follow from what is sent. Not modelled: loss and retransmission, ARP, fragments,
/// payload. With `constrained`, rules of packet and flow scope are repaired.
class MarkovGenerator : public Generator {
  public:
    static std::unique_ptr<Generator> make(const CheckedJson& settings);

    std::string kind() const override { return "markov"; }
    void fit(const Samples& samples, const FitContext& context) override;
    void sample(const SampleRequest& request, Progress& progress, const Sink& sink) override;
    std::optional<std::vector<double>> losses(const Samples& samples, Progress& progress) override;
    void save(const std::filesystem::path& folder) const override;
    void load(const std::filesystem::path& folder) override;
    nlohmann::json describe() const override;
    std::vector<std::string> labels() const override;

  private:
    std::map<std::string, SessionModel> models_;
};

}  // namespace tracebench
