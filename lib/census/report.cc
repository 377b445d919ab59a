#include "census/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/str.h"

namespace lm::census {

namespace {

using Row = std::vector<std::string>;

constexpr i64 kMostColumns = 8;  // of a cross table

// Tops and crosses whose counts are of a sample say so.
std::string sample_note(const Tally& tally) {
  if (tally.exact()) return "";
  return cat("estimated from 1 in ", i64{1} << tally.level(), " documents");
}

Section totals_section(const Census& census) {
  const Totals& t = census.whole.totals;
  Section out{.title = "totals"};
  const auto put = [&out](const char* name, i64 value) { out.rows.push_back({name, cat(value)}); };
  out.rows.push_back({"what", "count"});
  put("records", t.documents + census.rejected);
  put("rejected", census.rejected);
  put("documents", t.documents);
  put("text bytes", t.bytes);
  put("characters", t.chars);
  put("words", t.words);
  if (!census.plan.tokens.empty()) put("tokens", t.tokens);
  put("without text", t.without_text);
  put("empty texts", t.empty);
  put("without id", t.without_id);
  out.rows.push_back(
      {"repeated ids", cat(census.ids.repeated(), census.ids.exact() ? "" : " (estimated)")});
  if (t.longest >= 0) {
    put("longest text", t.longest);
    out.rows.push_back({"its source", short_value(t.longest_source)});
    out.rows.push_back({"its id", short_value(t.longest_id)});
  }
  return out;
}

std::string shown_name(const std::string& name) {
  constexpr std::string_view kParent = "attributes.";
  return name.starts_with(kParent) ? name.substr(kParent.size()) : name;
}

Row number_head(const Layout& layout, const Row& before) {
  Row head = before;
  for (const char* const name : {"documents", "missing", "mean", "sd", "min"})
    head.emplace_back(name);
  for (const f64 q : layout.quantiles)
    head.push_back(cat("p", format_float(q * 100)));
  head.emplace_back("max");
  return head;
}

Row number_row(const NumberSummary& one, i64 documents, bool exact, Row row) {
  const Numbers& n = *one.numbers;
  row.push_back(cat(n.count()));
  row.push_back(cat(documents - n.count()));
  const auto put = [&](f64 value) { row.push_back(number_text(value, exact)); };
  put(n.moments().mean());
  put(std::sqrt(n.moments().variance()));
  const f64 nothing = std::nan("");
  put(n.count() > 0 ? n.min() : nothing);
  for (const f64 q : one.quantiles)
    put(q);
  put(n.count() > 0 ? n.max() : nothing);
  return row;
}

void number_sections(const Census& census, const Layout& layout, bool exact,
                     std::vector<Section>& out) {
  const i64 documents = census.whole.totals.documents;
  const std::vector<NumberSummary> summaries = number_summaries(census.plan, census.whole, layout);
  if (summaries.empty()) return;
  Section numbers{.title = "numbers"};
  if (census.whole.fields.level() > 0)
    numbers.note = cat("more than ", Fields::kMost, " fields: those of 1 in ",
                       i64{1} << census.whole.fields.level(), " names");
  numbers.rows.push_back(number_head(layout, {"name"}));
  Section spans{.title = "spans"};
  spans.rows.push_back({"name", "documents", "empty", "spans", "most", "covered"});
  Section odd{.title = "fields without a number", .detail = true};
  odd.rows.push_back({"name", "absent", "null", "empty", "other"});
  for (const NumberSummary& one : summaries) {
    numbers.rows.push_back(number_row(one, documents, exact, {shown_name(one.name)}));
    if (one.field == nullptr) continue;
    const Field& f = *one.field;
    odd.rows.push_back({one.name, cat(one.absent), cat(f.nulls), cat(f.empty), cat(f.unfit)});
    if (!f.spans) continue;
    const Numbers counts = f.all_spans();
    const Numbers covered = f.all_covered();
    spans.rows.push_back({shown_name(one.name), cat(counts.count()), cat(f.empty),
                          number_text(counts.moments().sum(), exact),
                          number_text(counts.max(), exact),
                          number_text(covered.moments().mean(), exact)});
  }
  out.push_back(std::move(numbers));
  if (spans.rows.size() > 1) out.push_back(std::move(spans));
  if (odd.rows.size() > 1) out.push_back(std::move(odd));
  if (!layout.histograms) return;
  for (const NumberSummary& one : summaries) {
    Section section{.title = cat("histogram of ", shown_name(one.name))};
    section.rows.push_back({"values", "documents", "share"});
    const i64 count = one.numbers->count();
    if (one.histogram.zeros > 0)
      section.rows.push_back(
          {"0", cat(one.histogram.zeros), share_text(one.histogram.zeros, count)});
    for (std::size_t i = 0; i < one.histogram.bins.size(); ++i) {
      const i64 n = one.histogram.bins[i].count;
      section.rows.push_back({bin_name(one.histogram, i, exact), cat(n), share_text(n, count)});
    }
    out.push_back(std::move(section));
  }
}

void edge_sections(const Census& census, std::vector<Section>& out) {
  for (std::size_t i = 0; i < census.edges.size(); ++i) {
    const EdgeLabel& label = census.plan.edges[i];
    const EdgeCounts& counts = census.edges[i];
    i64 sum = 0;
    for (const i64 count : counts.counts)
      sum += count;
    Section section{.title = cat("bins of ", shown_name(label.name))};
    section.rows.push_back({"values", "documents", "share"});
    const std::vector<std::string> names = bin_names(label);
    for (std::size_t bin = 0; bin < names.size(); ++bin)
      section.rows.push_back(
          {names[bin], cat(counts.counts[bin]), share_text(counts.counts[bin], sum)});
    out.push_back(std::move(section));
  }
}

void top_sections(const Census& census, const Layout& layout, std::vector<Section>& out) {
  const i64 documents = census.whole.totals.documents;
  for (std::size_t i = 0; i < census.tops.size(); ++i) {
    const Tally& top = census.tops[i];
    Section section{.title = cat("values of ", census.plan.tops[i])};
    section.note =
        cat(number_text(top.distinct(), true), top.exact() ? "" : " (about)", " different values");
    if (!top.exact()) section.note += cat("; ", sample_note(top));
    section.rows.push_back({"value", "documents", "share"});
    for (const Tally::Entry& entry : top.top(layout.show))
      section.rows.push_back({entry.value, cat(entry.count), share_text(entry.count, documents)});
    if (census.top_missing[i] > 0)
      section.rows.push_back(
          {"(none)", cat(census.top_missing[i]), share_text(census.top_missing[i], documents)});
    out.push_back(std::move(section));
  }
}

void group_sections(const Census& census, const Layout& layout, bool exact,
                    std::vector<Section>& out) {
  if (census.plan.group.empty()) return;
  const Plan& plan = census.plan;
  Section section{.title = cat("groups by ", plan.group)};
  Row head = {"group", "documents", "share", "text bytes", "characters", "words"};
  if (!plan.tokens.empty()) head.emplace_back("tokens");
  if (!plan.rules.empty()) head.emplace_back("kept");
  for (const std::string& name : plan.numbers)
    head.push_back(cat("mean ", name));
  section.rows.push_back(head);
  Section detail{.title = "numbers by group", .detail = true};
  detail.rows.push_back(number_head(layout, {"group", "name"}));
  census.groups.each([&](std::string_view key, const Cell& cell) {
    const Totals& t = cell.totals;
    Row row = {
        group_name(key), cat(t.documents), share_text(t.documents, census.whole.totals.documents),
        cat(t.bytes),    cat(t.chars),     cat(t.words)};
    if (!plan.tokens.empty()) row.push_back(cat(t.tokens));
    if (!plan.rules.empty()) row.push_back(cat(t.kept));
    for (const Numbers& numbers : cell.numbers)
      row.push_back(number_text(numbers.moments().mean(), exact));
    section.rows.push_back(std::move(row));
  });
  detail.more = [&census, &plan, layout, exact](const auto& put) {
    census.groups.each([&](std::string_view key, const Cell& cell) {
      for (const NumberSummary& one : number_summaries(plan, cell, layout))
        put(number_row(one, cell.totals.documents, exact, {group_name(key), one.name}));
    });
  };
  out.push_back(std::move(section));
  out.push_back(std::move(detail));
}

void cross_section(const Census& census, const Layout& layout, std::vector<Section>& out) {
  if (census.plan.cross.empty()) return;
  const CrossTable table = cross_table(census.cross, layout.show, kMostColumns);
  Section section{.title = cat(census.plan.cross[0], " by ", census.plan.cross[1])};
  section.note = sample_note(census.cross);
  Row head = {census.plan.cross[0]};
  head.insert(head.end(), table.columns.begin(), table.columns.end());
  section.rows.push_back(std::move(head));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Row row = {table.rows[i]};
    for (const i64 count : table.counts[i])
      row.push_back(cat(count));
    section.rows.push_back(std::move(row));
  }
  out.push_back(std::move(section));
}

void rule_sections(const Census& census, std::vector<Section>& out) {
  const Plan& plan = census.plan;
  if (plan.rules.empty()) return;
  const Totals& t = census.whole.totals;
  const bool tokens = !plan.tokens.empty();
  Section section{.title = "rules"};
  Row head = {"rule", "kind", "seen", "matched", "share", "alone", "bytes", "bytes_alone"};
  if (tokens) head.insert(head.end(), {"tokens", "tokens_alone"});
  section.rows.push_back(std::move(head));
  for (std::size_t i = 0; i < plan.rules.size(); ++i) {
    const mix::RuleCounts& c = census.rules[i];
    Row row = {plan.rules[i].name,
               plan.rules[i].kind,
               cat(t.documents),
               cat(c.matched),
               share_text(c.matched, t.documents),
               cat(c.alone),
               cat(c.bytes),
               cat(c.bytes_alone)};
    if (tokens) row.insert(row.end(), {cat(c.amount), cat(c.amount_alone)});
    section.rows.push_back(std::move(row));
  }
  out.push_back(std::move(section));
  Section sums{.title = "with all rules"};
  sums.rows.push_back({"records", "count", "bytes"});
  if (tokens) sums.rows[0].emplace_back("tokens");
  const auto put = [&](const char* name, i64 count, i64 bytes, i64 amount) {
    sums.rows.push_back({name, cat(count), cat(bytes)});
    if (tokens) sums.rows.back().push_back(cat(amount));
  };
  put("kept", t.kept, t.kept_line_bytes, t.kept_tokens);
  put("removed", t.documents - t.kept, t.line_bytes - t.kept_line_bytes, t.tokens - t.kept_tokens);
  sums.rows.push_back({"rejected", cat(census.rejected), ""});
  if (tokens) sums.rows.back().emplace_back("");
  out.push_back(std::move(sums));
}

void example_sections(const Census& census, std::vector<Section>& out) {
  const auto put = [&out](std::string title, const Examples& examples) {
    if (examples.kept().empty()) return;
    Section section{.title = std::move(title), .texts = true};
    section.rows.push_back({"source", "id", "bytes", "values", "text"});
    for (const Example& one : examples.kept())
      section.rows.push_back({one.source, one.id, cat(one.bytes), one.notes, one.text});
    out.push_back(std::move(section));
  };
  for (std::size_t i = 0; i < census.rule_examples.size(); ++i)
    put(cat("removed by ", census.plan.rules[i].name), census.rule_examples[i]);
  for (std::size_t i = 0; i < census.edges.size(); ++i) {
    const std::vector<std::string> names = bin_names(census.plan.edges[i]);
    for (std::size_t bin = 0; bin < names.size(); ++bin)
      put(cat(shown_name(census.plan.edges[i].name), " in ", names[bin]),
          census.edges[i].examples[bin]);
  }
}

}  // namespace

