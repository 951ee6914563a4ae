#include "generators/weights/state_dict.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <unordered_set>

#include "base/error.h"
#include "generators/weights/pickle_machine.h"

namespace tracebench {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view ordered_dict = "collections.OrderedDict";
constexpr std::string_view rebuild_tensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view rebuild_parameter = "torch._utils._rebuild_parameter";
// Storages of other types are let through to be refused with the name of their tensor.
constexpr std::array<std::string_view, 14> known_globals = {
    ordered_dict,          rebuild_tensor,
    rebuild_parameter,     "torch.FloatStorage",
    "torch.HalfStorage",   "torch.BFloat16Storage",
    "torch.DoubleStorage", "torch.LongStorage",
    "torch.IntStorage",    "torch.ShortStorage",
    "torch.CharStorage",   "torch.ByteStorage",
    "torch.BoolStorage",   "torch.ComplexFloatStorage"};
constexpr std::size_t longest_name = 1024, most_dimensions = 8;

std::optional<FloatFormat> format_of(std::string_view storage) {
    if (storage == "torch.FloatStorage") return FloatFormat::float32;
    if (storage == "torch.HalfStorage") return FloatFormat::float16;
    if (storage == "torch.BFloat16Storage") return FloatFormat::bfloat16;
    if (storage == "torch.DoubleStorage") return FloatFormat::float64;
    return std::nullopt;
}

bool is_dict(const PickleValue& value) {
    return value.kind == Kind::dict || (value.kind == Kind::call && value.text == ordered_dict);
}

/// Reads one tensor's value; every refusal names it.
class TensorReader {
  public:
    TensorReader(const Pickle& pickle, std::string_view tensor, const std::string& file)
        : pickle_(pickle), tensor_(tensor), file_(file) {}

    TensorView read(const PickleValue& value) const {
        if (value.kind == Kind::call && value.text == rebuild_parameter)  // (data, requires_grad, hooks)
            return read_tensor(argument(value, 0));
        return read_tensor(value);
    }

  private:
    [[noreturn]] void fail(std::string_view problem, std::string_view remedy = {}) const {
        throw InputError(file_, fmt::format("'{}' {}", printable(tensor_, 100), problem), remedy);
    }

    /// Argument `index` of a call.
    const PickleValue& argument(const PickleValue& call, std::size_t index) const {
        const auto& arguments = pickle_[call.argument].items;
        if (index >= arguments.size()) fail(fmt::format("is built by {} with too few arguments", call.text));
        return pickle_[arguments[index]];
    }
    std::int64_t natural(const PickleValue& value, std::string_view what) const {
        if (value.kind != Kind::integer || value.integer < 0)
            fail(fmt::format("has no integer of 0 or more as {}", what));
        return value.integer;
    }
    std::vector<std::int64_t> naturals(const PickleValue& value, std::string_view what) const {
        if (value.kind != Kind::tuple) fail(fmt::format("has no tuple as {}", what));
        if (value.items.size() > most_dimensions)
            fail(fmt::format("has more than {} dimensions", most_dimensions));
        std::vector<std::int64_t> numbers;
        for (const std::uint32_t item : value.items) numbers.push_back(natural(pickle_[item], what));
        return numbers;
    }

    /// (storage, offset, shape, strides, requires_grad, hooks[, metadata])
    TensorView read_tensor(const PickleValue& value) const {
        if (is_dict(value))
            fail("is a dict, not a tensor", "save the model's state_dict() alone, not inside a checkpoint");
        if (value.kind != Kind::call || value.text != rebuild_tensor)
            fail("is not a tensor", "save the model's state_dict() alone");
        TensorView view;
        view.name = tensor_;
        read_storage(argument(value, 0), view);
        view.offset = static_cast<std::uint64_t>(natural(argument(value, 1), "offset"));
        view.shape = naturals(argument(value, 2), "shape");
        view.strides = naturals(argument(value, 3), "stride");
        if (view.shape.size() != view.strides.size()) fail("has a shape and strides of different lengths");
        if (pickle_[value.argument].items.size() > 6) {
            const PickleValue& metadata = argument(value, 6);  // conjugate and negative bits
            if (metadata.kind != Kind::none && !(is_dict(metadata) && metadata.items.empty()))
                fail("is a conjugate or negative view", "save it after resolve_conj() and resolve_neg()");
        }
        require_within_storage(view);
        return view;
    }

