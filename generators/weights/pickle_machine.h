#pragma once
/// The pickle format (Python's Lib/pickletools.py, protocols 2 to 5) as data: calls are written down, never
/// made.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tracebench {

/// One value of a pickle. Values refer to each other by index, so that neither nesting nor cycles can
/// recurse.
struct PickleValue {
    enum class Kind {
        mark,
        none,
        boolean,
        integer,
        real,  ///< not kept: nothing that we read needs it
        text,
        global,  ///< a function or type, by name
        tuple,
        list,
        dict,        ///< `items`: key, value, key, value...
        call,        ///< of `text` with the tuple `argument`; `items`, as of a dict, were set on its result
        persistent,  ///< what the file keeps elsewhere under the id `argument`
    };
    Kind kind = Kind::none;
    std::int64_t integer = 0;
    std::uint32_t argument = 0;
    std::string_view text;  ///< into the pickle, or one of the globals allowed
    std::vector<std::uint32_t> items;
};

/// A whole pickle, which must outlive it.
class Pickle {
  public:
    /// `globals`: the only functions and types that may be named, `torch.FloatStorage`; must outlive this.
    /// Throws InputError beginning with `name` and the byte of the pickle: another global, an opcode that
    /// saved tensors do not use, ends early, an empty stack, over 1,048,576 values.
    Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& name);

    const PickleValue& root() const { return values_[root_]; }
    const PickleValue& operator[](std::uint32_t value) const { return values_[value]; }

  private:
    friend class PickleMachine;
    std::vector<PickleValue> values_;
    std::uint32_t root_ = 0;
};

}  // namespace tracebench
