// pcapng files: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/error.h"
#include "traffic/capture_source.h"

namespace tracebench::capture {
namespace {

namespace block {
constexpr std::uint32_t interface = 1, obsolete_packet = 2, simple_packet = 3, enhanced_packet = 6,
                        section = 0x0A0D0D0A;
}
constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::uint32_t min_block_bytes = 12;
constexpr std::uint32_t max_block_bytes = 16 << 20;  // as Wireshark

constexpr std::uint64_t power_of_ten(unsigned exponent) {
    std::uint64_t value = 1;
    for (; exponent > 0; --exponent) value *= 10;
    return value;
}

/// The clock of an interface: options if_tsresol and if_tsoffset.
class Clock {
  public:
    void set_resolution(std::uint8_t value) {
        binary_ = (value & 0x80) != 0;
        exponent_ = value & 0x7F;
    }
    void set_offset(std::int64_t seconds) { offset_s_ = seconds; }

    std::int64_t nanoseconds(std::uint64_t ticks) const {
        std::uint64_t seconds = 0, fraction_ns = 0;
        if (binary_) {
            // 34 bits of the fraction are finer than a nanosecond and leave room for the factor.
            const auto shift = [](std::uint64_t v, unsigned by) { return by < 64 ? v >> by : 0; };
            seconds = shift(ticks, exponent_);
            std::uint64_t fraction = exponent_ == 0 ? 0 : exponent_ < 64 ? ticks << (64 - exponent_) : ticks;
            if (exponent_ > 64) fraction = shift(fraction, exponent_ - 64);
            fraction_ns = ((fraction >> 30) * 1'000'000'000) >> 34;
        } else if (exponent_ <= 9) {
            const std::uint64_t per_second = power_of_ten(exponent_);
            seconds = ticks / per_second;
            fraction_ns = ticks % per_second * power_of_ten(9 - exponent_);
        } else {
            const std::uint64_t all_ns = exponent_ - 9 <= 19 ? ticks / power_of_ten(exponent_ - 9) : 0;
            seconds = all_ns / 1'000'000'000;
            fraction_ns = all_ns % 1'000'000'000;
        }
        std::int64_t whole = 0, result = 0;
        if (seconds > std::numeric_limits<std::int64_t>::max() ||
            __builtin_add_overflow(static_cast<std::int64_t>(seconds), offset_s_, &whole) ||
            __builtin_mul_overflow(whole, std::int64_t{1'000'000'000}, &result) ||
            __builtin_add_overflow(result, static_cast<std::int64_t>(fraction_ns), &result))
            return std::numeric_limits<std::int64_t>::max();  // past the year 2262: not a time
        return result;
    }

  private:
    bool binary_ = false;
    unsigned exponent_ = 6;
    std::int64_t offset_s_ = 0;
};

struct Interface {
    std::uint16_t link = 0;
    std::uint32_t snap_length = 0;  ///< 0: no limit
    Clock clock;
};

class Pcapng : public Format {
  public:
    explicit Pcapng(Bytes file) : file_(file) {}

    bool next(PacketView& packet) override {
        for (;;) {
            Block found;
            if (!next_block(found)) return false;
            bool is_packet = false;
            switch (found.type) {
                case block::section:
                    if (!read_section(found)) return false;
                    break;
                case block::interface:
                    if (!read_interface(found)) return false;
                    break;
                case block::enhanced_packet:
                case block::obsolete_packet:
                    if (!read_packet(found, packet)) return false;
                    is_packet = true;
                    break;
                case block::simple_packet:
                    if (!read_simple_packet(found, packet)) return false;
                    is_packet = true;
                    break;
                default:
                    break;  // statistics, name resolution, secrets, custom blocks
            }
            position = found.end;
            if (!is_packet) continue;
            prefetch(file_, position);
            return true;
        }
    }

  private:
    struct Block {
        std::uint32_t type = 0;
        std::uint64_t start = 0, end = 0;
        Bytes body;  ///< between the two lengths
    };

    bool next_block(Block& found) {
        const std::uint64_t left = file_.size() - position;
        if (left == 0) return false;
        if (left < min_block_bytes)
            return broken(position, fmt::format("a block has at least 12 bytes, {} are left", left));
        const std::uint8_t* const start = file_.data() + position;
        found.start = position;
        found.type = order_.u32(start);
        if (found.type == block::section && !read_byte_order(start + 8)) return false;
        const std::uint32_t length = order_.u32(start + 4);
        const std::uint64_t padded = (std::uint64_t{length} + 3) / 4 * 4;
        if (length < min_block_bytes || length > max_block_bytes || padded > left)
            return broken(position, fmt::format("a block claims {} bytes, {} are left", length, left));
        if (const std::uint32_t again = order_.u32(start + padded - 4); again != length)
            return broken(position, fmt::format("a block's two lengths differ: {} and {}", length, again));
        found.body = {start + 8, padded - min_block_bytes};
        found.end = position + padded;
        return true;
    }

    bool read_byte_order(const std::uint8_t* magic) {
        for (const bool swapped : {false, true})
            if (Order{swapped}.u32(magic) == byte_order_magic) {
                order_ = Order{swapped};
                return true;
            }
        return broken(position, "a section begins without a byte-order mark");
    }

    bool read_section(const Block& found) {
        interfaces_.clear();
        if (found.body.size() < 16) return broken(found.start, "a section header is too short");
        if (const std::uint16_t major = order_.u16(&found.body[4]); major != 1)
            return broken(found.start, fmt::format("a section has version {}, 1 was expected", major));
        return true;
    }

    bool read_interface(const Block& found) {
        if (found.body.size() < 8) return broken(found.start, "an interface description is too short");
        Interface added;
        added.link = order_.u16(&found.body[0]);
        added.snap_length = order_.u32(&found.body[4]);
        for (Bytes options = found.body.subspan(8); options.size() >= 4;) {
            const std::uint16_t code = order_.u16(&options[0]), length = order_.u16(&options[2]);
            if (code == 0 || length > options.size() - 4) break;
            if (code == 9 && length == 1) added.clock.set_resolution(options[4]);
            if (code == 14 && length == 8)
                added.clock.set_offset(static_cast<std::int64_t>(order_.u64(&options[4])));
            options = options.subspan(std::min<std::size_t>(options.size(), 4 + (length + 3) / 4 * 4));
        }
        interfaces_.push_back(added);
        return true;
    }

    bool read_packet(const Block& found, PacketView& packet) {
        if (found.body.size() < 20) return broken(found.start, "a packet block is too short");
        const std::uint8_t* const p = found.body.data();
        const std::uint32_t number = found.type == block::enhanced_packet ? order_.u32(p) : order_.u16(p);
        if (number >= interfaces_.size())
            return broken(found.start,
                          fmt::format("a packet names interface {} of {}", number, interfaces_.size()));
        const std::uint32_t captured = order_.u32(p + 12);
        if (captured > max_frame_bytes || captured > found.body.size() - 20)
            return broken(found.start, fmt::format("a packet claims {} bytes, its block holds {}", captured,
                                                   found.body.size() - 20));
        const Interface& from = interfaces_[number];
        packet.time_ns = from.clock.nanoseconds(std::uint64_t{order_.u32(p + 4)} << 32 | order_.u32(p + 8));
        packet.original_length = order_.u32(p + 16);
        packet.link = from.link;
        packet.bytes = found.body.subspan(20, captured);
        return true;
    }

    /// Simple packets have no time: 0 stands for it.
    bool read_simple_packet(const Block& found, PacketView& packet) {
        if (found.body.size() < 4) return broken(found.start, "a packet block is too short");
        if (interfaces_.empty()) return broken(found.start, "a packet comes before any interface");
        const Interface& from = interfaces_.front();
        packet.time_ns = 0;
        packet.original_length = order_.u32(found.body.data());
        packet.link = from.link;
        std::uint64_t captured = packet.original_length;
        if (from.snap_length > 0) captured = std::min<std::uint64_t>(captured, from.snap_length);
        if (captured > max_frame_bytes || captured > found.body.size() - 4)
            return broken(found.start, fmt::format("a packet claims {} bytes, its block holds {}", captured,
                                                   found.body.size() - 4));
        packet.bytes = found.body.subspan(4, captured);
        return true;
    }

    Bytes file_;
    Order order_;
    std::vector<Interface> interfaces_;
};

}  // namespace

std::unique_ptr<Format> open_pcapng(Bytes file, const std::string& name) {
    if (file.size() < 4 || Order{}.u32(file.data()) != block::section) return nullptr;
    if (file.size() < 28)
        throw InputError(name, fmt::format("ends within the pcapng section header, at byte {}", file.size()),
                         "capture or copy the file again");
    if (const std::uint32_t magic = Order{}.u32(&file[8]);
        magic != byte_order_magic && __builtin_bswap32(magic) != byte_order_magic)
        return nullptr;
    return std::make_unique<Pcapng>(file);
}

}  // namespace tracebench::capture
