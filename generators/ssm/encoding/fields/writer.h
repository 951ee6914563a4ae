#pragma once
/// The writing half of the codec: a trace becomes items that say only what is not expected.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/encoding/fields/draft.h"
#include "generators/ssm/encoding/fields/identities.h"
#include "traffic/flow_table.h"

namespace tracebench::ssm {

class FieldsWriter {
  public:
    /// `plans`: of each flow in the order in which they begin, as plans() of a first pass over the same
    /// packets gave them; empty in that pass, whose tokens say nothing of them that is true.
    FieldsWriter(const Vocabulary& vocabulary, Token label, std::vector<FlowPlan> plans);
    ~FieldsWriter();

    /// Packets in time order. Those that cannot be said are left out and counted.
    void add(const PacketView& packet);
    /// Label, packets, end.
    std::vector<Token> finish();

    const RecordedIdentities& identities() const { return identities_; }
    const std::vector<FlowPlan>& plans() const { return seen_; }
    std::uint64_t packets() const { return packets_; }
    std::uint64_t left_out() const { return left_out_; }

  private:
    bool write(const Record& record, std::uint64_t flow);
    void put(ItemHead head, std::span<const std::uint8_t> bytes = {});
    /// An item of a packet; false where apply() refuses it.
    bool say(Draft& draft, ItemHead head, std::span<const std::uint8_t> bytes = {});
    bool say_transport(Draft& draft, const Record& actual, const PacketIdentity& identity);
    bool say_options(Draft& draft, const Record& actual, const PacketIdentity& identity);
    bool say_network(Draft& draft, const Record& actual, const PacketIdentity& identity);
    bool say_payload(Draft& draft, const Record& actual, const PacketIdentity& identity);
    PacketIdentity identity_of(const Record& record, const Draft& draft) const;

    struct Place {
        int place = 0;
        std::uint64_t generation = 0;
        std::size_t flow = 0;  ///< index in plans_
    };

    const Vocabulary& vocabulary_;
    const Token label_;
    const std::vector<FlowPlan> plans_;
    std::vector<FlowPlan> seen_;  ///< of each flow what it was so far
    SessionBook book_;
    FlowTable table_;
    std::map<std::uint64_t, Place> places_;  ///< by FlowTable's number
    std::vector<Token> tokens_;
    RecordedIdentities identities_;
    std::uint64_t packets_ = 0, left_out_ = 0;
};

}  // namespace tracebench::ssm
