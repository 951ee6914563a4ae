#pragma once
/// The nDPI set: some 250 real captures named by application, with per-flow verdicts, from the source package
/// that Debian ships (LGPL-3).

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"

namespace tracebench {

/// One flow line of a tests/result/*.out file.
struct NdpiVerdict {
    std::string flow_id;  ///< as in labels.csv
    std::string label;    ///< application in lower case, merged (docs/datasets.md): `netflix`, `teams`
};

/// The flow lines of one result file, in order; lines of other kinds are passed over.
std::vector<NdpiVerdict> parse_ndpi_result(const std::string& text);

/// The class of an nDPI protocol name such as "TLS.NetFlix": what stands behind the last dot, in lower case,
/// with names of one service merged; the carrier ("tls", "http", "dns") where no application is named.
std::string ndpi_label(const std::string& protocol);

struct FetchReport {
    std::size_t captures = 0, flows = 0;
    std::vector<std::string> classes;  ///< those of the manifest: enough flows, a real application
    std::filesystem::path manifest;
};

/// Downloads Debian's ndpi source package with apt-get (signatures are verified by apt against the machine's
/// own archive keys; nothing of the system's configuration changes), checks its SHA-256 where the version is
/// the one known here, unpacks captures and verdicts, and writes `folder`/captures, labels.csv and
/// manifest.json. The folder appears complete or not at all. Throws InputError: no apt-get, no network, an
/// archive that is not what was expected.
FetchReport fetch_ndpi(const std::filesystem::path& folder, Progress& progress);

}  // namespace tracebench
