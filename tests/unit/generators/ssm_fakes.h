#pragma once
/// A sequence model and an encoding small enough to see through, for tests of what works with any.

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "generators/checked_json.h"
#include "generators/ssm/encoding/encoding.h"
#include "generators/ssm/sequence_model.h"
#include "support.h"

namespace tracebench::ssm::testing {

/// logits = (s A) E', where s = s / 2 + E[token] is carried along a row. Tied embedding E, matrix A; the
/// gradient does not go through the carried part of s.
class FakeModel : public SequenceModel {
  public:
    FakeModel(const ModelConfig& config, std::uint64_t seed)
        : config_(config),
          rows_(static_cast<std::size_t>(config.padded_vocabulary())),
          width_(static_cast<std::size_t>(config.d_model)) {
        Random random(seed);
        parameters_ = {{"backbone.embedding.weight", {config.padded_vocabulary(), config.d_model}, {}},
                       {"mixing", {config.d_model, config.d_model}, {}}};
        for (NamedTensor& tensor : parameters_)
            for (std::int64_t i = 0; i < tensor.size(); ++i)
                tensor.values.push_back(static_cast<float>(0.3 * random.normal()));
        for (const NamedTensor& tensor : parameters_) {
            gradients_.emplace_back(tensor.values.size());
            for (const char* moment : {"m.", "v."})
                moments_.push_back(
                    {moment + tensor.name, tensor.shape, std::vector<float>(tensor.values.size())});
        }
    }

    const ModelConfig& config() const override { return config_; }
    const ComputeOptions& compute() const override { return compute_; }
    std::vector<NamedTensor> parameters() const override { return parameters_; }
    void set_parameters(const std::vector<NamedTensor>& tensors, const std::string& name) override {
        for (NamedTensor& parameter : parameters_) {
            bool found = false;
            for (const NamedTensor& tensor : tensors) {
                if (tensor.name != parameter.name) continue;
                if (tensor.shape != parameter.shape)
                    throw InputError(name, tensor.name + " has another shape");
                parameter.values = tensor.values;
                found = true;
            }
            if (!found) throw InputError(name, "lacks " + parameter.name);
        }
    }

    Loss accumulate(const Batch& batch, double normaliser) override {
        ++calls;
        largest_call = std::max(largest_call, batch.rows * batch.length);
        return run(batch, train_state_, normaliser);
    }
    Loss evaluate(const Batch& batch) override { return run(batch, evaluation_state_, 0); }

    double optimize(const OptimizerStep& step) override {
        learning_rates.push_back(step.learning_rate);
        double square = 0;
        for (const auto& gradient : gradients_)
            for (const double value : gradient) square += value * value;
        double norm = std::sqrt(square);
        if (break_steps > 0) {
            --break_steps;
            norm = std::nan("");
        }
        if (std::isfinite(norm)) {
            ++steps_;
            const double scale = step.clip_norm > 0 && norm > step.clip_norm ? step.clip_norm / norm : 1;
            for (std::size_t t = 0; t < parameters_.size(); ++t) adam(step, t, scale);
        }
        for (auto& gradient : gradients_) std::fill(gradient.begin(), gradient.end(), 0.0);
        return norm;
    }

    std::vector<NamedTensor> training_state() const override {
        std::vector<NamedTensor> state = moments_;
        state.push_back({"steps", {1}, {static_cast<float>(steps_)}});
        for (std::size_t row = 0; row < train_state_.size(); ++row)
            state.push_back({"row." + std::to_string(row), {config_.d_model}, train_state_[row]});
        return state;
    }
    void set_training_state(const std::vector<NamedTensor>& tensors, const std::string&) override {
        moments_.assign(tensors.begin(), tensors.begin() + static_cast<std::ptrdiff_t>(moments_.size()));
        steps_ = static_cast<int>(tensors.at(moments_.size()).values.at(0));
        train_state_.clear();
        for (std::size_t i = moments_.size() + 1; i < tensors.size(); ++i)
            train_state_.push_back(tensors[i].values);
    }

    std::unique_ptr<StepDecoder> decoder(std::int64_t rows) override {
        return std::make_unique<Decoder>(*this, static_cast<std::size_t>(rows));
    }

    int break_steps = 0;  ///< the next gradients are not finite
    int calls = 0;
    std::int64_t largest_call = 0;
    std::vector<double> learning_rates;

  private:
    using State = std::vector<float>;

