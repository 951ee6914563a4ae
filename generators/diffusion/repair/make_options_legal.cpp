#include "generators/diffusion/repair/option_list.h"
#include "generators/diffusion/repair/steps.h"

namespace tracebench::diffusion {
namespace {

constexpr int fixed_words = 5;  // of both headers, without options

OptionBits options_at(NprintRow& bits, std::size_t first) {
    return OptionBits(bits.data() + first, 8 * kOptionBytes);
}

}  // namespace

void make_options_legal(Draft& draft) {
    for (DraftRow& row : draft.rows) {
        const DraftFlow& flow = draft.flow_of(row);
        if (!flow.ipv6) {
            put(row.bits, field::version, 4);
            const int words = static_cast<int>(get(row.bits, field::header_words)) - fixed_words;
            const std::uint32_t options =
                make_option_length_legal(options_at(row.bits, field::ip_options), words);
            put(row.bits, field::header_words, fixed_words + options);
        }
        if (!row.has_transport || flow.protocol != ip_protocol::tcp) continue;
        const int words = static_cast<int>(get(row.bits, field::data_offset)) - fixed_words;
        const bool syn = get(row.bits, field::syn_flag) != 0;
        const std::uint32_t options =
            make_option_list_legal(options_at(row.bits, field::tcp_options), words, syn);
        put(row.bits, field::data_offset, fixed_words + options);
    }
}

}  // namespace tracebench::diffusion
