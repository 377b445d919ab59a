#include "transform/infill_document.h"

#include "core/str.h"

namespace lm::transform {

InfillRow draw_row(const InfillRules& rules, const text::InfillTokens& tokens,
                   std::span<const i32> ids, RowKind kind, const Draws& draws) {
  if (kind == RowKind::kInfill)
    return mask_spans(tokens, ids, draw_spans(rules, isize(ids), isize(tokens.masks), draws));
  InfillRow row;
  row.kind = kind;
  row.ids.assign(ids.begin(), ids.end());
  if (kind == RowKind::kPrefix) row.prefix = draw_prefix(isize(ids), draws);
  return row;
}

DocumentInfiller::DocumentInfiller(const InfillRules& rules, const text::InfillFormat& format,
                                   const text::Tokenizer& tokenizer, u64 seed)
    : rules_(rules),
      tokens_(text::infill_tokens(format, tokenizer)),
      tokenizer_(tokenizer),
      seed_(seed) {}

std::optional<Fault> DocumentInfiller::apply(std::string_view id, i64 epoch,
                                             text::EncodeState& state,
                                             std::vector<i32>& ids) const {
  const std::optional<i32> bos = tokenizer_.bos();
  const i64 begin = !ids.empty() && bos && *bos != tokens_.eos && ids.front() == *bos ? 1 : 0;
  const i64 end = isize(ids) - (isize(ids) > begin && ids.back() == tokens_.eos ? 1 : 0);
  const std::span<const i32> core = std::span(ids).subspan(usize(begin), usize(end - begin));
  const Draws draws(seed_, id, epoch);
  if (draw_kind(rules_, isize(core), draws) != RowKind::kInfill) return std::nullopt;
  for (const i32 token : core)
    if (tokens_.is_sentinel(token))
      return Fault{"special", cat("the document contains token ", token, " of the format"), -1};
  InfillRow row;
  if (tokens_.layout == text::InfillLayout::kMasks) {
    row = draw_row(rules_, tokens_, core, RowKind::kInfill, draws);
  } else if (std::optional<Fault> fault = move_middle_of(core, draws, state, row)) {
    return fault;
  }
  ids.resize(usize(begin));
  ids.insert(ids.end(), row.ids.begin(), row.ids.end());
  return std::nullopt;
}

std::optional<Fault> DocumentInfiller::move_middle_of(std::span<const i32> ids, const Draws& draws,
                                                      text::EncodeState& state,
                                                      InfillRow& row) const {
  const std::string text = tokenizer_.decode(ids, false);
  const auto [first, second] = draw_middle(text, draws);
  const Span spans[] = {{0, first}, {first, second}, {second, isize(text)}};
  std::vector<i32> parts[3];
  for (std::size_t i = 0; i < 3; ++i)
    if (std::optional<Fault> fault =
            text::encode_record(tokenizer_, part(text, spans[i]), state, parts[i]))
      return fault;
  row = move_middle(tokens_, parts[0], parts[1], parts[2]);
  return std::nullopt;
}

}  // namespace lm::transform
