#pragma once
/// Zeroed arrays aligned for the widest registers, on huge pages where the system has them: weights and
/// states are read from end to end, and address translation would otherwise be a large part of it.

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace tracebench::ssm::decode {

template <typename T>
class AlignedArray {
  public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size) : size_(size) {
        const std::size_t huge = std::size_t{2} << 20, bytes = size * sizeof(T);
        const std::size_t alignment = bytes >= huge ? huge : 64;
        const std::size_t whole = (bytes + alignment - 1) / alignment * alignment;
        data_.reset(static_cast<T*>(::operator new(whole, std::align_val_t(alignment))));
        data_.get_deleter().alignment = alignment;
        if (alignment == huge) madvise(data_.get(), whole, MADV_HUGEPAGE);
        std::memset(static_cast<void*>(data_.get()), 0, whole);
    }
    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data_.get()[i]; }
    const T& operator[](std::size_t i) const { return data_.get()[i]; }

  private:
    struct Release {
        std::size_t alignment = 64;
        void operator()(T* data) const { ::operator delete(data, std::align_val_t(alignment)); }
    };
    std::unique_ptr<T, Release> data_;
    std::size_t size_ = 0;
};

}  // namespace tracebench::ssm::decode
