#pragma once
/// Scratch memory that is kept from call to call.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace tracebench::ssm {

/// Uninitialised, aligned to a cache line; grows, never shrinks.
template <typename T>
class Buffer {
  public:
    /// Room for `size` values. What was there is lost when it has to grow.
    T* reserve(std::size_t size) {
        if (size > size_) {
            data_.reset();
            size_ = 0;
            const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
            data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
            if (!data_) throw std::bad_alloc();
            size_ = size;
        }
        return data_.get();
    }
    T* data() const { return data_.get(); }

  private:
    struct Free {
        void operator()(T* pointer) const { std::free(pointer); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace tracebench::ssm
