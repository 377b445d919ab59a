// Runs with weights: the second reading, and what is said of the rates.

#include "core/str.h"
#include "io/json.h"
#include "mix.h"

namespace lm::mix_tool {

namespace {

constexpr f64 kManyEpochs = 4;  // beyond, repetition is worth little (Muennighoff et al. 2023)

}  // namespace

Redraw::Redraw(const Plan& plan, const std::map<std::string, f64, std::less<>>& rates)
    : plan_(plan), rates_(rates), json_({"id", "source", "metadata.lm_mix.copy"}) {}

void Redraw::write(std::string_view line, std::string& out) {
  LM_CHECK(!json_.parse(line), "the record was good a moment ago");
  const i64 bytes = isize(line) + 1;
  const Result<std::string_view> id = mix::id_text(json_, 0);
  const Result<std::string_view> source = mix::source_text(json_, 1);
  const f64 rate = rates_.find(*source)->second;
  const i64 copies =
      mix::copies_of(rate, mix::keyed_uniform(plan_.seed, "sample", *source, *id, key_));
  if (copies == 0) return counts_.unsampled.add(bytes);
  counts_.kept.add(bytes);
  counts_.copies += copies - 1;
  append(out, line, "\n");
  for (i64 copy = 1; copy < copies; ++copy) {
    io::RecordEdit edit(json_);
    edit.set(2, cat(copy));
    if (plan_.unique_ids) edit.set(0, io::json_string(cat(*id, "#", copy)));
    edit.write(out);
  }
}

std::string rates_json(cli::Tool& tool, const std::vector<mix::SourceRate>& rates) {
  std::string out = "[";
  for (const mix::SourceRate& one : rates) {
    append(out, out.size() > 1 ? "," : "", "{\"source\":", io::json_string(one.source),
           ",\"documents\":", one.size.documents, ",\"amount\":", one.size.amount, ",\"rate\":");
    io::append_json_number(out, one.rate);
    out += "}";
    if (one.rate > kManyEpochs)
      tool.console().message(LogLevel::kWarning, cat("source ", quote(one.source), " is written ",
                                                     format_fixed(one.rate, 1), " times over"));
  }
  return out + "]";
}

}  // namespace lm::mix_tool