    /// ('storage', type, key, location, elements)
    void read_storage(const PickleValue& value, TensorView& view) const {
        if (value.kind != Kind::persistent) fail("has no storage");
        const PickleValue& id = pickle_[value.argument];
        if (id.kind != Kind::tuple || id.items.size() != 5) fail("has a storage of an unknown form");
        const PickleValue &tag = pickle_[id.items[0]], &type = pickle_[id.items[1]],
                          &key = pickle_[id.items[2]];
        if (tag.kind != Kind::text || tag.text != "storage" || type.kind != Kind::global ||
            key.kind != Kind::text)
            fail("has a storage of an unknown form");
        const auto format = format_of(type.text);
        if (!format)
            fail(fmt::format("is kept in a {}", type.text), "only float, half, bfloat16 and double are read");
        if (key.text.size() > longest_name) fail("has a storage with too long a name");
        view.format = *format;
        view.storage = key.text;
        view.storage_size = static_cast<std::uint64_t>(natural(pickle_[id.items[4]], "storage size"));
    }

    void require_within_storage(const TensorView& view) const {
        const auto elements = element_count(view.shape);
        if (!elements) fail("has a shape beyond all memory");
        if (*elements == 0) return;
        std::uint64_t last = view.offset;
        bool overflow = false;
        for (std::size_t i = 0; i < view.shape.size(); ++i) {
            std::uint64_t reach = 0;
            overflow |= __builtin_mul_overflow(static_cast<std::uint64_t>(view.shape[i] - 1),
                                               static_cast<std::uint64_t>(view.strides[i]), &reach);
            overflow |= __builtin_add_overflow(last, reach, &last);
        }
        if (overflow || last >= view.storage_size)
            fail(fmt::format("reaches beyond its storage of {} elements", view.storage_size),
                 "copy or download the file again");
        if (*elements > view.storage_size)
            fail(fmt::format("has {} elements in a storage of {}", *elements, view.storage_size),
                 "save it after contiguous()");
    }

    const Pickle& pickle_;
    std::string_view tensor_;
    const std::string& file_;
};

/// A few bytes of pickle can name the same storage often: what is made of it has to stay near its size.
void require_bounded(const std::vector<TensorView>& views, const std::string& file) {
    std::map<std::string_view, std::uint64_t> storages;
    std::uint64_t stored = 0, wanted = 0;
    for (const TensorView& view : views) {
        const std::uint64_t elements = *element_count(view.shape);
        if (elements == 0) continue;  // nobody looks whether its storage is there
        const auto [known, added] = storages.emplace(view.storage, view.storage_size);
        if (!added && known->second != view.storage_size)
            throw InputError(file, fmt::format("storage '{}' has two sizes", view.storage));
        if ((added && __builtin_add_overflow(stored, view.storage_size, &stored)) ||
            __builtin_add_overflow(wanted, elements, &wanted))
            throw InputError(file, "has tensors beyond all memory");
    }
    if (wanted / 2 > stored)
        throw InputError(file, fmt::format("has tensors of {} elements in storages of {}", wanted, stored),
                         "more than twice as many: save each tensor after contiguous()");
}

}  // namespace

std::vector<float> TensorView::gather(std::span<const std::uint8_t> bytes) const {
    std::vector<float> values(*element_count(shape));
    if (values.empty()) return values;
    const std::size_t row = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
    const std::uint64_t stride = shape.empty() ? 1 : static_cast<std::uint64_t>(strides.back());
    const std::size_t outer = shape.empty() ? 0 : shape.size() - 1;
    std::vector<std::int64_t> position(outer, 0);
    for (std::size_t done = 0; done < values.size(); done += row) {
        std::uint64_t first = offset;
        for (std::size_t i = 0; i < outer; ++i) first += static_cast<std::uint64_t>(position[i] * strides[i]);
        read_floats(format, bytes.subspan(first * width(format)), stride,
                    std::span(values).subspan(done, row));
        for (std::size_t i = outer; i > 0 && ++position[i - 1] == shape[i - 1]; --i) position[i - 1] = 0;
    }
    return values;
}

std::vector<TensorView> read_state_dict(std::string_view bytes, const std::string& name) {
    const Pickle pickle(bytes, known_globals, name);
    const PickleValue& root = pickle.root();
    if (!is_dict(root))
        throw InputError(name, "does not hold a dict", "save the model's state_dict() with torch.save()");
    std::vector<TensorView> views;
    std::unordered_set<std::string_view> names;
    for (std::size_t i = 0; i < root.items.size(); i += 2) {
        const PickleValue& key = pickle[root.items[i]];
        if (key.kind != Kind::text || key.text.size() > longest_name)
            throw InputError(name, fmt::format("key {} of the dict is not a tensor's name", i / 2),
                             "save the model's state_dict() alone");
        if (!names.insert(key.text).second)
            throw InputError(name, fmt::format("'{}' is there twice", printable(key.text, 100)));
        views.push_back(TensorReader(pickle, key.text, name).read(pickle[root.items[i + 1]]));
    }
    require_bounded(views, name);
    return views;
}

}  // namespace tracebench
