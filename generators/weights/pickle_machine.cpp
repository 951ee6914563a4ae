#include "generators/weights/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/error.h"

namespace tracebench {
namespace {

constexpr std::size_t most_values = 1 << 20;  // 1,024 layers of 9 tensors make about 200,000

using Kind = PickleValue::Kind;
using Index = std::uint32_t;

}  // namespace

/// Runs a pickle once. What each opcode does is in pickletools.py; letters are those it gives them.
class PickleMachine {
  public:
    PickleMachine(Pickle& pickle, std::string_view bytes, std::span<const std::string_view> globals,
                  const std::string& name)
        : values_(pickle.values_), bytes_(bytes), globals_(globals), name_(name) {
        while (run_one()) continue;
        pickle.root_ = pop();
    }

  private:
    [[noreturn]] void fail(std::string_view problem, std::string_view remedy = {}) const {
        throw InputError(name_, fmt::format("data.pkl, byte {}: {}", opcode_at_, problem), remedy);
    }

    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size() - at_) fail("the file ends early", "copy or download it again");
        const std::string_view taken = bytes_.substr(at_, size);
        at_ += size;
        return taken;
    }
    template <typename T>
    T number() {
        T value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string_view line() {
        const std::size_t end = bytes_.find('\n', at_);
        if (end == std::string_view::npos) fail("the file ends early", "copy or download it again");
        const std::string_view taken = take(end - at_);
        ++at_;
        return taken;
    }

    Index add(PickleValue value) {
        if (values_.size() == most_values) fail(fmt::format("more than {} values", most_values));
        values_.push_back(std::move(value));
        return static_cast<Index>(values_.size() - 1);
    }
    void push(Kind kind, std::int64_t integer = 0, std::string_view text = {}) {
        push(add({.kind = kind, .integer = integer, .argument = 0, .text = text, .items = {}}));
    }
    void push(Index value) {
        // Values can be pushed again from the memo without becoming more.
        if (stack_.size() == most_values) fail(fmt::format("more than {} values on the stack", most_values));
        stack_.push_back(value);
    }
    Index pop() {
        if (stack_.empty() || values_[stack_.back()].kind == Kind::mark)
            fail("takes a value that is not there");
        const Index value = stack_.back();
        stack_.pop_back();
        return value;
    }
    PickleValue& top(std::string_view purpose, std::initializer_list<Kind> kinds) {
        if (stack_.empty()) fail("takes a value that is not there");
        PickleValue& value = values_[stack_.back()];
        if (std::find(kinds.begin(), kinds.end(), value.kind) == kinds.end())
            fail(fmt::format("{} something that is none", purpose));
        return value;
    }
    std::vector<Index> pop_to_mark() {
        auto mark = stack_.end();
        while (mark != stack_.begin() && values_[*(mark - 1)].kind != Kind::mark) --mark;
        if (mark == stack_.begin()) fail("takes values back to a mark that is not there");
        std::vector<Index> items(mark, stack_.end());
        stack_.erase(mark - 1, stack_.end());
        return items;
    }

    void push_tuple(std::vector<Index> items) {
        push(Kind::tuple);
        values_[stack_.back()].items = std::move(items);
    }
    void push_tuple_of(std::size_t size) {
        std::vector<Index> items(size);
        for (std::size_t i = size; i > 0; --i) items[i - 1] = pop();
        push_tuple(std::move(items));
    }
    void append(const std::vector<Index>& items) {
        auto& list = top("appends to", {Kind::list}).items;
        list.insert(list.end(), items.begin(), items.end());
    }
    void set(const std::vector<Index>& items) {
        if (items.size() % 2 != 0) fail("sets a key without its value");
        auto& dict = top("sets items of", {Kind::dict, Kind::call}).items;
        dict.insert(dict.end(), items.begin(), items.end());
    }

    void push_global(std::string_view module, std::string_view name) {
        const std::string wanted = fmt::format("{}.{}", printable(module, 100), printable(name, 100));
        const auto known = std::find(globals_.begin(), globals_.end(), wanted);
        if (known == globals_.end())
            fail(fmt::format("asks for '{}', which no state dict of floating-point tensors needs", wanted),
                 "nothing was executed; save the model's state_dict() alone, or do not trust this file");
        push(Kind::global, 0, *known);
    }
    void call() {
        const Index argument = pop(), function = pop();
        if (values_[function].kind != Kind::global || values_[argument].kind != Kind::tuple)
            fail("calls something that is no function");
        push(Kind::call, 0, values_[function].text);
        values_[stack_.back()].argument = argument;
    }
    /// State beside a dict's items is versions of modules (`_metadata`): left out.
    void build() {
        pop();
        top("sets attributes of", {Kind::call});
    }
    void push_persistent() {
        const Index id = pop();
        push(Kind::persistent);
        values_[stack_.back()].argument = id;
    }

    void memoize(Index key) {
        if (stack_.empty()) fail("remembers a value that is not there");
        if (values_[stack_.back()].kind == Kind::mark) fail("remembers a mark");
        if (memo_.size() == most_values) fail(fmt::format("remembers more than {} values", most_values));
        memo_[key] = stack_.back();
    }
    void recall(Index key) {
        const auto found = memo_.find(key);
        if (found == memo_.end()) fail(fmt::format("recalls value {}, which was not remembered", key));
        push(found->second);
    }

    std::int64_t long_integer() {
        const auto size = number<std::uint8_t>();
        if (size > 8) fail("an integer of more than 64 bits");
        const std::string_view digits = take(size);
        std::uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        std::memcpy(&value, digits.data(), digits.size());
        return static_cast<std::int64_t>(value);
    }

    /// False after the last.
    bool run_one() {
        opcode_at_ = at_;
        const auto opcode = number<std::uint8_t>();
        switch (opcode) {
            case 0x80:  // PROTO
                if (const int protocol = number<std::uint8_t>(); protocol < 2 || protocol > 5)
                    fail(fmt::format("protocol {} is not read", protocol),
                         "save it with protocol 2, torch's own");
                break;
            case 0x95:
                number<std::uint64_t>();
                break;  // FRAME: only says how much to read ahead
            case '.':
                return false;
            case '(':
                push(Kind::mark);
                break;
            case 'N':
                push(Kind::none);
                break;
            case 0x88:
                push(Kind::boolean, 1);
                break;
            case 0x89:
                push(Kind::boolean, 0);
                break;
            case 'J':
                push(Kind::integer, number<std::int32_t>());
                break;
            case 'K':
                push(Kind::integer, number<std::uint8_t>());
                break;
            case 'M':
                push(Kind::integer, number<std::uint16_t>());
                break;
            case 0x8a:
                push(Kind::integer, long_integer());
                break;
            case 'G':
                take(8), push(Kind::real);
                break;
            case 'X':
                push(Kind::text, 0, take(number<std::uint32_t>()));
                break;
            case 0x8c:
                push(Kind::text, 0, take(number<std::uint8_t>()));
                break;
            case 0x8d:
                push(Kind::text, 0, take(number<std::uint64_t>()));
                break;
            case ')':
                push(Kind::tuple);
                break;
            case 't':
                push_tuple(pop_to_mark());
                break;
            case 0x85:
                push_tuple_of(1);
                break;
            case 0x86:
                push_tuple_of(2);
                break;
            case 0x87:
                push_tuple_of(3);
                break;
            case ']':
                push(Kind::list);
                break;
            case 'a':
                append({pop()});
                break;
            case 'e':
                append(pop_to_mark());
                break;
            case '}':
                push(Kind::dict);
                break;
            case 's': {
                const Index value = pop(), key = pop();
                set({key, value});
                break;
            }
            case 'u':
                set(pop_to_mark());
                break;
            case 'q':
                memoize(number<std::uint8_t>());
                break;
            case 'r':
                memoize(number<std::uint32_t>());
                break;
            case 0x94:
                memoize(static_cast<Index>(memo_.size()));
                break;
            case 'h':
                recall(number<std::uint8_t>());
                break;
            case 'j':
                recall(number<std::uint32_t>());
                break;
            case 'c': {
                const std::string_view module = line(), global = line();
                push_global(module, global);
                break;
            }
            case 0x93: {
                const Index global = pop(), module = pop();
                if (values_[module].kind != Kind::text || values_[global].kind != Kind::text)
                    fail("asks for something without a name");
                push_global(values_[module].text, values_[global].text);
                break;
            }
            case 'R':
                call();
                break;
            case 'b':
                build();
                break;
            case 'Q':
                push_persistent();
                break;
            default:
                fail(fmt::format("the operation 0x{:02x} is not one that saved tensors need", opcode),
                     "save the model's state_dict() with torch.save()");
        }
        return true;
    }

    std::vector<PickleValue>& values_;
    std::string_view bytes_;
    std::span<const std::string_view> globals_;
    const std::string& name_;
    std::size_t at_ = 0, opcode_at_ = 0;
    std::vector<Index> stack_;
    std::unordered_map<Index, Index> memo_;
};

Pickle::Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& name) {
    PickleMachine(*this, bytes, globals, name);
}

}  // namespace tracebench
