#pragma once
/// nPrint rows back to a capture: what a generator that thinks in nPrint has made, as packets.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traffic/nprint.h"

namespace tracebench {

/// Writes rows as Ethernet frames cut after the transport header, original length by the IPv4 total length.
/// nPrint itself writes raw IP; Ethernet makes frame lengths comparable with real captures. MAC addresses
/// are locally administered ones made from the IPv4 addresses.
class NprintCaptureWriter {
  public:
    /// Between packets whose times are unknown, from the capture's start at the epoch.
    static constexpr std::int64_t gap_ns = 1'000'000;

    /// `present` tells which columns of the layout the rows were given in. Version, header length, total
    /// length, TTL, protocol and addresses that were not are filled in (192.0.2.1 to 198.51.100.1), and the
    /// IPv4 checksum is then computed anew; everything else stays as it is in the row.
    NprintCaptureWriter(const std::filesystem::path& path, const std::vector<bool>& present);
    ~NprintCaptureWriter();
    NprintCaptureWriter(const NprintCaptureWriter&) = delete;
    NprintCaptureWriter& operator=(const NprintCaptureWriter&) = delete;

    /// False where the row has no IPv4 header (such as those of IPv6 packets): nothing is written then.
    bool write(const NprintRow& row, std::optional<std::int64_t> time_ns = std::nullopt);
    void commit();

    /// The fields filled in, such as `ipv4_src`.
    const std::vector<std::string>& filled() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tracebench
