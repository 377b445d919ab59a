// What a run reports: a table for people, metrics for programs.

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "mix.h"

namespace lm::mix_tool {

namespace {

const char* kind_name(mix::RuleKind kind) {
  return kind == mix::RuleKind::kWhere ? "where" : "drop";
}

/// Names come from users and from data; what would break the table is shown as JSON.
std::string cell(const std::string& text) {
  const auto control = [](char c) { return static_cast<u8>(c) < 0x20; };
  return std::any_of(text.begin(), text.end(), control) ? io::json_string(text) : text;
}

std::string tally_json(const Tally& tally) {
  return cat("{\"records\":", tally.records, ",\"bytes\":", tally.bytes, "}");
}

}  // namespace

std::string counts_table(const Plan& plan, const Counts& counts, i64 rejected) {
  std::string out;
  if (plan.rules.size() > 0) {
    append(out, "rule\tkind\tseen\tmatched\talone\tbytes\tbytes_alone",
           plan.count ? "\tamount\tamount_alone\n" : "\n");
    for (i64 i = 0; i < plan.rules.size(); ++i) {
      const mix::RuleCounts& c = counts.rules[usize(i)];
      append(out, plan.rules.name(i), "\t", kind_name(plan.rules.kind(i)), "\t", counts.good(),
             "\t", c.matched, "\t", c.alone, "\t", c.bytes, "\t", c.bytes_alone);
      if (plan.count) append(out, "\t", c.amount, "\t", c.amount_alone);
      out += "\n";
    }
    out += "\n";
  }
  if (plan.cutter.size() > 0) {
    out += "cut\tdocuments\tspans\tchars\tskipped\tbad\n";
    for (i64 i = 0; i < plan.cutter.size(); ++i) {
      const mix::CutCounts& c = counts.cuts[usize(i)];
      append(out, cell(plan.cutter.spec(i)), "\t", c.documents, "\t", c.spans, "\t", c.chars, "\t",
             c.skipped, "\t", c.bad, "\n");
    }
    out += "\n";
  }
  if (plan.cleaners.size() > 0) out += clean_table(plan.cleaners, counts.cleaners);
  append(out, "records\tcount\tbytes\n");
  append(out, "rejected\t", rejected, "\t\n");
  for (const auto& [name, tally] :
       {std::pair("removed", counts.removed), std::pair("unsampled", counts.unsampled),
        std::pair("emptied", counts.emptied), std::pair("kept", counts.kept)}) {
    append(out, name, "\t", tally.records, "\t", tally.bytes, "\n");
    if (name == std::string_view("unsampled") && plan.cleaners.size() > 0)
      append(out, "dropped\t", counts.dropped.records, "\t", counts.dropped.bytes, "\n");
  }
  append(out, "copies\t", counts.copies, "\t\n");
  return out;
}

std::string rates_table(const std::vector<mix::SourceRate>& rates) {
  std::string out = "source\tdocuments\tamount\trate\n";
  for (const mix::SourceRate& one : rates)
    append(out, cell(one.source), "\t", one.size.documents, "\t", one.size.amount, "\t",
           format_fixed(one.rate, 4), "\n");
  return out + "\n";
}

void add_metrics(cli::Tool& tool, const Plan& plan, const Counts& counts, i64 rejected) {
  std::string rules = "[";
  for (i64 i = 0; i < plan.rules.size(); ++i) {
    const mix::RuleCounts& c = counts.rules[usize(i)];
    append(rules, i > 0 ? "," : "", "{\"name\":", io::json_string(plan.rules.name(i)),
           ",\"kind\":\"", kind_name(plan.rules.kind(i)),
           "\",\"expression\":", io::json_string(plan.rules.source(i)), ",\"seen\":", counts.good(),
           ",\"matched\":", c.matched, ",\"alone\":", c.alone, ",\"bytes\":", c.bytes,
           ",\"bytes_alone\":", c.bytes_alone);
    if (plan.count) append(rules, ",\"amount\":", c.amount, ",\"amount_alone\":", c.amount_alone);
    rules += "}";
  }
  tool.add_metric("rules", rules + "]");
  std::string cuts = "[";
  for (i64 i = 0; i < plan.cutter.size(); ++i) {
    const mix::CutCounts& c = counts.cuts[usize(i)];
    append(cuts, i > 0 ? "," : "", "{\"cut\":", io::json_string(plan.cutter.spec(i)),
           ",\"documents\":", c.documents, ",\"spans\":", c.spans, ",\"chars\":", c.chars,
           ",\"skipped\":", c.skipped, ",\"bad\":", c.bad, "}");
  }
  tool.add_metric("cuts", cuts + "]");
  tool.add_metric("rejected", cat(rejected));
  tool.add_metric("removed", tally_json(counts.removed));
  tool.add_metric("unsampled", tally_json(counts.unsampled));
  if (plan.cleaners.size() > 0) {
    tool.add_metric("cleaners", clean_json(plan.cleaners, counts.cleaners));
    tool.add_metric("dropped", tally_json(counts.dropped));
  }
  tool.add_metric("emptied", tally_json(counts.emptied));
  tool.add_metric("kept", tally_json(counts.kept));
  tool.add_metric("copies", cat(counts.copies));
}

}  // namespace lm::mix_tool