    void advance(State& state, Token token) const {
        const float* row = &parameters_[0].values[static_cast<std::size_t>(token) * width_];
        for (std::size_t i = 0; i < width_; ++i) state[i] = state[i] / 2 + row[i];
    }
    std::vector<double> logits(const State& state, std::vector<double>* hidden = nullptr) const {
        std::vector<double> h(width_), out(static_cast<std::size_t>(config_.vocab_size));
        for (std::size_t i = 0; i < width_; ++i)
            for (std::size_t j = 0; j < width_; ++j)
                h[j] += static_cast<double>(state[i]) *
                        static_cast<double>(parameters_[1].values[i * width_ + j]);
        for (std::size_t v = 0; v < out.size(); ++v)
            for (std::size_t j = 0; j < width_; ++j)
                out[v] += h[j] * static_cast<double>(parameters_[0].values[v * width_ + j]);
        if (hidden != nullptr) *hidden = h;
        return out;
    }

    Loss run(const Batch& batch, std::vector<State>& states, double normaliser) {
        states.resize(static_cast<std::size_t>(batch.rows), State(width_));
        Loss loss;
        for (std::size_t row = 0; row < states.size(); ++row) {
            if (batch.continues.empty() || !batch.continues[row]) states[row].assign(width_, 0);
            for (std::size_t t = 0; t < static_cast<std::size_t>(batch.length); ++t) {
                const std::size_t at = row * static_cast<std::size_t>(batch.length) + t;
                advance(states[row], batch.inputs[at]);
                if (batch.targets[at] < 0) continue;
                ++loss.targets;
                loss.nats += learn(states[row], batch.inputs[at], batch.targets[at], normaliser);
            }
        }
        return loss;
    }

    double learn(const State& state, Token input, Token target, double normaliser) {
        std::vector<double> hidden, p = logits(state, &hidden);
        const double most = *std::max_element(p.begin(), p.end());
        double sum = 0;
        for (double& value : p) sum += value = std::exp(value - most);
        for (double& value : p) value /= sum;
        const double nats = -std::log(p[static_cast<std::size_t>(target)]);
        if (normaliser == 0) return nats;
        p[static_cast<std::size_t>(target)] -= 1;
        std::vector<double> back(width_);
        for (std::size_t v = 0; v < p.size(); ++v)
            for (std::size_t j = 0; j < width_; ++j) {
                gradients_[0][v * width_ + j] += p[v] * hidden[j] / normaliser;
                back[j] += p[v] * static_cast<double>(parameters_[0].values[v * width_ + j]) / normaliser;
            }
        for (std::size_t i = 0; i < width_; ++i)
            for (std::size_t j = 0; j < width_; ++j) {
                gradients_[1][i * width_ + j] += static_cast<double>(state[i]) * back[j];
                gradients_[0][static_cast<std::size_t>(input) * width_ + i] +=
                    back[j] * static_cast<double>(parameters_[1].values[i * width_ + j]);
            }
        return nats;
    }

    void adam(const OptimizerStep& step, std::size_t t, double scale) {
        std::vector<float>&m = moments_[2 * t].values, &v = moments_[2 * t + 1].values;
        for (std::size_t i = 0; i < m.size(); ++i) {
            const double g = gradients_[t][i] * scale;
            m[i] = static_cast<float>(step.beta1 * static_cast<double>(m[i]) + (1 - step.beta1) * g);
            v[i] = static_cast<float>(step.beta2 * static_cast<double>(v[i]) + (1 - step.beta2) * g * g);
            const double a = static_cast<double>(m[i]) / (1 - std::pow(step.beta1, steps_));
            const double b = static_cast<double>(v[i]) / (1 - std::pow(step.beta2, steps_));
            parameters_[t].values[i] -=
                static_cast<float>(step.learning_rate * a / (std::sqrt(b) + step.epsilon));
        }
    }

    class Decoder : public StepDecoder {
      public:
        Decoder(const FakeModel& model, std::size_t rows)
            : model_(model), states_(rows, State(model.width_)) {}
        std::int64_t rows() const override { return static_cast<std::int64_t>(states_.size()); }
        void step(std::span<const Token> tokens, std::span<float> out) override {
            for (std::size_t row = 0; row < states_.size(); ++row) {
                if (tokens[row] < 0) continue;
                model_.advance(states_[row], tokens[row]);
                const std::vector<double> values = model_.logits(states_[row]);
                std::copy(values.begin(), values.end(),
                          out.begin() + static_cast<std::ptrdiff_t>(row * values.size()));
            }
        }
        void reset(std::int64_t row) override {
            states_[static_cast<std::size_t>(row)].assign(model_.width_, 0);
        }

      private:
        const FakeModel& model_;
        std::vector<State> states_;
    };

