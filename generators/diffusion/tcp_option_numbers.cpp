#include "generators/diffusion/tcp_option_numbers.h"

#include <array>

#include "generators/diffusion/counters.h"
#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench::diffusion {
namespace {

/// Option bytes from the first on, as far as all bits of each are present.
struct OptionBytes {
    std::array<std::uint8_t, 40> bytes{};
    std::uint32_t size = 0;

    explicit OptionBytes(BitsView row) {
        for (; size < bytes.size(); ++size) {
            const auto first = static_cast<std::uint16_t>(field::tcp_options + 8 * size);
            if (count_present(row, first, 8) < 8) return;
            bytes[size] = static_cast<std::uint8_t>(get(row, {first, 8}));
        }
    }
    void store(Bits row) const {
        for (std::uint32_t i = 0; i < size; ++i)
            put(row, {static_cast<std::uint16_t>(field::tcp_options + 8 * i), 8}, bytes[i]);
    }
    std::uint8_t* value(const TcpOptions& option) { return bytes.data() + option.offset() + 2; }
};

/// Calls `sack(value, blocks)` and `timestamps(value)` on the options of the row, then writes them back.
template <typename Sack, typename Timestamps>
void change_options(Bits row, Sack sack, Timestamps timestamps) {
    OptionBytes options(row);
    TcpOptions walk(options.bytes.data(), options.size);
    while (walk.next()) {
        if (walk.kind() == tcp_option::sack) sack(options.value(walk), (walk.length() - 2) / 8);
        if (walk.kind() == tcp_option::timestamps && walk.length() == 10) timestamps(options.value(walk));
    }
    options.store(row);
}

}  // namespace

void relate_options(Bits row) {
    const std::uint32_t acknowledgement = get(row, field::acknowledgement);
    const auto sack = [&](std::uint8_t* value, std::uint32_t blocks) {
        for (; blocks > 0; --blocks, value += 8) {
            const std::uint32_t left = load32(value), right = load32(value + 4);
            store32(value, fold(left - acknowledgement));
            store32(value + 4, fold(right - left));
        }
    };
    const auto timestamps = [](std::uint8_t* value) {
        store32(value, 0);
        store32(value + 4, 0);
    };
    change_options(row, sack, timestamps);
}

void restore_options(Bits row, std::uint32_t acknowledgement, const OptionNumbers& numbers) {
    const auto sack = [&](std::uint8_t* value, std::uint32_t blocks) {
        for (; blocks > 0; --blocks, value += 8) {
            const std::uint32_t left = acknowledgement + unfold(load32(value));
            store32(value + 4, left + unfold(load32(value + 4)));
            store32(value, left);
        }
    };
    const auto timestamps = [&](std::uint8_t* value) {
        store32(value, numbers.timestamp);
        store32(value + 4, numbers.echo);
    };
    change_options(row, sack, timestamps);
}

bool has_timestamps(BitsView row) {
    OptionBytes options(row);
    TcpOptions walk(options.bytes.data(), options.size);
    while (walk.next())
        if (walk.kind() == tcp_option::timestamps && walk.length() == 10) return true;
    return false;
}

}  // namespace tracebench::diffusion
