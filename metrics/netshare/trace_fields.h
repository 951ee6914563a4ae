#pragma once
/// The fields that NetShare compares traces by, taken from samples: one record a packet and, as NetFlow
/// exports them, one a flow and direction.
///
/// Yin, Lin, Jin, Fanti, Sekar, "Practical GAN-based Synthetic IP Header Trace Generation using NetShare",
/// SIGCOMM 2022; details from the authors' published evaluation code.

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "metrics/observations.h"
#include "traffic/flow_key.h"

namespace tracebench {

enum class TraceDistance {
    rank_jsd,  ///< of the shares of the commonest value, the second commonest, ...: which value it is does
               ///< not matter
    jsd,       ///< of the shares of each value
    emd,       ///< Wasserstein-1 of the numbers
};

struct TraceField {
    std::string_view name;  ///< `packet.SA`, `flow.BYT`: NetShare's names, stable, used in results
    std::string_view area;  ///< "packet" or "flow"
    TraceDistance distance = TraceDistance::jsd;
    std::string_view unit;  ///< of the distance
};

/// Packet traces: source and destination address and port (SA, DA, SP, DP), protocol (PR), packet size (PS,
/// of the IP packet), arrival time (PAT), flow size (FS, packets with the same directed 5-tuple). Flow
/// records: SA, DA, SP, DP, PR, start time (TS), duration (TD), packets (PKT), bytes (BYT, of IP packets).
inline constexpr std::array<TraceField, 17> trace_fields = {{
    {"packet.SA", "packet", TraceDistance::rank_jsd, "nat"},
    {"packet.DA", "packet", TraceDistance::rank_jsd, "nat"},
    {"packet.SP", "packet", TraceDistance::jsd, "nat"},
    {"packet.DP", "packet", TraceDistance::jsd, "nat"},
    {"packet.PR", "packet", TraceDistance::jsd, "nat"},
    {"packet.PS", "packet", TraceDistance::emd, "bytes"},
    {"packet.PAT", "packet", TraceDistance::emd, "s"},
    {"packet.FS", "packet", TraceDistance::emd, "packets"},
    {"flow.SA", "flow", TraceDistance::rank_jsd, "nat"},
    {"flow.DA", "flow", TraceDistance::rank_jsd, "nat"},
    {"flow.SP", "flow", TraceDistance::jsd, "nat"},
    {"flow.DP", "flow", TraceDistance::jsd, "nat"},
    {"flow.PR", "flow", TraceDistance::jsd, "nat"},
    {"flow.TS", "flow", TraceDistance::emd, "s"},
    {"flow.TD", "flow", TraceDistance::emd, "s"},
    {"flow.PKT", "flow", TraceDistance::emd, "packets"},
    {"flow.BYT", "flow", TraceDistance::emd, "bytes"},
}};

/// Numbers for addresses, the same for all sets it is shown.
class AddressCodes {
  public:
    double code(const IpAddress& address);

  private:
    std::map<IpAddress, double> codes_;
};

/// A set of samples as records: one column a field, in trace_fields order. Equal values of long samples are
/// counted (FieldWriter).
struct TraceRecords {
    std::vector<Column> fields;
    std::size_t sessions = 0;
};

/// Of a sample with more packets than this so many neighbouring arrival times are put together, at their
/// mean, that no more are different: a distance moves by less than the longest of such groups lasts.
inline constexpr std::size_t most_arrival_times = 1 << 16;

/// Packets without an IP header are in no record. Ports are those of TCP and UDP packets whose ports were
/// captured; other packets and flows have none. Times count from the sample's first packet: a sample is a
/// trace of its own.
TraceRecords trace_records(const Samples& samples, AddressCodes& addresses);

}  // namespace tracebench
