#include "generators/baseline/marginal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "generators/fresh_identifiers.h"
#include "traffic/rules/repair.h"

namespace tracebench {
namespace {

constexpr const char* model_file = "marginals.json";
constexpr std::uint64_t max_model_bytes = std::uint64_t{1} << 30;
// What no real session reaches and a damaged model must not pass.
constexpr std::size_t max_session_bytes = std::size_t{1} << 30;
constexpr std::int64_t max_session_ns = std::int64_t{1} << 57;  // 4.6 years

/// Nobody's addresses in place of the training samples', one for one within a session: who talks to whom
/// stays as it was drawn.
void replace_addresses(PacketFields& fields, FreshAddresses& hosts) {
    for (Endpoint* end : {&fields.src, &fields.dst}) end->address = hosts.replace(end->address);
    for (MacAddress* mac : {&fields.src_mac, &fields.dst_mac}) *mac = hosts.replace(*mac);
}

Trace draw_session(FieldMarginals& model, std::size_t max_packets, bool constrained, Random& random,
                   FreshAddresses& hosts) {
    std::size_t packets = std::max<std::size_t>(1, model.draw_packet_count(random));
    if (max_packets != 0) packets = std::min(packets, max_packets);
    const std::int64_t start_ns = random_start_ns(random);
    std::int64_t time_ns = start_ns;
    Trace session;
    RepairReport repaired;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < packets && bytes < max_session_bytes; ++i) {
        if (i > 0) time_ns += static_cast<std::int64_t>(model.draw_gap_ns(random));
        time_ns = std::min(time_ns, start_ns + max_session_ns);
        MutablePacket packet;
        PacketFields fields = model.draw_packet(random);
        replace_addresses(fields, hosts);
        packet.bytes = build_packet(fields);
        packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
        packet.time_ns = time_ns;
        if (constrained) repair_packet(packet, repaired);
        if (model.snap_length() != 0 && packet.bytes.size() > model.snap_length())
            packet.bytes.resize(model.snap_length());
        session.append(time_ns, packet.bytes, packet.original_length);
        bytes += packet.bytes.size();
    }
    return session;
}

}  // namespace

std::unique_ptr<Generator> MarginalGenerator::make(const CheckedJson& settings) {
    settings.allow_only({});
    return std::make_unique<MarginalGenerator>();
}

void MarginalGenerator::fit(const Samples& samples, const FitContext& context) {
    models_.clear();
    for (const LabelledTrace& sample : samples) {
        context.listener().check_interrupted();
        models_[sample.label].add(sample.trace);
    }
    std::erase_if(models_, [](const auto& entry) { return entry.second.empty(); });
    if (models_.empty())
        throw InputError("generator 'marginal'", "has no TCP, UDP or ICMP packets to learn from",
                         "give it training samples");
}

void MarginalGenerator::sample(const SampleRequest& request, Progress& progress, const Sink& sink) {
    require_label(*this, request.label);
    FieldMarginals& model = models_.at(request.label);
    const std::uint64_t seed = stream_seed(request.seed, "marginal/" + request.label);
    for (std::size_t i = 0; i < request.count; ++i) {
        progress.check_interrupted();
        Random random(stream_seed(seed, fmt::format("session/{}", i)));
        // From a stream of its own, so that fields are drawn the same whatever the addresses.
        Random identities(stream_seed(seed, fmt::format("identities/{}", i)));
        FreshAddresses hosts(identities);
        sink(draw_session(model, request.max_packets, request.constrained, random, hosts));
        progress.update(static_cast<double>(i + 1), static_cast<double>(request.count), "samples");
    }
}

void MarginalGenerator::save(const std::filesystem::path& folder) const {
    nlohmann::json models = nlohmann::json::array();
    for (const auto& [label, model] : models_) {
        nlohmann::json entry = model.to_json();
        entry["label_hex"] = to_hex(label);  // labels may be any bytes, JSON strings only UTF-8
        models.push_back(std::move(entry));
    }
    write_file(folder / model_file, models.dump());
}

void MarginalGenerator::load(const std::filesystem::path& folder) {
    models_.clear();
    const std::filesystem::path path = folder / model_file;
    const nlohmann::json json = parse_json_file(path, max_model_bytes);
    for (const CheckedJson& entry : CheckedJson(json, path.string()).items(100'000))
        models_.insert_or_assign(entry.at("label_hex").hex(4096), FieldMarginals::from_json(entry));
    if (models_.empty()) throw InputError(path.string(), "holds no label", "train the model again");
}

nlohmann::json MarginalGenerator::describe() const {
    nlohmann::json per_label = nlohmann::json::object();
    for (const auto& [label, model] : models_)
        per_label[printable(label)] = {{"sessions", model.field(FieldMarginals::session_packets).total()},
                                       {"packets", model.field(FieldMarginals::ip_version).total()}};
    return {{"kind", kind()},
            {"what", "every header field drawn independently of all others"},
            {"labels", per_label}};
}

std::vector<std::string> MarginalGenerator::labels() const {
    std::vector<std::string> names;
    for (const auto& [label, model] : models_) names.push_back(label);
    return names;
}

}  // namespace tracebench
