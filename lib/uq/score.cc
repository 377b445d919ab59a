#include "uq/score.h"

#include <cmath>

#include "core/str.h"
#include "io/json.h"

namespace lm::uq {

namespace {

/// {"NAME":value..} of the scores that are there. Notes these, and infinite ones.
template <typename One, typename Score>
void append_scores(std::string& json, std::span<const One* const> chosen, const Score& score,
                   std::span<u8> given, bool& infinite) {
  json += '{';
  bool first = true;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const One* const one = chosen[i];
    const f64 value = score(*one) + 0.0;  // -0 becomes 0
    if (std::isnan(value)) continue;
    given[i] = 1;
    infinite = infinite || std::isinf(value);
    append(json, first ? "\"" : ",\"", one->name, "\":");
    io::append_json_number(json, value);
    first = false;
  }
  json += '}';
}

}  // namespace

std::optional<Fault> Scorer::score(const UqRecord& record, std::string& json) {
  evidence_.set(record);
  json = "{\"scores\":";
  bool infinite = false;
  append_scores(
      json, std::span<const Estimator* const>(chosen_),
      [&](const Estimator& one) { return one.score(evidence_); },
      std::span(given_).first(chosen_.size()), infinite);
  if (!record.claims.empty() && !of_claims_.empty()) {
    for (const Claim& claim : record.claims) {
      json += &claim == &record.claims[0] ? ",\"claims\":[" : ",";
      append_scores(
          json, std::span<const ClaimEstimator* const>(of_claims_),
          [&](const ClaimEstimator& one) { return one.score(evidence_, claim); },
          std::span(given_).subspan(chosen_.size()), infinite);
    }
    json += ']';
  }
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
  return evidence_.fault();
}

}  // namespace lm::uq
