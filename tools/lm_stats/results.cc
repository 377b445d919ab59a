// What is printed.

#include <algorithm>
#include <functional>

#include "census/observer.h"
#include "census/partial.h"
#include "core/str.h"
#include "stats_tool.h"

namespace lm::stats_tool {

namespace {

constexpr std::size_t kWriteBytes = std::size_t{1} << 20;

census::Layout layout_of(const cli::Options& options) {
  census::Layout layout;
  layout.bins = options.integer("bins");
  layout.show = options.integer("show");
  layout.histograms = options.on("histograms");
  layout.quantiles.clear();
  for (const std::string_view text : split(options.text("quantiles"), ',')) {
    const std::optional<f64> q = parse_float(text);
    if (!q || !(*q >= 0 && *q <= 1) || (!layout.quantiles.empty() && *q <= layout.quantiles.back()))
      throw Error(ErrorKind::kUsage, cat("--quantiles: ", quote(options.text("quantiles")),
                                         " is not a list of ascending numbers from 0 to 1"));
    layout.quantiles.push_back(*q);
  }
  return layout;
}

/// Control characters would steer a terminal.
std::string printable(std::string_view line) {
  std::string out(line);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<u8>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

void add_texts(const census::Section& section, std::string& out) {
  for (std::size_t i = 1; i < section.rows.size(); ++i) {
    const std::vector<std::string>& row = section.rows[i];
    append(out, "- ", printable(row[0]), row[0].empty() ? "" : " ", printable(row[1]), ", ", row[2],
           " bytes", row[3].empty() ? "" : "; ", printable(row[3]), "\n");
    if (row[4].empty()) continue;
    for (const std::string_view line : split(row[4], '\n'))
      append(out, line.empty() ? "" : "    ", printable(line), "\n");
  }
}

}  // namespace

std::string text_report(const std::vector<census::Section>& sections) {
  std::string out;
  for (const census::Section& section : sections) {
    if (section.detail) continue;
    append(out, out.empty() ? "" : "\n", printable(section.title), "\n");
    if (section.texts) {
      add_texts(section, out);
    } else {
      std::vector<std::vector<std::string>> rows = section.rows;
      for (std::vector<std::string>& row : rows) {
        for (std::string& cell : row)
          cell = tool_options::table_cell(cell);
      }
      out += tool_options::aligned_table(rows);
    }
    if (!section.note.empty()) append(out, "(", section.note, ")\n");
  }
  return out;
}

void tsv_report(const std::vector<census::Section>& sections,
                const std::function<void(std::string_view piece)>& write) {
  std::string out;
  const auto put = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      append(out, i > 0 ? "\t" : "", tool_options::table_cell(row[i]));
    out += "\n";
    if (out.size() < kWriteBytes) return;
    write(out);
    out.clear();
  };
  for (const census::Section& section : sections) {
    append(out, &section == &sections.front() ? "" : "\n", "# ", printable(section.title), "\n");
    if (!section.note.empty()) append(out, "# note: ", section.note, "\n");
    for (const std::vector<std::string>& row : section.rows)
      put(row);
    if (section.more) section.more(put);
  }
  write(out);
}

Results::Results(cli::Tool& tool)
    : tool_(tool), layout_(layout_of(tool.options())), partial_(tool.options().on("partial")) {
  if (partial_) {
    tool.output();
    return;
  }
  tool_options::refuse_output_options(tool);
  printed_.emplace(tool);
  if (tool.options().given("html") && tool.options().text("html") == "-")
    throw Error(ErrorKind::kUsage, "--html: the page is a file, not standard output",
                "--json and --tsv print for programs");
  if (tool.options().given("html")) page_ = &tool.other_output(tool.options().text("html"));
}

void Held::fit(census::Census& census) {
  i64 bytes = census.bytes();
  const auto grow = [this](i64 to) {
    if (to > bytes_ && !budget_.try_charge(to - bytes_)) return false;
    if (to < bytes_) budget_.release(bytes_ - to);
    all_ += to - bytes_;
    bytes_ = to;
    return true;
  };
  // Many small runs take long to merge, so what is spilled should be worth it.
  const bool full = bytes > share_ && census.spillable() > share_ / 4;
  if (!full && grow(bytes)) return;
  census.spill();
  bytes = census.bytes();
  if (grow(bytes)) return;
  budget_.charge_growing(all_.load(), bytes - bytes_, "counts");
  all_ += bytes - bytes_;
  bytes_ = bytes;
}

void Held::release() {
  budget_.release(bytes_);
  all_ -= bytes_;
  bytes_ = 0;
}

void Results::write(census::Census& census) {
  census.settle();
  // What spilled is read again piece by piece, but for pairs of values.
  if (!partial_ && !census.plan.cross.empty())
    cross_.emplace(*tool_.ctx().memory, census.cross.top_bytes(), "a table of two fields");
  const census::Totals& totals = census.whole.totals;
  tool_.add_metric("records", cat("{\"input\":", totals.documents + census.rejected,
                                  ",\"rejected\":", census.rejected, ",\"kept\":", totals.kept,
                                  ",\"removed\":", totals.documents - totals.kept, "}"));
  if (partial_) return write_partial(census);
  census::check_seen(census);
  if (page_ != nullptr) page_->write(census::report_html(census, layout_));
  const auto print = [this](std::string_view piece) { printed_->write(piece); };
  if (tool_.options().on("json")) {
    census::report_json(census, layout_, print);
  } else if (tool_.options().on("tsv")) {
    tsv_report(census::sections(census, layout_, true), print);
  } else {
    printed_->write(text_report(census::sections(census, layout_, false)));
  }
}

void Results::write_partial(const census::Census& census) {
  io::OutputStream& out = tool_.output();
  std::string lines;
  io::StreamTotals sums;
  const auto flush = [&] {
    out.write(lines, sums);
    lines.clear();
    sums = {};
  };
  census::write_partial(census, [&](std::string_view line) {
    append(lines, line, "\n");
    sums.add_line(line);
    if (lines.size() >= kWriteBytes) flush();
  });
  flush();
}

}  // namespace lm::stats_tool
