#include "traffic/tcp_timestamps.h"

#include "traffic/bytes.h"
#include "traffic/rules/tcp_options.h"

namespace tracebench {
namespace {

struct Timestamps {
    std::uint32_t value = 0, echo = 0;
};

std::optional<Timestamps> timestamps_of(const Headers& headers) {
    if (!headers.transport_complete) return std::nullopt;
    const std::uint8_t* const tcp = headers.tcp();
    TcpOptions options(tcp + 20, (tcp[12] >> 4) * 4U - 20);
    while (options.next())
        if (options.kind() == tcp_option::timestamps && options.length() == 10)
            return Timestamps{load32(options.value()), load32(options.value() + 4)};
    return std::nullopt;
}

/// RFC 7323 section 5.2: comparison modulo 2^32.
bool newer(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace

void TimestampRtt::add(unsigned direction, const Headers& headers, const TcpSegment& segment) {
    const auto timestamps = timestamps_of(headers);
    if (!timestamps) return;
    Side& to = sides_[1 - direction];
    const bool acknowledges = (segment.flags & tcp_flag::ack) != 0;
    if (acknowledges && to.followed && !newer(to.value, timestamps->echo)) {
        if (timestamps->echo == to.value && segment.time_ns >= to.sent_ns) {
            to.sum_ns += static_cast<double>(segment.time_ns - to.sent_ns);
            ++to.count;
        }
        to.followed = false;
    }
    Side& from = sides_[direction];
    const bool fresh = !from.seen || newer(timestamps->value, from.newest);
    if (fresh) from.newest = timestamps->value;
    from.seen = true;
    const bool occupies = segment.length > 0 || (segment.flags & (tcp_flag::syn | tcp_flag::fin)) != 0;
    if (!fresh || !occupies || from.followed) return;
    from.followed = true;
    from.value = timestamps->value;
    from.sent_ns = segment.time_ns;
}

std::optional<double> TimestampRtt::mean_ms(unsigned direction) const {
    const Side& side = sides_[direction];
    if (side.count == 0) return std::nullopt;
    return side.sum_ns / static_cast<double>(side.count) * 1e-6;
}

std::optional<double> TimestampRtt::mean_ms() const {
    const auto there = mean_ms(0), back = mean_ms(1);
    if (!there || !back) return std::nullopt;
    return *there + *back;
}

}  // namespace tracebench
