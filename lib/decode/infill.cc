#include "decode/infill.h"

#include <algorithm>

namespace lm::decode {

namespace {

/// Bytes of the first `lines` lines.
i64 first_lines(std::string_view text, i64 lines) {
  std::size_t at = 0;
  for (i64 i = 0; i < lines; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return isize(text);
    ++at;
  }
  return static_cast<i64>(at);
}

}  // namespace

std::vector<std::string> kept_pieces(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t at = text.find(kFillMark);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + kFillMark.size());
  }
}

std::optional<Fault> InfillConstraint::mask(TokenWeights& x, i64 /*left*/) const {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < x.ids.size(); ++i) {
    const i32 id = x.ids[i];
    const bool special = tokens_.is_sentinel(id);
    const bool may = next_ ? id == tokens_.masks[usize(hole_)]
                           : !special || id == tokens_.end || id == tokens_.eos;
    if (!may) continue;
    x.ids[kept] = id;
    x.w[kept++] = x.w[i];
  }
  x.ids.resize(kept);
  x.w.resize(kept);
  return std::nullopt;
}

std::span<const i32> InfillConstraint::forced() const {
  if (!next_) return {};
  return {&tokens_.masks[usize(hole_)], 1};
}

void InfillConstraint::accept(i32 token) {
  if (next_) {
    next_ = false;
  } else if (token == tokens_.end) {
    ++hole_;
    next_ = hole_ < holes_;
  }
}

std::optional<TextEnd> InfillConstraint::end(std::string_view text) {
  if (hole_ >= holes_) return TextEnd{"stop", std::nullopt};
  if (lines_ == 0 || holes_ > 1 || std::count(text.begin(), text.end(), '\n') < lines_)
    return std::nullopt;
  return TextEnd{"lines", first_lines(text, lines_)};
}

std::unique_ptr<Constraint> InfillConstraint::clone() const {
  return std::make_unique<InfillConstraint>(*this);
}

std::vector<std::vector<i32>> read_fillings(const text::InfillTokens& tokens,
                                            std::span<const i32> answer, i64 holes) {
  std::vector<std::vector<i32>> out(usize(holes));
  i64 hole = 0;
  for (const i32 id : answer) {
    if (id == tokens.end) {
      if (++hole == holes) break;
    } else if (id == tokens.eos) {
      break;
    } else if (!tokens.is_sentinel(id)) {
      out[usize(hole)].push_back(id);
    }
  }
  return out;
}

i64 kept_filling(std::string_view filling, std::string_view behind, const FillingRules& rules) {
  if (rules.lines > 0) filling = filling.substr(0, usize(first_lines(filling, rules.lines)));
  if (!rules.trim_suffix) return isize(filling);
  // The longest end that what follows begins with.
  for (std::size_t bytes = std::min(filling.size(), behind.size()); bytes > 0; --bytes)
    if (filling.ends_with(behind.substr(0, bytes))) return isize(filling) - static_cast<i64>(bytes);
  return isize(filling);
}

}  // namespace lm::decode