std::string number_text(f64 value, bool exact) {
  if (!std::isfinite(value)) return "-";
  if (exact || (std::fabs(value) < 1e15 && value == std::floor(value))) return format_float(value);
  char buf[32];
  const std::to_chars_result end =
      std::to_chars(buf, buf + sizeof buf, value, std::chars_format::general, 5);
  return std::string(buf, end.ptr);
}

std::string share_text(i64 part, i64 whole) {
  if (whole == 0) return "-";
  return cat(format_fixed(100 * static_cast<f64>(part) / static_cast<f64>(whole), 1), " %");
}

std::vector<std::string> bin_names(const EdgeLabel& label) {
  std::vector<std::string> out = {cat("below ", format_float(label.edges.front()))};
  for (std::size_t i = 0; i + 1 < label.edges.size(); ++i)
    out.push_back(
        cat("[", format_float(label.edges[i]), ", ", format_float(label.edges[i + 1]), ")"));
  out.push_back(cat("from ", format_float(label.edges.back())));
  return out;
}

std::string bin_name(const Histogram& histogram, std::size_t bin, bool exact) {
  const Bin& one = histogram.bins[bin];
  if (one.low == one.high) return number_text(one.low, exact);
  const bool last = bin + 1 == histogram.bins.size() && !histogram.logarithmic;
  return cat("[", number_text(one.low, exact), ", ", number_text(one.high, exact),
             last ? "]" : ")");
}

