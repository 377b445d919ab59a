#include "grammar/forced.h"

#include <optional>
#include <string>
#include <utility>

#include "core/str.h"

namespace lm::grammar {

Result<ForcedTokens> forced_tokens(const text::Tokenizer& tokenizer, text::EncodeState& state,
                                   Matcher& matcher, State s, std::string_view before) {
  const Result<Matcher::Forced> forced = matcher.forced(s);
  if (!forced) return forced.fault();
  ForcedTokens out;
  out.after = s;
  if (forced->text.empty()) return out;
  std::vector<i32> ids;
  std::vector<std::pair<i64, i64>> places;
  const std::string whole = cat(before, forced->text);
  if (const std::optional<Fault> fault = text::encode_record(tokenizer, whole, state, ids, &places))
    return *fault;
  // The first token of the forced text; there is none where a token reaches over its begin.
  std::size_t first = 0;
  while (first < ids.size() && places[first].first < isize(before))
    ++first;
  if (first > 0 && places[first - 1].second > isize(before)) return out;
  if (first == ids.size() || places[first].first != isize(before)) return out;
  std::size_t kept = ids.size();
  const std::size_t from =
      std::max(first, ids.size() - std::min(ids.size(), static_cast<std::size_t>(kLookBack)));
  // Any byte of the last tokens may begin a token that goes on behind the text.
  for (i64 at = places[from].first; at < isize(whole); ++at) {
    const Result<bool> goes_on =
        matcher.extends(std::string_view(whole).substr(usize(at)), forced->after);
    if (!goes_on) return goes_on.fault();
    if (!*goes_on) continue;
    kept = from;
    while (kept < ids.size() && places[kept].second <= at)
      ++kept;
    break;
  }
  for (std::size_t i = first; i < kept; ++i) {
    const Result<State> next = matcher.accept(out.after, ids[i]);
    if (!next) return next.fault();
    // A token whose own bytes are not the text's (normalised text) ends the run.
    if (*next == kDead) break;
    out.after = *next;
    out.ids.push_back(ids[i]);
  }
  return out;
}

}  // namespace lm::grammar
