#include "generators/ssm/kernels/decode_state.h"

namespace tracebench::ssm::decode {

State::State(const Layout& layout, std::int64_t layers, std::int64_t rows, bool half)
    : count(static_cast<std::size_t>(rows)),
      history_size_(static_cast<std::size_t>(layout.d_conv * layout.channels())),
      ring_x_size_(static_cast<std::size_t>(kKept * layout.inner())),
      ring_b_size_(static_cast<std::size_t>(kKept * layout.groups * layout.state())),
      heads_(static_cast<std::size_t>(layout.heads)),
      base_size_(static_cast<std::size_t>(layout.inner() * layout.d_state)) {
    const std::size_t places = static_cast<std::size_t>(layers) * count.size();
    history_ = AlignedArray<float>(places * history_size_);
    ring_x_ = AlignedArray<float>(places * ring_x_size_);
    ring_b_ = AlignedArray<float>(places * ring_b_size_);
    rings_.resize(places * heads_);
    if (half) {
        half_ = AlignedArray<Half>(places * base_size_);
    } else {
        single_ = AlignedArray<float>(places * base_size_);
    }
}

}  // namespace tracebench::ssm::decode
