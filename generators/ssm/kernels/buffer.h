#pragma once
/// Scratch memory that is kept from call to call.

#include <sys/mman.h>

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
            // Large pages where there are: passes over long sequences miss the translation cache otherwise.
            const std::size_t page = size * sizeof(T) < large_page ? 64 : large_page;
            const std::size_t bytes = (size * sizeof(T) + page - 1) / page * page;
            data_.reset(static_cast<T*>(std::aligned_alloc(page, bytes)));
            if (!data_) throw std::bad_alloc();
            if (page == large_page) madvise(data_.get(), bytes, MADV_HUGEPAGE);
            size_ = size;
        }
        return data_.get();
    }
    T* data() const { return data_.get(); }

  private:
    static constexpr std::size_t large_page = std::size_t{2} << 20;
    struct Free {
        void operator()(T* pointer) const { std::free(pointer); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace tracebench::ssm
