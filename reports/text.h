#pragma once
/// Hostile text and numbers made safe and short for the formats rendered here.

#include <string>
#include <string_view>

namespace tracebench {

/// `text` as XML character data or attribute value; what XML 1.0 forbids or is not UTF-8 becomes U+FFFD.
std::string escape_xml(std::string_view text);
/// `text` as the inside of a GitHub-flavoured Markdown table cell: no markup, no line break, no HTML.
std::string escape_markdown(std::string_view text);
/// `text` as the inside of a Markdown code span: backquotes and line breaks replaced.
std::string code_span(std::string_view text);
/// JSON text as the content of an HTML <script> element: `<`, `>`, `&`, U+2028 and U+2029 as \uXXXX.
std::string escape_script_json(std::string_view json);

/// Three significant digits ("0.412", "1.2e-07"); "-" for NaN.
std::string format_number(double value);
/// The same with its sign: "+0.03".
std::string signed_number(double value);

}  // namespace tracebench
