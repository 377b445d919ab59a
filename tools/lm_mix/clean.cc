#include "clean.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"

namespace lm::mix_tool {

std::vector<cli::Flag> clean_flags() {
  const std::string g = "Cleaners";
  return {
      {.name = "clean",
       .kind = cli::FlagKind::kList,
       .value_name = "NAME[:OPTION=VALUE,...]",
       .group = g,
       .help = "clean texts by published rules, behind cuts; may be repeated, in this order",
       .details = "A cleaner changes the text or drops the document: c4, c4-paragraph, fineweb, "
                  "nemo-en, ratio-lines, counter-lines, line-len, ban-lines, word-removal, pii, "
                  "mojibake.",
       .main = true},
      {.name = "as-attributes",
       .kind = cli::FlagKind::kSwitch,
       .group = g,
       .help = "change and drop nothing: write what cleaners would remove as attributes "
               "clean__NAME__TYPE, drops as clean__NAME__drop_REASON",
       .needs = {"clean|recipe"}},
  };
}

void add_steps(std::vector<clean::StepCounts>& sum, const std::vector<clean::StepCounts>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i)
    sum[i].add(more[i]);
}

namespace {

/// Calls visit(name, count, is_drop) for the types, then for the reasons.
template <typename Visit>
void each_finding(const clean::CleanerDef& def, const clean::StepCounts& counts, Visit visit) {
  for (std::size_t i = 0; i < counts.edits.size(); ++i)
    visit(def.types[i].name, counts.edits[i], false);
  for (std::size_t i = 0; i < counts.by_reason.size(); ++i)
    visit(def.reasons[i].name, counts.by_reason[i], true);
}

}  // namespace

std::string clean_table(const clean::ChainPlan& plan,
                        const std::vector<clean::StepCounts>& counts) {
  std::string out =
      "cleaner\tdocuments\tchanged\tdropped\tlines\tlines_removed\tchars_removed\tchars_added\n";
  std::string findings = "cleaner\tfinding\tkind\tcount\n";
  for (i64 i = 0; i < isize(counts); ++i) {
    const clean::StepCounts& c = counts[usize(i)];
    const std::string& name = plan.def(i).name;
    append(out, name, "\t", c.documents, "\t", c.changed, "\t", c.dropped, "\t", c.lines, "\t",
           c.lines_removed, "\t", c.chars_removed, "\t", c.chars_added, "\n");
    each_finding(plan.def(i), c, [&](const std::string& finding, i64 count, bool drop) {
      if (count > 0)
        append(findings, name, "\t", finding, "\t", drop ? "drop" : "span", "\t", count, "\n");
    });
  }
  return cat(out, "\n", findings, "\n");
}

std::string clean_json(const clean::ChainPlan& plan, const std::vector<clean::StepCounts>& counts) {
  std::string out = "[";
  for (i64 i = 0; i < isize(counts); ++i) {
    const clean::StepCounts& c = counts[usize(i)];
    std::string spans;
    std::string drops;
    each_finding(plan.def(i), c, [&](const std::string& finding, i64 count, bool drop) {
      std::string& to = drop ? drops : spans;
      append(to, to.empty() ? "" : ",", io::json_string(finding), ":", count);
    });
    append(out, i > 0 ? "," : "", "{\"clean\":", io::json_string(plan.spec(i)),
           ",\"documents\":", c.documents, ",\"changed\":", c.changed, ",\"dropped\":", c.dropped,
           ",\"lines\":", c.lines, ",\"lines_removed\":", c.lines_removed,
           ",\"chars_removed\":", c.chars_removed, ",\"chars_added\":", c.chars_added,
           ",\"spans\":{", spans, "},\"drops\":{", drops, "}}");
  }
  return out + "]";
}

}  // namespace lm::mix_tool
