#include "transform/infill.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "text/utf8.h"

namespace lm::transform {

namespace {

/// `total` as a sum of `parts` whole numbers >= 0, every such sum as likely as any other: the gaps
/// between `parts - 1` places drawn among total + parts - 1.
std::vector<i64> draw_composition(i64 total, i64 parts, DrawRow& draws) {
  std::vector<i64> out;
  i64 bars = parts - 1;  // to be placed
  i64 run = 0;
  for (i64 left = total + bars; left > 0; --left) {
    if (bars > 0 && draws.below(left) < bars) {
      out.push_back(run);
      run = 0;
      --bars;
    } else {
      ++run;
    }
  }
  out.push_back(run);
  return out;
}

f64 between(f64 low, f64 high, DrawRow& draws) {
  return low + (high - low) * draws.uniform();
}

}  // namespace

std::string_view row_kind_name(RowKind kind) {
  return kind == RowKind::kInfill ? "infill" : kind == RowKind::kPrefix ? "prefix" : "causal";
}

RowKind draw_kind(const InfillRules& rules, i64 tokens, const Draws& draws) {
  const f64 u = draws.row(Purpose::kMix).uniform();
  if (tokens < std::max<i64>(rules.least, 3)) return RowKind::kCausal;
  if (u < rules.rate) return RowKind::kInfill;
  return u < rules.rate + rules.prefix_rate ? RowKind::kPrefix : RowKind::kCausal;
}

std::vector<Span> draw_spans(const InfillRules& rules, i64 tokens, i64 most, const Draws& draws) {
  LM_CHECK(tokens >= 3 && most >= 1, "there is room for a span and what stands around it");
  DrawRow row = draws.row(Purpose::kSpans);
  const f64 n = static_cast<f64>(tokens);
  const f64 share = between(rules.low_share, rules.high_share, row);
  const f64 length = between(rules.low_length, rules.high_length, row);
  i64 masked = std::clamp<i64>(std::llround(share * n), 1, tokens);
  i64 k = std::max<i64>(1, std::llround(share * n / length));
  // Every span has a token, and between two spans one is kept.
  k = std::min({k, most, masked, tokens - masked + 1});
  std::vector<i64> lengths = draw_composition(masked - k, k, row);
  const std::vector<i64> kept = draw_composition(tokens - masked - (k - 1), k + 1, row);
  std::vector<Span> out;
  i64 at = 0;
  for (i64 i = 0; i < k; ++i) {
    at += kept[usize(i)] + (i > 0 ? 1 : 0);
    out.push_back({at, at + 1 + lengths[usize(i)]});
    at = out.back().end;
  }
  return out;
}

std::pair<i64, i64> draw_middle(std::string_view text, const Draws& draws) {
  DrawRow row = draws.row(Purpose::kSplit);
  const i64 places = text::count_code_points(text) + 1;
  i64 first = row.below(places);
  i64 second = row.below(places);
  if (first > second) std::swap(first, second);
  std::pair<i64, i64> out{-1, -1};
  i64 at = 0;
  for (i64 point = 0; out.second < 0; ++point) {
    if (point == first) out.first = at;
    if (point == second) out.second = at;
    if (at < isize(text)) at += text::sequence_size(text[usize(at)]);
  }
  return out;
}

i64 draw_prefix(i64 tokens, const Draws& draws) {
  return 1 + draws.row(Purpose::kSplit).below(tokens - 1);
}

InfillRow mask_spans(const text::InfillTokens& tokens, std::span<const i32> ids,
                     std::span<const Span> spans) {
  std::vector<std::vector<i32>> kept, fillings;
  InfillRow row;
  row.kind = RowKind::kInfill;
  row.holes = isize(spans);
  i64 at = 0;
  for (const Span& span : spans) {
    kept.emplace_back(ids.begin() + at, ids.begin() + span.begin);
    fillings.emplace_back(ids.begin() + span.begin, ids.begin() + span.end);
    row.masked += span.end - span.begin;
    at = span.end;
  }
  kept.emplace_back(ids.begin() + at, ids.end());
  text::append_infill_prompt(tokens, kept, row.ids);
  row.prefix = isize(row.ids) - 1;  // up to the separator: the first mask is a target
  text::append_infill_fillings(tokens, fillings, row.ids);
  return row;
}

InfillRow move_middle(const text::InfillTokens& tokens, const std::vector<i32>& prefix,
                      const std::vector<i32>& middle, const std::vector<i32>& suffix) {
  InfillRow row;
  row.kind = RowKind::kInfill;
  row.holes = 1;
  row.masked = isize(middle);
  const std::vector<i32> kept[] = {prefix, suffix};
  text::append_infill_prompt(tokens, kept, row.ids);
  row.prefix = isize(row.ids);
  text::append_infill_fillings(tokens, std::span<const std::vector<i32>>(&middle, 1), row.ids);
  return row;
}

}  // namespace lm::transform
