#include "bench/packet_pictures.h"

#include "base/base64.h"
#include "traffic/nprint_image.h"

namespace tracebench {

bool PacketPictures::wants(const std::string& label) const {
    return labels_.size() < most_labels && !labels_.contains(label);
}

void PacketPictures::add(const std::string& label, const Trace& trace) {
    if (!wants(label)) return;
    std::vector<NprintRow> rows;
    NprintRow row;
    for (const PacketView& packet : trace.packets) {
        if (rows.size() == most_rows) break;
        if (nprint_row(packet, dissect(packet), row)) rows.push_back(row);
    }
    if (rows.empty()) return;
    labels_.insert(label);
    pictures_.push_back({{"label", label},
                         {"rows", rows.size()},
                         {"packets", trace.size()},
                         {"png", base64(nprint_png(rows))}});
}

}  // namespace tracebench
