// A census as one HTML page: tables, histograms as SVG, examples of what each rule would remove.

#include <algorithm>
#include <array>

#include "census/report.h"
#include "core/str.h"
#include "core/utf8.h"
#include "stat/chart.h"

namespace lm::census {

namespace {

constexpr const char* kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>lm-stats</title>\n<style>\n"
    ":root{color-scheme:light dark;--back:#fff;--text:#222;--soft:#555;--rule:#ddd;--pre:#f4f4f1}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#16181b;--text:#e4e4e0;--soft:#a9adb3;"
    "--rule:#3a3e44;--pre:#22252a}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:960px;margin:1.5em auto;padding:0 1em;"
    "color:var(--text);background:var(--back)}\n"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid var(--rule)}"
    "h3{font-size:1em;margin-bottom:.2em}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}"
    "td,th{padding:3px 8px;text-align:right;border-bottom:1px solid var(--rule);"
    "vertical-align:top}td:first-child,th:first-child{text-align:left}\n"
    ".note{color:var(--soft);font-size:.9em;margin:.3em 0}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:1em}"
    "svg{display:block;width:100%;height:auto}\n"
    "pre{background:var(--pre);padding:8px;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font-size:.85em;margin:.3em 0 1em}\n"
    "</style></head><body>\n";

// Text for a page: markup escaped, characters that a page may not hold as U+FFFD.
std::string shown(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const u8 byte = static_cast<u8>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
      append_utf8(clean, kReplacement);
    } else {
      clean.push_back(c);
    }
  }
  return stat::markup_escaped(clean);
}

std::string table_html(const Section& section) {
  std::string out = "<div class=\"wide\"><table>\n";
  for (std::size_t i = 0; i < section.rows.size(); ++i) {
    const char* const tag = i == 0 ? "th" : "td";
    out += "<tr>";
    for (const std::string& cell : section.rows[i])
      append(out, "<", tag, ">", shown(cell), "</", tag, ">");
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string texts_html(const Section& section) {
  std::string out;
  for (std::size_t i = 1; i < section.rows.size(); ++i) {
    const std::vector<std::string>& row = section.rows[i];
    append(out, "<p class=\"note\">", shown(row[0]), row[0].empty() ? "" : " ", "<b>",
           shown(row[1]), "</b>, ", shown(row[2]), " bytes", row[3].empty() ? "" : "; ",
           shown(row[3]), "</p><pre>", shown(row[4]), "</pre>\n");
  }
  return out;
}

std::string rule_expressions(const Census& census) {
  std::string out;
  for (const RuleLabel& rule : census.plan.rules)
    append(out, "<p class=\"note\"><b>", shown(rule.name), "</b>: ", shown(rule.kind), " <code>",
           shown(rule.expression), "</code></p>\n");
  return out;
}

std::string histograms_html(const Census& census, const Layout& layout) {
  std::string out;
  for (const NumberSummary& one : number_summaries(census.plan, census.whole, layout)) {
    if (one.histogram.bins.empty()) continue;
    stat::HistogramChart chart;
    chart.title = one.name.substr(one.name.starts_with("attributes.") ? 11 : 0);
    chart.y_name = "documents";
    chart.log_x = one.histogram.logarithmic;
    for (const Bin& bin : one.histogram.bins)
      chart.bins.push_back({bin.low, bin.high, bin.count});
    if (one.histogram.zeros > 0) chart.x_name = cat(one.histogram.zeros, " are zero");
    append(out, "<div>", stat::svg(chart), "</div>\n");
  }
  return out.empty() ? out : cat("<h2>histograms</h2>\n<div class=\"charts\">\n", out, "</div>\n");
}

}  // namespace

std::string report_html(const Census& census, const Layout& layout) {
  Layout plain = layout;
  plain.histograms = false;
  std::string out = cat(kHead, "<h1>lm-stats</h1>\n");
  bool drawn = false;
  for (const Section& section : sections(census, plain, false)) {
    if (section.detail) continue;
    if (!drawn && section.texts) {
      out += histograms_html(census, layout);
      drawn = true;
    }
    append(out, "<h2>", shown(section.title), "</h2>\n");
    if (!section.note.empty()) append(out, "<p class=\"note\">", shown(section.note), "</p>\n");
    if (section.title == "rules") out += rule_expressions(census);
    out += section.texts ? texts_html(section) : table_html(section);
  }
  if (!drawn) out += histograms_html(census, layout);
  return out + "</body></html>\n";
}

}  // namespace lm::census
