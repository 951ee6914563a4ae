#pragma once
/// Where the flow table keeps its flows and how it finds them. Not for use outside it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tracebench {

inline constexpr std::uint32_t no_entry = UINT32_MAX;

/// Objects at stable addresses, found by small indices; freed ones are used again.
template <typename T>
class Pool {
  public:
    std::uint32_t make() {
        if (!free_.empty()) {
            const std::uint32_t index = free_.back();
            free_.pop_back();
            return index;
        }
        if (size_ % block == 0) blocks_.push_back(std::make_unique<T[]>(block));
        return size_++;
    }
    void release(std::uint32_t index) {
        (*this)[index] = T{};
        free_.push_back(index);
    }
    T& operator[](std::uint32_t index) { return blocks_[index / block][index % block]; }
    std::uint32_t size() const { return size_; }  ///< freed ones included

  private:
    static constexpr std::uint32_t block = 256;
    std::vector<std::unique_ptr<T[]>> blocks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t size_ = 0;
};

/// Where a key's entry is: open addressing with linear probing, at most half full.
class HashIndex {
  public:
    struct Slot {
        std::uint32_t hash = 0, entry = no_entry;
    };

    template <typename Same>
    std::uint32_t find(std::uint32_t hash, Same same) const {
        for (std::size_t at = hash & mask_; slots_[at].entry != no_entry; at = (at + 1) & mask_)
            if (slots_[at].hash == hash && same(slots_[at].entry)) return slots_[at].entry;
        return no_entry;
    }

    void insert(std::uint32_t hash, std::uint32_t entry) {
        if (++used_ * 2 > slots_.size()) grow();
        place({hash, entry});
    }

    /// Shifts back what would no longer be found (Knuth, volume 3, algorithm 6.4R).
    void erase(std::uint32_t hash, std::uint32_t entry) {
        std::size_t hole = hash & mask_;
        while (slots_[hole].entry != entry) hole = (hole + 1) & mask_;
        for (std::size_t next = (hole + 1) & mask_; slots_[next].entry != no_entry;
             next = (next + 1) & mask_) {
            const std::size_t home = slots_[next].hash & mask_;
            if (((next - home) & mask_) < ((next - hole) & mask_)) continue;
            slots_[hole] = slots_[next];
            hole = next;
        }
        slots_[hole] = Slot{};
        --used_;
    }

  private:
    void place(Slot slot) {
        std::size_t at = slot.hash & mask_;
        while (slots_[at].entry != no_entry) at = (at + 1) & mask_;
        slots_[at] = slot;
    }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        mask_ = slots_.size() - 1;
        for (const Slot& slot : old)
            if (slot.entry != no_entry) place(slot);
    }

    std::vector<Slot> slots_ = std::vector<Slot>(1024);
    std::size_t mask_ = 1023, used_ = 0;
};

}  // namespace tracebench
