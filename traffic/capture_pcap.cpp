// pcap files: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "traffic/capture_source.h"

namespace tracebench::capture {
namespace {

constexpr std::size_t file_header_bytes = 24;
constexpr std::uint32_t magic_micro = 0xA1B2C3D4, magic_nano = 0xA1B23C4D;
/// Alexey Kuznetzov's patched libpcap of the 1990s: records have eight more header bytes.
constexpr std::uint32_t magic_modified = 0xA1B2CD34;

class Pcap : public Format {
  public:
    Pcap(Bytes file, Order order, std::uint32_t magic) : file_(file), order_(order) {
        position = file_header_bytes;
        fraction_ns_ = magic == magic_nano ? 1 : 1000;
        record_header_bytes_ = magic == magic_modified ? 24 : 16;
        const std::uint16_t major = order.u16(&file[4]), minor = order.u16(&file[6]);
        // Before format 2.3 the two lengths stood the other way round; 2.3 was written both ways.
        swap_lengths_ = (major == 2 && minor < 3) || major == 543;
        swap_if_longer_ = major == 2 && minor == 3;
        const std::uint32_t link = order.u32(&file[20]) & 0x03FFFFFF;  // above it: length of the FCS
        link_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(link, 0xFFFF));
    }

    bool next(PacketView& packet) override {
        const std::uint64_t left = file_.size() - position;
        if (left < record_header_bytes_) {
            if (left == 0) return false;
            return broken(position, fmt::format("a record header has {} bytes, {} are left",
                                                record_header_bytes_, left));
        }
        const std::uint8_t* const header = file_.data() + position;
        std::uint32_t captured = order_.u32(header + 8), original = order_.u32(header + 12);
        if (swap_lengths_ || (swap_if_longer_ && captured > original)) std::swap(captured, original);
        if (captured > max_frame_bytes || captured > left - record_header_bytes_)
            return broken(position, fmt::format("a record claims {} bytes, {} are left", captured,
                                                left - record_header_bytes_));
        packet.time_ns = static_cast<std::int64_t>(order_.u32(header)) * 1'000'000'000 +
                         static_cast<std::int64_t>(order_.u32(header + 4)) * fraction_ns_;
        packet.original_length = original;
        packet.link = link_;
        packet.bytes = {header + record_header_bytes_, captured};
        position += record_header_bytes_ + captured;
        prefetch(file_, position);
        return true;
    }

  private:
    Bytes file_;
    Order order_;
    std::int64_t fraction_ns_;
    std::uint32_t record_header_bytes_;
    bool swap_lengths_, swap_if_longer_;
    std::uint16_t link_;
};

}  // namespace

std::unique_ptr<Format> open_pcap(Bytes file, const std::string& name) {
    if (file.size() < 4) return nullptr;
    for (const bool swapped : {false, true}) {
        const Order order{swapped};
        const std::uint32_t magic = order.u32(file.data());
        if (magic != magic_micro && magic != magic_nano && magic != magic_modified) continue;
        if (file.size() < file_header_bytes)
            throw InputError(name, fmt::format("ends within the pcap file header, at byte {}", file.size()),
                             "capture or copy the file again");
        return std::make_unique<Pcap>(file, order, magic);
    }
    return nullptr;
}

}  // namespace tracebench::capture