std::vector<NumberSummary> number_summaries(const Plan& plan, const Cell& cell,
                                            const Layout& layout) {
  std::vector<NumberSummary> out;
  for (std::size_t i = 0; i < cell.numbers.size(); ++i)
    out.push_back({.name = plan.numbers[i],
                   .expression = plan.number_expressions[i],
                   .numbers = &cell.numbers[i],
                   .absent = cell.totals.documents - cell.numbers[i].count()});
  for (const auto& [path, field] : cell.fields.sorted()) {
    const i64 there = field->value.count() + field->nulls + field->empty + field->unfit;
    out.push_back({.name = std::string(path),
                   .numbers = &field->value,
                   .field = field,
                   .absent = cell.totals.documents - there});
  }
  for (NumberSummary& one : out) {
    const std::vector<std::pair<f64, i64>> values = one.numbers->values();
    for (const f64 q : layout.quantiles)
      one.quantiles.push_back(one.numbers->quantile(values, q));
    one.histogram = one.numbers->histogram(values, layout.bins);
  }
  return out;
}

CrossTable cross_table(const Tally& cross, i64 rows, i64 columns) {
  std::vector<std::map<std::string_view, i64>> sums(2);
  const std::vector<Tally::Entry> entries = cross.top(0);
  for (const Tally::Entry& entry : entries) {
    const auto [a, b] = split_pair(entry.value);
    sums[0][a] += entry.count;
    sums[1][b] += entry.count;
  }
  // Places by falling sum; the last stands for all that are not shown.
  std::vector<std::map<std::string_view, std::size_t>> places(2);
  CrossTable out;
  for (const std::size_t side : {0U, 1U}) {
    std::vector<std::pair<i64, std::string_view>> order;
    for (const auto& [key, sum] : sums[side])
      order.emplace_back(-sum, key);
    std::sort(order.begin(), order.end());
    const std::size_t most = usize(side == 0 ? rows : columns);
    std::vector<std::string>& names = side == 0 ? out.rows : out.columns;
    for (const auto& [sum, key] : order) {
      places[side][key] = std::min(names.size(), most);
      if (names.size() < most) names.push_back(group_name(key));
    }
    if (order.size() > most) names.emplace_back("(other)");
  }
  out.counts.assign(out.rows.size(), std::vector<i64>(out.columns.size()));
  for (const Tally::Entry& entry : entries) {
    const auto [a, b] = split_pair(entry.value);
    out.counts[places[0][a]][places[1][b]] += entry.count;
  }
  return out;
}

std::vector<Section> sections(const Census& census, const Layout& layout, bool exact) {
  std::vector<Section> out = {totals_section(census)};
  rule_sections(census, out);
  number_sections(census, layout, exact, out);
  edge_sections(census, out);
  top_sections(census, layout, out);
  group_sections(census, layout, exact, out);
  cross_section(census, layout, out);
  example_sections(census, out);
  return out;
}

}  // namespace lm::census
