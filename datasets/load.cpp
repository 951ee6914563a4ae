#include <algorithm>
#include <map>

#include "datasets/dataset.h"
#include "traffic/capture_reader.h"
#include "traffic/flow_key.h"

namespace tracebench {
namespace {

struct Loaded {
    Trace trace;
    std::size_t limit = 0;
    void add(const PacketView& packet) {
        if (limit == 0 || trace.packets.size() < limit) trace.packets.push_back(packet);
    }
};

/// The wanted samples of one capture, in one pass. `whole` takes every packet, `flows` those of a 5-tuple.
void read_capture(const std::filesystem::path& file, std::vector<Loaded*>& whole,
                  std::map<std::string, std::vector<Loaded*>>& flows) {
    CaptureReader reader(file);
    if (!whole.empty()) {
        const std::size_t expected = packets_to_expect(file);
        for (Loaded* loaded : whole)
            loaded->trace.packets.reserve(loaded->limit == 0 ? expected : std::min(expected, loaded->limit));
    }
    std::map<FlowKey, std::vector<Loaded*>*> known;  // spares a text key a packet
    PacketView packet;
    while (reader.next(packet)) {
        for (Loaded* loaded : whole) loaded->add(packet);
        if (flows.empty()) continue;
        PacketFlow flow = flow_of(dissect(packet));
        if (!flow.ok) continue;
        flow.key.vlan = Headers::no_vlan;
        auto [entry, is_new] = known.try_emplace(flow.key, nullptr);
        if (is_new) {
            const auto found = flows.find(flow.key.flow_id());
            if (found != flows.end()) entry->second = &found->second;
        }
        if (entry->second == nullptr) continue;
        for (Loaded* loaded : *entry->second) loaded->add(packet);
    }
    const auto finish = [&](Loaded* loaded) {
        loaded->trace.keep(reader.storage());
        loaded->trace.sort_by_time();
    };
    for (Loaded* loaded : whole) finish(loaded);
    for (auto& [id, group] : flows)
        for (Loaded* loaded : group) finish(loaded);
}

}  // namespace

std::vector<LabelledTrace> load_samples(const Dataset& dataset, const std::vector<std::size_t>& indices) {
    std::vector<Loaded> loaded(indices.size());
    std::map<std::filesystem::path, std::vector<std::size_t>> by_file;  // file -> positions in `indices`
    for (std::size_t i = 0; i < indices.size(); ++i) by_file[dataset.samples[indices[i]].file].push_back(i);
    for (const auto& [file, positions] : by_file) {
        std::vector<Loaded*> whole;
        std::map<std::string, std::vector<Loaded*>> flows;
        for (const std::size_t i : positions) {
            const Sample& sample = dataset.samples[indices[i]];
            loaded[i].limit = sample.max_packets;
            if (sample.flow_id.empty()) whole.push_back(&loaded[i]);
            else flows[sample.flow_id].push_back(&loaded[i]);
        }
        read_capture(file, whole, flows);
    }
    std::vector<LabelledTrace> samples(indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const Sample& sample = dataset.samples[indices[i]];
        samples[i] = {sample.id, sample.label, std::move(loaded[i].trace)};
    }
    return samples;
}

Trace load_sample(const Sample& sample) {
    Dataset one;
    one.samples.push_back(sample);
    return std::move(load_samples(one, {0}).front().trace);
}

}  // namespace tracebench