    ModelConfig config_;
    ComputeOptions compute_;
    std::size_t rows_, width_;
    std::vector<NamedTensor> parameters_, moments_;
    std::vector<std::vector<double>> gradients_;
    std::vector<State> train_state_, evaluation_state_;
    int steps_ = 0;
};

/// Packets of two tokens: how long after the last one (4 ids), how much payload (8 ids). Under constraints
/// payload 7 is not allowed. Ids: 0 end, 1-4 gap, 5-12 payload, then labels.
class FakeEncoding : public Encoding {
  public:
    static constexpr Token gap0 = 1, payload0 = 5, label0 = 13;

    explicit FakeEncoding(std::vector<std::string> labels) : labels_(std::move(labels)) {}

    std::string name() const override { return "fake"; }
    std::size_t vocabulary_size() const override { return static_cast<std::size_t>(label0) + labels_.size(); }
    std::vector<std::string> labels() const override {
        std::vector<std::string> sorted = labels_;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }
    Token label_token(const std::string& label) const override {
        const auto found = std::find(labels_.begin(), labels_.end(), label);
        if (found == labels_.end()) throw InputError("encoding", "has no label '" + label + "'");
        return label0 + static_cast<Token>(found - labels_.begin());
    }
    Token end_token() const override { return 0; }
    std::vector<Token> encode(const std::string& label, const Trace& trace,
                              EncodeReport& report) const override {
        std::vector<Token> tokens = {label_token(label)};
        std::int64_t last = 0;
        for (const PacketView& packet : trace.packets) {
            const std::int64_t gap = (packet.time_ns - (last == 0 ? packet.time_ns : last)) / millisecond;
            last = packet.time_ns;
            tokens.push_back(gap0 + static_cast<Token>(std::min<std::int64_t>(gap, 3)));
            tokens.push_back(payload0 + static_cast<Token>(packet.original_length % 8));
            ++report.packets;
        }
        tokens.push_back(end_token());
        report.tokens += tokens.size();
        return tokens;
    }
    std::unique_ptr<TraceDecoder> decoder(const DecodeOptions& options) const override {
        label_token(options.label);
        return std::make_unique<Decoder>(options.constrained);
    }
    void add_labels(const std::vector<std::string>& labels) override {
        for (const std::string& label : labels)
            if (std::find(labels_.begin(), labels_.end(), label) == labels_.end()) labels_.push_back(label);
    }
    void save(const std::filesystem::path& folder) const override {
        write_file(folder / "tokenizer.json", nlohmann::json(labels_).dump());
    }
    static std::unique_ptr<Encoding> load(const std::filesystem::path& folder) {
        return std::make_unique<FakeEncoding>(
            parse_json_file(folder / "tokenizer.json", 1 << 20).get<std::vector<std::string>>());
    }

  private:
    static constexpr std::int64_t millisecond = 1'000'000;

    class Decoder : public TraceDecoder {
      public:
        explicit Decoder(bool constrained) : constrained_(constrained) {}
        bool allowed(Token token) override {
            if (in_packet_)
                return token >= payload0 && token < label0 && !(constrained_ && token == payload0 + 7);
            return token >= 0 && token < payload0;
        }
        std::optional<Token> forced() override { return std::nullopt; }
        void accept(Token token) override {
            if (!allowed(token)) throw std::logic_error("not allowed");
            if (!in_packet_ && token == 0) {
                ended_ = true;
            } else if (!in_packet_) {
                time_ns_ += (token - gap0) * millisecond;
                in_packet_ = true;
            } else {
                DecodedPacket packet;
                packet.time_ns = time_ns_;
                packet.bytes.assign(60 + static_cast<std::size_t>(token - payload0), 0xEE);
                packet.original_length = static_cast<std::uint32_t>(packet.bytes.size());
                pending_ = packet;
                ++packets_;
                in_packet_ = false;
            }
        }
        bool ended() const override { return ended_; }
        std::optional<DecodedPacket> next_packet() override { return std::exchange(pending_, std::nullopt); }
        std::uint64_t packets() const override { return packets_; }
        double seconds() const override { return static_cast<double>(time_ns_) * 1e-9; }

      private:
        const bool constrained_;
        bool in_packet_ = false, ended_ = false;
        std::int64_t time_ns_ = 0;
        std::uint64_t packets_ = 0;
        std::optional<DecodedPacket> pending_;
    };

    std::vector<std::string> labels_;
};

inline ModelConfig fake_config(std::int64_t vocabulary, std::int64_t width = 16) {
    ModelConfig config;
    config.d_model = width;
    config.n_layer = 1;
    config.headdim = 16;
    config.vocab_size = vocabulary;
    return config;
}

}  // namespace tracebench::ssm::testing
