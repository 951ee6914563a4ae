#pragma once
/// Named tensors in files: `model.safetensors` (read by memory map, written), PyTorch's `pytorch_model.bin`
/// (read only, without executing anything in it). Both are hostile input.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "generators/weights/named_tensor.h"

namespace tracebench {

/// Reads every tensor (F32, F16, BF16, F64; others are refused) as 32-bit floats.
/// https://huggingface.co/docs/safetensors: 8 bytes little-endian header size, a JSON header, data.
/// Throws InputError naming the file and tensor: header size over 100 MB or past the file, not JSON, offsets
/// that overlap, leave gaps or disagree with shape and type, a name twice, over 131,072 tensors or 8
/// dimensions, unknown type. NaN and infinity are read as they are; F64 beyond float's range becomes
/// infinity. `metadata`, if given, receives the header's.
std::vector<NamedTensor> read_safetensors(const std::filesystem::path& path,
                                          std::map<std::string, std::string>* metadata = nullptr);
/// F32, in the order given, aligned to 8 bytes as the reference implementation does. `metadata`: an object of
/// strings, or null. Names and metadata are UTF-8. Appears whole or not at all. Throws InputError where it
/// cannot be written, std::invalid_argument where a shape and its values disagree or a name is there twice.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const nlohmann::json& metadata);

/// A state dict as torch.save() writes it since 1.6: a zip archive (stored, not deflated) with `data.pkl` and
/// one storage a file. The pickle is run by an interpreter that knows only what tensors of floats need: no
/// import, no call but of torch's tensor builders and OrderedDict. Views of any strides become row-major;
/// tied tensors are given as often as they are named. Throws InputError naming what it met: another archive
/// (older format, compressed, big-endian), another function or operation, a value that is no tensor of
/// floats, one beyond its storage, a storage missing or of another size, over 16 MB or 1,048,576 values of
/// pickle, tensors of more than twice the elements that are stored.
std::vector<NamedTensor> read_pytorch_bin(const std::filesystem::path& path);

/// `model.safetensors` of a model folder, or else its `pytorch_model.bin`.
std::vector<NamedTensor> read_weights(const std::filesystem::path& folder);

}  // namespace tracebench
