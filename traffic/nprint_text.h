#pragma once
/// nPrint's text: a header line, then a line a packet: an index (the source address) and the 1088 bits.
///
///     NprintTextWriter writer("session.npt");
///     while (reader.next(packet)) writer.write(packet);
///     writer.commit();

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traffic/headers.h"
#include "traffic/nprint.h"
#include "traffic/packet.h"

namespace tracebench {

/// Writes what `nprint -P CAPTURE -4 -t -u -i` (version 1.2.1) writes, byte for byte.
class NprintTextWriter {
  public:
    /// `-` writes to standard output. Throws InputError where the place cannot be written.
    explicit NprintTextWriter(const std::filesystem::path& path);
    ~NprintTextWriter();
    NprintTextWriter(const NprintTextWriter&) = delete;
    NprintTextWriter& operator=(const NprintTextWriter&) = delete;

    /// False where nPrint skips the packet. Headers are found where nPrint looks for them: in particular a
    /// frame with a VLAN tag has no row (or, by chance of its bytes, a senseless one), and the payload of
    /// later fragments is shown as a header. Where the snap length cut a frame within its headers, nPrint
    /// reads on: it shows the bytes of earlier, longer packets that are left in libpcap's buffer. So does
    /// this (zeros before there was a longer one), and overread() counts such rows.
    bool write(const PacketView& packet);
    std::uint64_t overread() const;
    /// The same line from our own dissection, see nprint_row(): finds more packets than nPrint.
    bool write(const PacketView& packet, const Headers& headers);
    /// Flushes and renames into place. Throws InputError (disk full).
    void commit();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Reads nPrint's text as nPrint or a generator wrote it: the header line tells which columns there are, in
/// any order; columns of other headers and other data are ignored, missing ones are -1 everywhere.
class NprintTextReader {
  public:
    /// `-` reads standard input. Throws InputError: unreadable, empty, no nPrint column in the header line,
    /// a column named twice, a header line over 1 MiB.
    explicit NprintTextReader(const std::filesystem::path& path);
    ~NprintTextReader();
    NprintTextReader(const NprintTextReader&) = delete;
    NprintTextReader& operator=(const NprintTextReader&) = delete;

    /// The next row; false at the end. Throws InputError that names line and column: a row of another
    /// length than the header line, a value other than 1, 0, -1 (1.0, 0.0, -1.0 and empty for -1, as
    /// dataframe libraries write them, are accepted).
    bool next(NprintRow& row);
    /// When the packet of the last row was sent, by nPrint's `tv_sec`,`tv_usec` or `rts` columns (options -A
    /// and -R); none without them.
    std::optional<std::int64_t> time_ns() const;

    /// Which columns of the layout the header line has.
    const std::vector<bool>& present() const;
    /// Columns of the header line that mean nothing here, such as `payload_bit_0`.
    const std::vector<std::string>& ignored() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tracebench
