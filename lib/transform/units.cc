#include "transform/units.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "io/json_node.h"
#include "text/segment.h"
#include "text/sentences.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::transform {

namespace {

/// What of a range is left without white space at both ends.
Span stripped(std::string_view text, Span span) {
  const std::string_view kept = text::strip(part(text, span));
  const i64 begin = kept.empty() ? span.begin : kept.data() - text.data();
  return {begin, begin + isize(kept)};
}

void add_stripped(std::string_view text, Span span, std::vector<Span>& out) {
  if (span.begin >= span.end) return;
  const Span kept = stripped(text, span);
  if (kept.begin < kept.end) out.push_back(kept);
}

bool is_terminator(char32_t cp) {
  switch (cp) {
    case '.':
    case '?':
    case '!':
    case 0x2026:  // ellipsis
    case 0x3002:  // ideographic full stop
    case 0xFF01:
    case 0xFF0E:
    case 0xFF1F:
    case 0x0964:  // danda
    case 0x06D4:  // Arabic full stop
    case 0x061F:  // Arabic question mark
      return true;
    default:
      return false;
  }
}

bool is_closing(char32_t cp) {
  constexpr u32 kClosing =
      text::category_bit(text::Category::kPe) | text::category_bit(text::Category::kPf);
  return cp == '"' || cp == '\'' || text::in_categories(cp, kClosing);
}

/// The beginning of the character that ends before `end` > begin.
i64 last_character(std::string_view text, i64 end) {
  do
    --end;
  while ((static_cast<u8>(text[usize(end)]) & 0xC0) == 0x80);
  return end;
}

bool between_characters(std::string_view text, i64 at) {
  return at == isize(text) || (static_cast<u8>(text[usize(at)]) & 0xC0) != 0x80;
}

/// The first of the tokens that ends behind `at`.
std::span<const Span>::iterator first_behind(std::span<const Span> tokens, i64 at) {
  return std::partition_point(tokens.begin(), tokens.end(),
                              [&](const Span& t) { return t.end <= at; });
}

/// Whether a place lies inside one of the ranges.
bool is_inside(std::span<const Span> ranges, i64 at) {
  const auto range = first_behind(ranges, at);
  return range != ranges.end() && range->begin < at;
}

/// Adds a sentence's body, in several parts if it is too long for one.
void add_cut(std::string_view text, Span body, std::span<const Span> whole,
             std::vector<Span>& out) {
  while (body.end - body.begin > kLongestSentence) {
    i64 cut = body.begin + kLongestSentence;
    for (i64 at = cut; at > body.begin; --at) {
      if (!between_characters(text, at) || text::py_space_size(text, at) == 0 ||
          is_inside(whole, at))
        continue;
      cut = at;
      break;
    }
    while (!between_characters(text, cut))
      --cut;
    add_stripped(text, {body.begin, cut}, out);
    body.begin = cut;
  }
  add_stripped(text, body, out);
}

}  // namespace

std::vector<Span> word_tokens(std::string_view text) {
  std::vector<Span> out;
  text::WordSegments all(text);
  for (std::string_view segment; all.next(segment);) {
    const i64 begin = segment.data() - text.data();
    if (!text::is_blank(segment)) out.push_back({begin, begin + isize(segment)});
  }
  return out;
}

std::vector<Span> piece_tokens(std::string_view text,
                               std::span<const std::pair<i64, i64>> offsets) {
  std::vector<Span> joined;
  for (const auto& [begin, end] : offsets) {
    if (begin >= end) continue;
    // A piece that begins inside a character goes on with the one before.
    if (!joined.empty() && (begin < joined.back().end || !between_characters(text, begin)))
      joined.back().end = std::max(joined.back().end, end);
    else
      joined.push_back({begin, end});
  }
  std::vector<Span> out;
  for (const Span& span : joined)
    add_stripped(text, span, out);
  return out;
}

i64 final_punctuation(std::string_view text, i64 begin, i64 end) {
  i64 at = end;
  i64 first = end;  // the first terminator seen from behind, the lowest so far
  while (at > begin) {
    const i64 before = last_character(text, at);
    const char32_t cp = decode_at(text, before).cp;
    if (is_terminator(cp))
      first = before;
    else if (!is_closing(cp))
      break;
    at = before;
  }
  return first;
}

std::vector<Span> sentence_bodies(std::string_view text, std::span<const Span> whole) {
  std::vector<std::string_view> pieces;
  text::sentences(text, pieces);
  std::vector<Span> out;
  Span open{0, 0};
  std::size_t chunk = 0;
  for (const std::string_view piece : pieces) {
    open.end = (piece.data() - text.data()) + isize(piece);
    while (chunk < whole.size() && whole[chunk].end <= open.end)
      ++chunk;
    if (chunk < whole.size() && whole[chunk].begin < open.end) continue;  // goes on inside of it
    Span body = stripped(text, open);
    body.end = final_punctuation(text, body.begin, body.end);
    add_cut(text, body, whole, out);
    open.begin = open.end;
  }
  return out;
}

