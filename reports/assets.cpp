#include "reports/assets.h"

// The assembler copies files into the read-only data, one after the other: no generated source, and a
// megabyte costs no time. ccache steps aside for .incbin by itself; CMake lists the files as dependencies of
// this one.
// clang-format off
#define FILE_CONTENT(path) ".incbin \"" path "\"\n"
#define HTML(name) FILE_CONTENT(TRACEBENCH_REPORTS_DIR "/html/" name)

#define EMBED(name, content)                                                             \
    asm(".pushsection .rodata\n"                                                         \
        ".global tracebench_asset_" #name "\n"                                           \
        "tracebench_asset_" #name ":\n"                                                  \
        content                                                                          \
        ".global tracebench_asset_" #name "_end\n"                                       \
        "tracebench_asset_" #name "_end:\n"                                              \
        ".byte 0\n"                                                                      \
        ".popsection\n");                                                                \
    extern "C" const char tracebench_asset_##name[];                                     \
    extern "C" const char tracebench_asset_##name##_end[];                               \
    std::string_view tracebench::assets::name() {                                        \
        return {tracebench_asset_##name, tracebench_asset_##name##_end};                 \
    }

EMBED(results_schema, FILE_CONTENT(TRACEBENCH_REPORTS_DIR "/results.schema.json"))
EMBED(page_html, HTML("page.html"))
EMBED(style_css, HTML("style.css"))
EMBED(echarts_js, FILE_CONTENT(TRACEBENCH_ECHARTS))
EMBED(library_js, HTML("format.js") HTML("dom.js") HTML("data.js") HTML("table.js") HTML("chart.js") HTML("page.js"))
EMBED(report_html, HTML("report.html"))
EMBED(report_js, HTML("verdict.js") HTML("measures.js") HTML("fields.js") HTML("distributions.js") HTML("behaviour.js") HTML("compliance.js")
                 HTML("sessions.js") HTML("pictures.js") HTML("classifiers.js") HTML("privacy.js") HTML("training.js") HTML("repair.js")
                 HTML("generators.js")
                 HTML("datasets.js") HTML("measurements.js") HTML("reproduce.js") HTML("report.js"))
EMBED(comparison_html, HTML("comparison.html"))
EMBED(comparison_js, HTML("comparison.js"))
