#include "transform/permute.h"

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "text/segment.h"

namespace lm::transform {

namespace {

std::vector<Span> units_of(std::string_view text, Span body, std::span<const Span> tokens,
                           const PermuteRules& rules, const GivenUnits& given, DrawRow draws) {
  if (rules.units == UnitKind::kTokens) return units_of_tokens(text, body, tokens, 1, draws);
  if (rules.units == UnitKind::kGrams)
    return units_of_tokens(text, body, tokens, rules.longest, draws);
  const std::vector<Span> units = given.chunks ? units_by_chunks(text, body, *given.chunks)
                                  : given.cuts ? units_by_cuts(text, body, *given.cuts)
                                               : units_by_rules(text, body, tokens);
  return limited(text, units, tokens, rules.most);
}

/// Calls take(body, units, number of the sentence) for each sentence; tokens null: words. The
/// number of the next sentence.
template <typename Take>
i64 each_sentence(std::string_view text, const std::vector<Span>* tokens, const PermuteRules& rules,
                  const GivenUnits& given, const Draws& draws, i64 number, Take take) {
  if (rules.units == UnitKind::kNone) return number;
  std::span<const Span> whole;
  if (rules.units == UnitKind::kChunks && given.chunks) whole = *given.chunks;
  std::vector<Span> words;
  for (const Span& body : sentence_bodies(text, whole)) {
    if (tokens == nullptr) {
      words = word_tokens(part(text, body));
      for (Span& word : words)
        word = {word.begin + body.begin, word.end + body.begin};
    }
    take(body,
         units_of(text, body, tokens == nullptr ? words : *tokens, rules, given,
                  draws.row(Purpose::kGrams, number)),
         number);
    ++number;
  }
  return number;
}

/// The ids between two special tokens as text.
struct Run {
  i64 first = 0;  // id
  std::string text;
  std::vector<std::pair<i64, i64>> offsets;  // of each id
};

/// Units in bytes as units in ids. Ids of white space alone go with the next unit of the sentence.
std::vector<Span> units_in_ids(const Run& run, Span body, std::span<const Span> units) {
  std::vector<Span> out(units.size(), Span{-1, -1});
  const auto first =
      std::partition_point(run.offsets.begin(), run.offsets.end(),
                           [&](const std::pair<i64, i64>& o) { return o.second <= body.begin; });
  std::size_t unit = 0;
  i64 blank = -1;  // the first id of white space since the last other one
  for (auto token = first; token != run.offsets.end() && token->first < body.end; ++token) {
    const i64 id = run.first + (token - run.offsets.begin());
    i64 anchor = token->first;
    while (anchor < token->second) {
      const i64 size = text::py_space_size(run.text, anchor);
      if (size == 0) break;
      anchor += size;
    }
    if (anchor >= token->second) {
      if (blank < 0 && token->first > body.begin) blank = id;
      continue;
    }
    while (unit < units.size() && units[unit].end <= anchor)
      ++unit;
    if (unit == units.size() || anchor < units[unit].begin) break;
    if (out[unit].begin < 0) out[unit].begin = blank < 0 ? id : blank;
    out[unit].end = id + 1;
    blank = -1;
  }
  std::erase_if(out, [](const Span& span) { return span.begin < 0; });
  return out;
}

}  // namespace

std::optional<PermuteRules> parse_permute(std::string_view name) {
  PermuteRules rules;
  constexpr OrderOdds kReverse{0, 1, 0};
  if (name == "none") {
    rules.units = UnitKind::kNone;
  } else if (name == "token" || name == "token-reverse") {
    rules.units = UnitKind::kTokens;
  } else if (name.starts_with("ngram:")) {
    const std::optional<i64> longest = parse_count(name.substr(6));
    if (!longest || *longest < 1 || *longest > 1'000'000) return std::nullopt;
    rules.units = UnitKind::kGrams;
    rules.longest = *longest;
  } else if (name != "chunk" && name != "chunk-reverse") {
    return std::nullopt;
  }
  if (name.ends_with("-reverse")) rules.odds = kReverse;
  return rules;
}

std::optional<OrderOdds> parse_odds(std::string_view text) {
  std::vector<f64> values;
  for (const std::string_view item : split(text, ',')) {
    const std::optional<f64> value = parse_float(item);
    if (!value || !(*value >= 0) || *value > 1e9) return std::nullopt;
    values.push_back(*value);
  }
  if (values.size() != 3 || values[0] + values[1] + values[2] <= 0) return std::nullopt;
  return OrderOdds{values[0], values[1], values[2]};
}

std::vector<OrderedSentence> order_text(std::string_view text, const std::vector<Span>* tokens,
                                        const PermuteRules& rules, const GivenUnits& given,
                                        const Draws& draws) {
  std::vector<OrderedSentence> out;
  each_sentence(text, tokens, rules, given, draws, 0,
                [&](Span, std::vector<Span> units, i64 number) {
                  std::vector<i64> order =
                      draw_order(rules.odds, isize(units), draws.row(Purpose::kOrder, number));
                  out.push_back({std::move(units), std::move(order)});
                });
  return out;
}

Result<std::vector<OrderedSentence>> order_ids(std::span<const i32> ids,
                                               const text::Tokenizer& tokenizer,
                                               const PermuteRules& rules, const Draws& draws) {
  std::vector<OrderedSentence> out;
  i64 number = 0;
  for (i64 at = 0; at < isize(ids);) {
    Run run;
    run.first = at;
    for (; at < isize(ids) && !tokenizer.is_special(ids[usize(at)]); ++at) {
      const i32 id = ids[usize(at)];
      if (!tokenizer.has(id))
        return Fault{"range", cat("id ", id, " is no token of the tokenizer"), -1};
      const i64 begin = isize(run.text);
      run.text += tokenizer.token_bytes(id);
      run.offsets.emplace_back(begin, isize(run.text));
    }
    if (const i64 bad = find_invalid_utf8(run.text); bad >= 0)
      return Fault{"utf8", cat("the ids are no text: byte ", bad, " of what they say is no UTF-8"),
                   -1};
    const std::vector<Span> tokens = piece_tokens(run.text, run.offsets);
    number = each_sentence(run.text, &tokens, rules, {}, draws, number,
                           [&](Span body, const std::vector<Span>& units, i64 sentence) {
                             std::vector<Span> in_ids = units_in_ids(run, body, units);
                             std::vector<i64> order = draw_order(
                                 rules.odds, isize(in_ids), draws.row(Purpose::kOrder, sentence));
                             out.push_back({std::move(in_ids), std::move(order)});
                           });
    while (at < isize(ids) && tokenizer.is_special(ids[usize(at)]))
      ++at;
  }
  return out;
}

u64 digest_of(std::string_view text) {
  return xxh3_64(text);
}

u64 digest_of(std::span<const i32> ids) {
  return xxh3_64({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(i32)});
}

}  // namespace lm::transform