std::vector<Span> units_by_chunks(std::string_view text, Span body, std::span<const Span> chunks) {
  std::vector<Span> out;
  i64 at = body.begin;
  for (auto chunk = first_behind(chunks, body.begin);
       chunk != chunks.end() && chunk->begin < body.end; ++chunk) {
    const Span inside{std::max(chunk->begin, body.begin), std::min(chunk->end, body.end)};
    add_stripped(text, {at, inside.begin}, out);
    add_stripped(text, inside, out);
    at = inside.end;
  }
  add_stripped(text, {at, body.end}, out);
  return out;
}

std::vector<Span> units_by_cuts(std::string_view text, Span body, std::span<const i64> cuts) {
  std::vector<Span> out;
  i64 at = body.begin;
  for (auto cut = std::upper_bound(cuts.begin(), cuts.end(), body.begin);
       cut != cuts.end() && *cut < body.end; ++cut) {
    add_stripped(text, {at, *cut}, out);
    at = *cut;
  }
  add_stripped(text, {at, body.end}, out);
  return out;
}

std::vector<Span> units_of_tokens(std::string_view text, Span body, std::span<const Span> tokens,
                                  i64 longest, DrawRow draws) {
  std::vector<i64> cuts;
  i64 left = longest == 1 ? 1 : 1 + draws.below(longest);  // of the unit under way
  for (auto token = first_behind(tokens, body.begin);
       token != tokens.end() && token->begin < body.end; ++token) {
    if (left == 0) {
      cuts.push_back(token->begin);
      left = longest == 1 ? 1 : 1 + draws.below(longest);
    }
    --left;
  }
  return units_by_cuts(text, body, cuts);
}

std::vector<Span> limited(std::string_view text, std::span<const Span> units,
                          std::span<const Span> tokens, i64 most) {
  std::vector<Span> out;
  for (const Span& unit : units) {
    i64 count = 0;
    i64 at = unit.begin;
    for (auto token = first_behind(tokens, unit.begin);
         token != tokens.end() && token->begin < unit.end; ++token) {
      if (count == most) {
        add_stripped(text, {at, token->begin}, out);
        at = token->begin;
        count = 0;
      }
      ++count;
    }
    add_stripped(text, {at, unit.end}, out);
  }
  return out;
}

Result<std::vector<Span>> read_chunks(std::string_view raw, std::string_view text,
                                      std::string_view name) {
  const auto wrong = [&](const char* code, const auto&... what) {
    return Fault{code, cat("field ", quote(name), " ", what...), -1};
  };
  const io::JsonDocument document(raw);
  if (!document.error().empty()) return wrong("json", document.error());
  const io::JsonNode root = document.root(name);
  if (!root.is_array()) return wrong("type", "is no list of [begin, end]");
  std::vector<Span> out;
  i64 last = 0;
  std::optional<Fault> fault;
  root.each_item([&](const io::JsonNode& item) {
    if (fault) return;
    if (!item.is_array() || item.size() != 2 || !item.item(0).as_integer() ||
        !item.item(1).as_integer()) {
      fault = wrong("type", "has an element that is not [begin, end], two whole numbers");
      return;
    }
    const Span span{*item.item(0).as_integer(), *item.item(1).as_integer()};
    if (span.begin < last || span.end < span.begin || span.end > isize(text)) {
      fault =
          wrong("range", "has [", span.begin, ",", span.end,
                "], expected byte ranges of a text of ", isize(text), " bytes, in order and apart");
      return;
    }
    if (!between_characters(text, span.begin) || !between_characters(text, span.end)) {
      fault = wrong("range", "has [", span.begin, ",", span.end, "], which cuts a character");
      return;
    }
    last = span.end;
    add_stripped(text, span, out);
  });
  if (fault) return *fault;
  return out;
}

std::vector<i64> surprisal_cuts(std::string_view text, std::span<const Surprisal> tokens) {
  f64 sum = 0;
  for (const Surprisal& token : tokens)
    sum += token.nats;
  const f64 n = static_cast<f64>(tokens.size());
  const f64 mean = tokens.empty() ? 0 : sum / n;
  f64 squares = 0;
  for (const Surprisal& token : tokens)
    squares += (token.nats - mean) * (token.nats - mean);
  const f64 limit = mean + (tokens.empty() ? 0 : std::sqrt(squares / n));
  std::vector<i64> out;
  text::WordCursor words(text);
  std::string_view word;
  i64 begin = -1;
  i64 end = -1;
  for (const Surprisal& token : tokens) {
    if (!(token.nats > limit)) continue;
    while (end <= token.begin && words.next(word)) {
      begin = word.data() - text.data();
      end = begin + isize(word);
    }
    if (begin >= 0 && token.begin < end && (out.empty() || out.back() < begin))
      out.push_back(begin);
  }
  return out;
}

}  // namespace lm::transform
