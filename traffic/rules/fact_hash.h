#pragma once
/// FNV-1a with 64 bits, to remember facts about a capture by.

#include <cstddef>
#include <cstdint>

namespace tracebench {

class FactHash {
  public:
    FactHash& bytes(const std::uint8_t* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) byte(data[i]);
        return *this;
    }
    FactHash& byte(std::uint8_t value) {
        value_ = (value_ ^ value) * 0x100000001B3;
        return *this;
    }
    FactHash& number(std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
        return *this;
    }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xCBF29CE484222325;
};

}  // namespace tracebench
