// What a run reports: a table for people, metrics for programs.

#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"
#include "mix.h"

namespace lm::mix_tool {

namespace {

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
      append(out, tool_options::table_cell(plan.cutter.spec(i)), "\t", c.documents, "\t", c.spans,
             "\t", c.chars, "\t", c.skipped, "\t", c.bad, "\n");
    }
    out += "\n";
  }
  if (plan.cleaners.size() > 0) out += clean_table(plan.cleaners, counts.cleaners);
  append(out, "records\tcount\tbytes\n");
  append(out, "rejected\t", rejected, "\t\n");
  for (const auto& [name, tally] :
       {std::pair("removed", counts.removed), std::pair("unsampled", counts.unsampled),
        std::pair("emptied", counts.emptied), std::pair("too_short", counts.too_short),
        std::pair("kept", counts.kept)}) {
    if (name == std::string_view("too_short") && plan.min_length == 0) continue;
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
    append(out, tool_options::table_cell(one.source), "\t", one.size.documents, "\t",
           one.size.amount, "\t", format_fixed(one.rate, 4), "\n");
  return out + "\n";
}

Metrics count_metrics(const Plan& plan, const Counts& counts, i64 rejected) {
  Metrics out;
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
  out.emplace_back("rules", rules + "]");
  std::string cuts = "[";
  for (i64 i = 0; i < plan.cutter.size(); ++i) {
    const mix::CutCounts& c = counts.cuts[usize(i)];
    append(cuts, i > 0 ? "," : "", "{\"cut\":", io::json_string(plan.cutter.spec(i)),
           ",\"documents\":", c.documents, ",\"spans\":", c.spans, ",\"chars\":", c.chars,
           ",\"skipped\":", c.skipped, ",\"bad\":", c.bad, "}");
  }
  out.emplace_back("cuts", cuts + "]");
  out.emplace_back("rejected", cat(rejected));
  out.emplace_back("removed", tally_json(counts.removed));
  out.emplace_back("unsampled", tally_json(counts.unsampled));
  if (plan.cleaners.size() > 0) {
    out.emplace_back("cleaners", clean_json(plan.cleaners, counts.cleaners));
    out.emplace_back("dropped", tally_json(counts.dropped));
  }
  out.emplace_back("emptied", tally_json(counts.emptied));
  out.emplace_back("too_short", tally_json(counts.too_short));
  out.emplace_back("kept", tally_json(counts.kept));
  out.emplace_back("copies", cat(counts.copies));
  return out;
}

}  // namespace lm::mix_tool
