#include "uq/score.h"

#include <cmath>

#include "core/str.h"
#include "io/json.h"

namespace lm::uq {

void Scorer::score(const UqRecord& record, std::string& json) {
  evidence_.set(record);
  json = "{\"scores\":{";
  bool infinite = false;
  bool first = true;
  for (const Estimator* one : chosen_) {
    const f64 value = one->score(evidence_) + 0.0;  // -0 becomes 0
    if (std::isnan(value)) continue;
    infinite = infinite || std::isinf(value);
    append(json, first ? "\"" : ",\"", one->name, "\":");
    io::append_json_number(json, value);
    first = false;
  }
  json.push_back('}');
  const auto add_count = [&](const char* name, i64 count) {
    if (count > 0) append(json, ",\"", name, "\":", count);
  };
  add_count("samples", evidence_.samples());
  add_count("votes", isize(record.p_true_samples));
  if (!record.perturb.empty()) add_count("rewordings", evidence_.inverse_answers());
  std::string flags;
  const auto add_flag = [&](bool set, const char* name) {
    if (set) append(flags, flags.empty() ? "\"" : ",\"", name, "\"");
  };
  add_flag(infinite, "infinite");
  add_flag(evidence_.flags().inv_nonmonotone, "inv_nonmonotone");
  add_flag(evidence_.flags().inv_identical_prompts, "inv_identical_prompts");
  if (!flags.empty()) append(json, ",\"flags\":[", flags, "]");
  json.push_back('}');
}

}  // namespace lm::uq
