#include "decode/prompt.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "text/utf8.h"

namespace lm::decode {

std::vector<PromptRow> prompt_rows(std::span<const i32> tokens) {
  return {tokens.begin(), tokens.end()};
}

std::vector<i32> tokens_of(std::span<const PromptRow> rows) {
  std::vector<i32> out;
  out.reserve(rows.size());
  for (const PromptRow& row : rows)
    out.push_back(row.token);
  return out;
}

i32 set_positions(std::span<PromptRow> rows, i64 before, i32 next) {
  for (i64 i = 0; i < isize(rows); ++i) {
    PromptRow& row = rows[usize(i)];
    LM_CHECK(row.hole_begin >= 0 && row.hole_begin <= row.hole_end && row.hole_end <= before + i,
             "a row is hidden from later ones only");
    if (row.position < 0) row.position = next;
    LM_CHECK(row.position < std::numeric_limits<i32>::max(), "another position follows");
    next = row.position + 1;
  }
  return next;
}

std::vector<PromptRow> repeated(std::span<const PromptRow> rows, std::optional<i32> begin,
                                i64 count) {
  const bool begun = begin && !rows.empty() && rows[0].token == *begin;
  const std::span<const PromptRow> body = rows.subspan(begun ? 1 : 0);
  const i64 size = isize(body);
  std::vector<PromptRow> out(rows.begin(), rows.end());
  if (size == 0 || count <= isize(rows)) return out;
  out.resize(usize(begun ? 1 : 0));
  for (i64 left = count - isize(out); left > 0; --left)
    out.push_back(body[usize(size - 1 - (left - 1) % size)]);
  return out;
}

model::EvalRow eval_row(i32 seq, const PromptRow& row) {
  model::EvalRow out;
  out.seq = seq;
  out.token = row.token;
  out.position = row.position;
  out.hole_begin = row.hole_begin;
  out.hole_end = row.hole_end;
  return out;
}

std::optional<i32> begin_token(const model::ModelCfg& cfg, const text::Tokenizer& tokenizer) {
  return tokenizer.bos() ? tokenizer.bos() : cfg.bos;
}

std::optional<i32> end_token(const model::ModelCfg& cfg, const text::Tokenizer* tokenizer) {
  if (tokenizer != nullptr && tokenizer->eos()) return tokenizer->eos();
  return cfg.eos.empty() ? std::nullopt : std::optional(cfg.eos.front());
}

namespace {

/// Code points that begin in a range of a text.
i64 chars_of(std::string_view text, const std::pair<i64, i64>& range) {
  return text::count_code_points(
      text.substr(usize(range.first), usize(range.second - range.first)));
}

/// Texts that are encoded meanwhile have their special tokens so.
class LiteralScope {
 public:
  LiteralScope(text::EncodeState& state, const std::vector<std::pair<i64, i64>>* literal)
      : state_(state), before_(state.literal) {
    state_.literal = literal;
  }
  ~LiteralScope() { state_.literal = before_; }
  LiteralScope(const LiteralScope&) = delete;
  LiteralScope& operator=(const LiteralScope&) = delete;

