#include <nlohmann/json.hpp>

#include "reports/assets.h"
#include "reports/page.h"
#include "reports/render.h"

namespace tracebench {

std::string render_html(const RunRecord& record) {
    return assemble_page("tracebench report", assets::report_html(), assets::report_js(),
                         rounded(record.to_json(), 7));
}

}  // namespace tracebench
