#pragma once
/// Walks TCP options (RFC 9293 section 3.1) without trusting their lengths.
///
///     TcpOptions options(header, length);
///     while (options.next()) if (options.kind() == tcp_option::mss) ...
///     if (options.malformed()) ...

#include <cstdint>

namespace tracebench {

/// IANA TCP option kinds.
namespace tcp_option {
inline constexpr std::uint8_t end = 0, nop = 1, mss = 2, window_scale = 3, sack_permitted = 4, sack = 5,
                              timestamps = 8, md5 = 19, user_timeout = 28, authentication = 29,
                              multipath = 30, fast_open = 34, experiment_1 = 253, experiment_2 = 254;
}

class TcpOptions {
  public:
    /// The option bytes: from byte 20 of the header to its end.
    TcpOptions(const std::uint8_t* bytes, std::uint32_t size) : bytes_(bytes), size_(size) {}

    /// The next option but no-operations; false at the end, at End of Option List and at damage.
    bool next() {
        at_ += length_;
        length_ = 0;
        while (at_ < size_ && bytes_[at_] == tcp_option::nop) ++at_;
        if (at_ >= size_ || bytes_[at_] == tcp_option::end) return false;
        malformed_ = size_ - at_ < 2 || bytes_[at_ + 1] < 2 || bytes_[at_ + 1] > size_ - at_;
        if (malformed_) return false;
        length_ = bytes_[at_ + 1];
        return true;
    }
    std::uint8_t kind() const { return bytes_[at_]; }
    /// In bytes, kind and length byte included.
    std::uint32_t length() const { return length_; }
    const std::uint8_t* value() const { return bytes_ + at_ + 2; }
    /// Offset of the current option, or of where the walk ended.
    std::uint32_t offset() const { return at_; }
    bool malformed() const { return malformed_; }

  private:
    const std::uint8_t* bytes_;
    std::uint32_t size_;
    std::uint32_t at_ = 0, length_ = 0;
    bool malformed_ = false;
};

}  // namespace tracebench