 private:
  text::EncodeState& state_;
  const std::vector<std::pair<i64, i64>>* before_;
};

/// What ranges (null: none) have from byte `from` on, counted from there.
std::vector<std::pair<i64, i64>> ranges_behind(const std::vector<std::pair<i64, i64>>* ranges,
                                               i64 from) {
  std::vector<std::pair<i64, i64>> out;
  if (ranges == nullptr) return out;
  for (const auto& [begin, end] : *ranges)
    if (end > from) out.emplace_back(std::max<i64>(0, begin - from), end - from);
  return out;
}

}  // namespace

PromptEncoder::PromptEncoder(const text::Tokenizer& tokenizer, std::optional<i32> begin)
    : tokenizer_(tokenizer), begin_(begin), state_(tokenizer.new_state()) {}

std::optional<Fault> PromptEncoder::encode(std::string_view text) {
  ids_.clear();
  offsets_.clear();
  return text::encode_record(tokenizer_, text, *state_, ids_, &offsets_);
}

std::optional<Fault> PromptEncoder::encode_ids(std::string_view text) {
  ids_.clear();
  offsets_.clear();
  return text::encode_record(tokenizer_, text, *state_, ids_);
}

std::optional<Fault> PromptEncoder::encode(std::string_view text, std::vector<i32>& ids) {
  if (std::optional<Fault> fault = encode(text)) return fault;
  ids.insert(ids.end(), ids_.begin(), ids_.end());
  return std::nullopt;
}

/// Bytes of specials among the tokens [from, to) of the last encode.
i64 PromptEncoder::special_bytes(i64 from, i64 to) const {
  i64 bytes = 0;
  for (i64 i = from; i < to; ++i)
    if (tokenizer_.is_special(ids_[usize(i)]))
      bytes += offsets_[usize(i)].second - offsets_[usize(i)].first;
  return bytes;
}

/// Code points of the same; text: of the last encode.
i64 PromptEncoder::special_chars(std::string_view text, i64 from, i64 to) const {
  i64 chars = 0;
  for (i64 i = from; i < to; ++i)
    if (tokenizer_.is_special(ids_[usize(i)])) chars += chars_of(text, offsets_[usize(i)]);
  return chars;
}

Result<std::vector<std::pair<i64, i64>>> PromptEncoder::offsets(std::string_view text) {
  if (std::optional<Fault> fault = encode(text)) return *fault;
  return offsets_;
}

Result<std::vector<PromptRow>> PromptEncoder::prompt(const PromptText& text, i64 most) {
  constexpr std::size_t kKept = std::size_t{1} << 20;  // tokens that memory is kept for
  const LiteralScope literal(*state_, text.literal ? &*text.literal : nullptr);
  if (std::optional<Fault> fault = encode_ids(text.text)) return *fault;
  std::vector<PromptRow> rows;
  const bool begun = begin_ && !text.whole;
  prompt_rows_ = isize(ids_) + (begun ? 1 : 0);
  rows.reserve(usize(std::min(prompt_rows_, most + 1)));
  if (begun) rows.emplace_back(*begin_);
  rows.insert(rows.end(), ids_.begin(),
              ids_.begin() + std::min(isize(ids_), most + 1 - isize(rows)));
  if (ids_.capacity() > kKept) ids_ = {};
  return rows;
}

i64 PromptEncoder::prompt_bytes(i64 text_bytes, i64 most) {
  constexpr i64 kOfText = 3 * static_cast<i64>(sizeof(i32)) + 4;
  return text_bytes * kOfText + std::min(text_bytes, most) * static_cast<i64>(sizeof(PromptRow));
}

Result<std::vector<i32>> PromptEncoder::piece(std::string_view text) {
  if (std::optional<Fault> fault = encode_ids(text)) return *fault;
  return ids_;
}

/// Tokens [begin, end) of the last encode, which was of text.
ScoredTokens PromptEncoder::stretch(std::string_view text, i64 begin, i64 end, i64 apart) const {
  ScoredTokens out;
  const bool begun = begin == 0 && begin_;
  out.tokens.reserve(usize(end - begin + 1));
  if (begun) out.tokens.push_back(*begin_);
  out.tokens.insert(out.tokens.end(), ids_.begin() + begin, ids_.begin() + end);
  out.first = std::min<i64>(1, isize(out.tokens));
  const i64 from = begun ? begin : std::min(begin + 1, end);  // number of the first scored token
  const auto offset = [&](i64 token) {
    return token == 0 ? 0 : token < isize(ids_) ? offsets_[usize(token)].first : isize(text);
  };
  const auto bytes = [&](i64 a, i64 b) { return offset(b) - offset(a) - special_bytes(a, b); };
  const auto chars = [&](i64 a, i64 b) {
    return chars_of(text, {offset(a), offset(b)}) - special_chars(text, a, b);
  };
  out.bytes = bytes(from, end);
  out.chars = chars(from, end);
  for (i64 head = apart; apart > 0 && head < isize(out.tokens); head += apart) {
    const i64 token = begin + head - (begun ? 1 : 0);
    out.heads.push_back(head);
    out.bytes -= bytes(token, token + 1);
    out.chars -= chars(token, token + 1);
  }
  return out;
}

Result<ScoredTokens> PromptEncoder::text(std::string_view text, i64 apart) {
  if (std::optional<Fault> fault = encode(text)) return *fault;
  return stretch(text, 0, isize(ids_), apart);
}

Result<std::vector<ScoredTokens>> PromptEncoder::stretches(std::string_view text, i64 most,
                                                           i64 parts, i64 apart) {
  LM_CHECK(parts >= 1 && most >= parts, "a stretch has a token");
  if (std::optional<Fault> fault = encode(text)) return *fault;
  const i64 n = isize(ids_);
  std::vector<ScoredTokens> out;
  if (n <= most) {
    out.push_back(stretch(text, 0, n, apart));
    return out;
  }
  const i64 length = most / parts;
  for (i64 part = 0; part < parts; ++part) {
    const i64 begin = parts == 1 ? 0 : (n - length) * part / (parts - 1);
    out.push_back(stretch(text, begin, begin + length, apart));
  }
  return out;
}

Result<ScoredTokens> PromptEncoder::completion(const PromptText& given, std::string_view completion,
                                               Boundary boundary, i64 most) {
  const std::string_view prompt = given.text;
  std::string_view head = prompt;
  if (boundary == Boundary::kJoint) {
    const std::size_t last = prompt.find_last_not_of(" \t\r\n");
    head = prompt.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  const std::vector<std::pair<i64, i64>>* const literal = given.literal ? &*given.literal : nullptr;
  const LiteralScope of_prompt(*state_, literal);
  ScoredTokens out;
  const std::optional<i32> begin = given.whole ? std::nullopt : begin_;
  if (begin) out.tokens.push_back(*begin);
  if (std::optional<Fault> fault = encode(head, out.tokens)) return *fault;
  out.first = isize(out.tokens);
  std::string scored(prompt.substr(head.size()));
  scored += completion;
  out.bytes = isize(scored);
  out.chars = text::count_code_points(scored);
  std::string whole;
  std::string_view encoded = scored;  // the last time
  if (boundary == Boundary::kSeparate) {
    const std::vector<std::pair<i64, i64>> rest = ranges_behind(literal, isize(prompt));
    const LiteralScope of_rest(*state_, literal == nullptr ? nullptr : &rest);
    if (std::optional<Fault> fault = encode(scored, out.tokens)) return *fault;
    out.bytes -= special_bytes(0, isize(ids_));
    out.chars -= special_chars(scored, 0, isize(ids_));
  } else {
    whole = head;
    whole += scored;
    encoded = whole;
    out.tokens.resize(begin ? 1 : 0);
    if (std::optional<Fault> fault = encode(whole, out.tokens)) return *fault;
    out.first = std::min(out.first, isize(out.tokens));
    out.bytes -= special_bytes(out.first - (begin ? 1 : 0), isize(ids_));
    out.chars -= special_chars(encoded, out.first - (begin ? 1 : 0), isize(ids_));
  }
  if (out.tokens.size() > usize(out.first) && isize(out.tokens) - out.first > most) {
    // The last encode was of the whole, or of the scored text.
    const i64 before = boundary == Boundary::kJoint ? (begin ? 1 : 0) : out.first;
    const i64 end = out.first + most;
    const i64 from = boundary == Boundary::kJoint ? isize(head) : 0;
    out.tokens.resize(usize(end));
    out.bytes = std::max<i64>(0, offsets_[usize(end - before - 1)].second - from) -
                special_bytes(out.first - before, end - before);
    out.chars =
        chars_of(encoded, {from, std::max(from, offsets_[usize(end - before - 1)].second)}) -
        special_chars(encoded, out.first - before, end - before);
  }
  if (out.first == 0 && !out.tokens.empty()) {  // nothing stands before the first token
    out.first = 1;
    if (!tokenizer_.is_special(ids_[0])) {
      out.bytes -= offsets_[0].second - offsets_[0].first;
      out.chars -= chars_of(encoded, offsets_[0]);
    }
  }
  return out;
}

}  // namespace lm::decode
