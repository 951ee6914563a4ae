#include "generators/ssm/kernels/matmul.h"

#include <omp.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include <array>
#include <atomic>
#include <chrono>
#include <dnnl.hpp>
#include <functional>
#include <type_traits>
#include <unordered_map>

#include "generators/ssm/kernels/buffer.h"

namespace tracebench::ssm {
namespace {

using dnnl::memory;

const dnnl::engine& cpu() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

std::atomic<bool> measuring = false;
std::atomic<std::int64_t> nanoseconds = 0;

class Stopwatch {
  public:
    Stopwatch() {
        if (on_) start_ = Clock::now();
    }
    ~Stopwatch() {
        if (on_)
            nanoseconds.fetch_add(
                std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count(),
                std::memory_order_relaxed);
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

  private:
    using Clock = std::chrono::steady_clock;
    bool on_ = measuring.load(std::memory_order_relaxed);
    Clock::time_point start_;
};

template <typename T>
constexpr memory::data_type type_of() {
    return sizeof(T) == 4 ? memory::data_type::f32 : memory::data_type::bf16;
}

memory::desc describe(std::int64_t rows, std::int64_t columns, std::int64_t stride, bool transposed,
                      memory::data_type type) {
    return {{rows, columns}, type, transposed ? memory::dims{1, stride} : memory::dims{stride, 1}};
}

/// A product of one shape, ready to run on one thread.
struct Product {
    dnnl::matmul primitive;
    std::unordered_map<int, memory> arguments;
    Buffer<std::byte> scratch;

    Product(const memory::desc& a, const memory::desc& b, const memory::desc& c, bool accumulate) {
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        if (accumulate) {
            dnnl::post_ops operations;
            operations.append_sum(1.f);
            attributes.set_post_ops(operations);
        }
        const dnnl::matmul::primitive_desc made({a, b, c}, attributes, cpu());
        primitive = dnnl::matmul(made);
        arguments = {{DNNL_ARG_SRC, memory(a, cpu(), nullptr)},
                     {DNNL_ARG_WEIGHTS, memory(b, cpu(), nullptr)},
                     {DNNL_ARG_DST, memory(c, cpu(), nullptr)},
                     {DNNL_ARG_SCRATCHPAD,
                      memory(made.scratchpad_desc(), cpu(),
                             scratch.reserve(std::max<std::size_t>(made.scratchpad_desc().get_size(), 64)))}};
    }

    void run(const void* a, const void* b, void* c) {
        thread_local dnnl::stream stream(cpu());
        arguments.at(DNNL_ARG_SRC).set_data_handle(const_cast<void*>(a));
        arguments.at(DNNL_ARG_WEIGHTS).set_data_handle(const_cast<void*>(b));
        arguments.at(DNNL_ARG_DST).set_data_handle(c);
        const Stopwatch watch;
        primitive.execute(stream, arguments);
    }
};

/// Everything a product's description depends on.
using Key = std::array<std::int64_t, 7>;
struct KeyHash {
    std::size_t operator()(const Key& key) const {
        std::uint64_t hash = 0;
        for (const std::int64_t part : key)
            hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15u + (hash >> 29);
        return hash;
    }
};

/// Lengths vary with the data, so shapes are not bounded in number: start over when there are many.
constexpr std::size_t max_products = 2000;

template <typename Make>
Product& prepared(const Key& key, Make&& make) {
    thread_local std::unordered_map<Key, Product, KeyHash> products;
    auto found = products.find(key);
    if (found == products.end()) {
        if (products.size() >= max_products) products.clear();
        found = products.emplace(key, make()).first;
    }
    return found->second;
}

}  // namespace

template <typename T, typename Result>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, Result* c,
              std::int64_t c_stride, bool accumulate) {
    const std::int64_t flags = a.transposed | b.transposed << 1 | accumulate << 2 |
                               static_cast<std::int64_t>(sizeof(T)) << 4 |
                               static_cast<std::int64_t>(sizeof(Result)) << 8;
    Product& product = prepared({m, n, k, a.stride, b.stride, c_stride, flags}, [&] {
        return Product(describe(m, k, a.stride, a.transposed, type_of<T>()),
                       describe(k, n, b.stride, b.transposed, type_of<T>()),
                       describe(m, n, c_stride, false, type_of<Result>()), accumulate);
    });
    product.run(a.data, b.data, c);
}

template <typename T>
void WeightOperand<T>::pack(std::int64_t k, std::int64_t n, MatrixView<float> source) {
    k_ = k;
    n_ = n;
    if constexpr (std::is_same_v<T, float>) {
        values_ = source.data;
        if (!source.transposed && source.stride == n) return;
    }
    memory from(describe(k, n, source.stride, source.transposed, memory::data_type::f32), cpu(),
                const_cast<float*>(source.data));
    memory to(describe(k, n, n, false, type_of<T>()), cpu(), copy_.reserve(static_cast<std::size_t>(k * n)));
    dnnl::stream stream(cpu());
    dnnl::reorder(from, to).execute(stream, from, to);
    values_ = copy_.data();
}

bool bfloat16_available() {
    // dnnl_cpu_isa_t is a set of features: one with AVX-512 BF16 contains all of this one's.
    static const int wanted = dnnl_cpu_isa_avx512_core_bf16;
    static const bool available = (dnnl_get_effective_cpu_isa() & wanted) == wanted;
    return available;
}

KernelThread::KernelThread() {
    omp_set_num_threads(1);
#ifdef __SSE2__
    constexpr unsigned flush_to_zero = 1u << 15, denormals_are_zero = 1u << 6;
    control_ = _mm_getcsr();
    _mm_setcsr(control_ | flush_to_zero | denormals_are_zero);
#endif
}

KernelThread::~KernelThread() {
#ifdef __SSE2__
    _mm_setcsr(control_);
#endif
}

void measure_matmul(bool on) {
    nanoseconds = 0;
    measuring = on;
}

double matmul_seconds() {
    return static_cast<double>(nanoseconds) * 1e-9;
}

template void multiply(std::int64_t, std::int64_t, std::int64_t, MatrixView<float>, MatrixView<float>, float*,
                       std::int64_t, bool);
template void multiply(std::int64_t, std::int64_t, std::int64_t, MatrixView<Bfloat16>, MatrixView<Bfloat16>,
                       float*, std::int64_t, bool);
template void multiply(std::int64_t, std::int64_t, std::int64_t, MatrixView<Bfloat16>, MatrixView<Bfloat16>,
                       Bfloat16*, std::int64_t, bool);
template class WeightOperand<float>;
template class WeightOperand<Bfloat16>;

}  // namespace tracebench::ssm
