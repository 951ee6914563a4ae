#include "reports/assets.h"

// The assembler copies a file into the read-only data: no generated source, and a megabyte costs no time.
// ccache steps aside for .incbin by itself; CMake lists the files as dependencies of this one.
#define TRACEBENCH_EMBED(name, path)                                     \
    asm(".pushsection .rodata\n"                                         \
        ".balign 16\n"                                                   \
        ".global tracebench_asset_" #name                                \
        "\n"                                                             \
        "tracebench_asset_" #name                                        \
        ":\n"                                                            \
        ".incbin \"" path                                                \
        "\"\n"                                                           \
        ".global tracebench_asset_" #name                                \
        "_end\n"                                                         \
        "tracebench_asset_" #name                                        \
        "_end:\n"                                                        \
        ".byte 0\n"                                                      \
        ".popsection\n");                                                \
    extern "C" const char tracebench_asset_##name[];                     \
    extern "C" const char tracebench_asset_##name##_end[];               \
    std::string_view tracebench::assets::name() {                        \
        return {tracebench_asset_##name, tracebench_asset_##name##_end}; \
    }

TRACEBENCH_EMBED(results_schema, TRACEBENCH_REPORTS_DIR "/results.schema.json")
