#include "generators/diffusion/model/operations.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "generators/diffusion/model/norm_kernel.h"

namespace tracebench::diffusion {
namespace {

struct NormSilu : torch::autograd::Function<NormSilu> {
    static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                                 const torch::Tensor& scale, const torch::Tensor& shift,
                                 const torch::Tensor& mask) {
        const std::int64_t samples = x.size(0), rows = x.size(1), channels = x.size(2);
        torch::Tensor y = torch::empty_like(x);
        at::parallel_for(0, samples * rows, 64, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end;) {  // sample by sample: each has a scale of its own
                const std::int64_t sample = row / rows;
                const std::int64_t stop = std::min(end, (sample + 1) * rows);
                norm_forward(stop - row, channels, x.data_ptr<float>() + row * channels,
                             scale.data_ptr<float>() + sample * channels,
                             shift.data_ptr<float>() + sample * channels, mask.data_ptr<float>() + row,
                             y.data_ptr<float>() + row * channels);
                row = stop;
            }
        });
        context->save_for_backward({x, scale, shift, mask});
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const torch::Tensor &x = saved[0], &scale = saved[1], &shift = saved[2], &mask = saved[3];
        const torch::Tensor dy = gradients[0].contiguous();
        const std::int64_t rows = x.size(1), channels = x.size(2), all = rows * channels;
        torch::Tensor dx = torch::empty_like(x), d_scale = torch::zeros_like(scale),
                      d_shift = torch::zeros_like(shift);
        // A sample is one thread's: its sums are not shared.
        at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                norm_backward(rows, channels, x.data_ptr<float>() + i * all,
                              scale.data_ptr<float>() + i * channels, shift.data_ptr<float>() + i * channels,
                              mask.data_ptr<float>() + i * rows, dy.data_ptr<float>() + i * all,
                              dx.data_ptr<float>() + i * all, d_scale.data_ptr<float>() + i * channels,
                              d_shift.data_ptr<float>() + i * channels);
        });
        return {dx, d_scale, d_shift, torch::Tensor()};
    }
};

/// [channels] or [samples, channels] to the latter.
torch::Tensor a_sample(const torch::Tensor& vector, std::int64_t samples) {
    return vector.dim() == 1 ? vector.unsqueeze(0).expand({samples, -1}) : vector;
}

/// A product of rows with a matrix is a convolution over images of as many rows as these leave: LibTorch
/// hands it to oneDNN, which is several times as fast as its other way, from 16 images on.
std::int64_t product_images(std::int64_t rows) {
    constexpr std::int64_t least_images = 16, most_rows = 64;
    std::int64_t height = 1;
    while (height < most_rows && rows % (2 * height) == 0 && rows / (2 * height) >= least_images) height *= 2;
    return rows / height;
}

}  // namespace

torch::Tensor convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                       const Operations& operations) {
    const bool wide = weight.dim() == 3;
    if (!operations.fused)
        return wide ? at::conv1d(x.transpose(1, 2), weight, bias, 1, kConvolutionWidth / 2).transpose(1, 2)
                    : at::linear(x, weight, bias);
    const std::int64_t samples = x.size(0), rows = x.size(1);
    const std::int64_t images = wide ? samples : product_images(samples * rows);
    torch::Tensor image =
        x.reshape({images, samples * rows / images, x.size(2)}).permute({0, 2, 1}).unsqueeze(2);
    torch::Tensor kernel = wide ? weight.unsqueeze(2) : weight.unsqueeze(2).unsqueeze(3);
    torch::Tensor offset = bias;
    if (operations.bfloat16) {
        image = image.to(torch::kBFloat16);
        kernel = kernel.to(torch::kBFloat16);
        offset = offset.to(torch::kBFloat16);
    }
    const std::int64_t beside = wide ? kConvolutionWidth / 2 : 0;
    torch::Tensor y = at::conv2d(image, kernel, offset, 1, at::IntArrayRef({0, beside}));
    if (operations.bfloat16) y = y.to(torch::kFloat);
    return y.squeeze(2).permute({0, 2, 1}).reshape({samples, rows, y.size(1)});
}

torch::Tensor norm_silu(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                        const torch::Tensor& mask, const Operations& operations) {
    const torch::Tensor by_sample = a_sample(scale, x.size(0)), offset = a_sample(shift, x.size(0));
    if (operations.fused && x.is_cpu())
        return NormSilu::apply(x.contiguous(), by_sample.contiguous(), offset.contiguous(),
                               mask.contiguous());
    const torch::Tensor normed = x * (x.square().mean(2, true) + kNormEpsilon).rsqrt();
    return at::silu(normed * (1 + by_sample.unsqueeze(1)) + offset.unsqueeze(1)) * mask.unsqueeze(2);
}

torch::Tensor attend(const torch::Tensor& qkv, const torch::Tensor& mask) {
    const std::int64_t samples = qkv.size(0), rows = qkv.size(1), channels = qkv.size(2) / 3;
    const std::int64_t width = channels % 32 == 0 ? 32 : 16, heads = channels / width;
    const torch::Tensor parts = qkv.reshape({samples, rows, 3, heads, width}).permute({2, 0, 3, 1, 4});
    const torch::Tensor outside = (1 - mask).mul(-1e9).view({samples, 1, 1, rows});
    const torch::Tensor scores =
        at::matmul(parts[0], parts[1].transpose(2, 3)) / std::sqrt(static_cast<double>(width)) + outside;
    return at::matmul(at::softmax(scores, 3), parts[2]).transpose(1, 2).reshape({samples, rows, channels});
}

}  // namespace tracebench::diffusion
