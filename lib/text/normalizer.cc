#include "text/normalizer.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "text/bert_chars.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

/// What all steps together may make of a text: NFKC of U+FDFA, the longest in Unicode, is eleven
/// times as long. A file of replacements that double a text each would otherwise never end.
constexpr std::size_t largest_image(std::size_t text_bytes) {
  return (std::size_t{1} << 20) + 64 * text_bytes;
}

/// Collects rewritten text and, on request, the source range of every byte.
class Rewriter {
 public:
  Rewriter(std::string_view source, std::size_t limit, bool with_map)
      : source_(source), limit_(limit), with_map_(with_map) {
    out.reserve(source.size());
  }
  /// Appends piece as the image of source bytes [begin, end).
  void put(std::string_view piece, i64 begin, i64 end) {
    if (out.size() + piece.size() > limit_) {
      throw Error(ErrorKind::kData,
                  cat("the tokenizer's normalizer makes more than ", limit_, " bytes of a text"));
    }
    out.append(piece);
    if (with_map_) map.insert(map.end(), piece.size(), {begin, end});
  }
  /// Copies source bytes [begin, end) unchanged; every character maps to itself.
  void copy(i64 begin, i64 end) {
    out.append(source_.substr(usize(begin), usize(end - begin)));
    for (i64 at = begin; with_map_ && at < end;) {
      const i64 size = sequence_size(source_[usize(at)]);
      map.insert(map.end(), usize(size), {at, at + size});
      at += size;
    }
  }
  std::string out;
  OffsetMap map;

 private:
  std::string_view source_;
  std::size_t limit_;
  bool with_map_;
};

using Form = std::string (*)(std::string_view);

Form form_of(NormalizerKind kind) {
  switch (kind) {
    case NormalizerKind::kNfc:
      return nfc;
    case NormalizerKind::kNfd:
      return nfd;
    case NormalizerKind::kNfkc:
      return nfkc;
    default:
      return nfkd;
  }
}

/// Applies a normal form run by run. Runs begin where nothing joins backwards: at ASCII characters,
/// for NFC at every inert character.
void rewrite_form(NormalizerKind kind, std::string_view text, Rewriter& r) {
  const auto begins_run = [&](i64 at) {
    const Decoded d = decode_at(text, at);
    return d.cp < 0x80 || (kind == NormalizerKind::kNfc && (tables::props(d.cp) & 0x40) == 0);
  };
  for (i64 at = 0; at < isize(text);) {
    i64 end = at + sequence_size(text[usize(at)]);
    while (end < isize(text) && !begins_run(end))
      end += sequence_size(text[usize(end)]);
    r.put(form_of(kind)(text.substr(usize(at), usize(end - at))), at, end);
    at = end;
  }
}

void rewrite_matches(const NormalizerStep& step, std::string_view text, Rewriter& r) {
  i64 copied = 0;
  if (step.regex) {
    std::vector<Span> matches;
    step.regex->find_all(text, matches);
    for (const Span& m : matches) {
      r.copy(copied, m.begin);
      r.put(step.content, m.begin, m.end);
      copied = m.end;
    }
  } else if (!step.pattern.empty()) {
    for (std::size_t hit = text.find(step.pattern); hit != std::string_view::npos;
         hit = text.find(step.pattern, usize(copied))) {
      r.copy(copied, static_cast<i64>(hit));
      copied = static_cast<i64>(hit + step.pattern.size());
      r.put(step.content, static_cast<i64>(hit), copied);
    }
  }
  r.copy(copied, isize(text));
}

void rewrite_strip(const NormalizerStep& step, std::string_view text, Rewriter& r) {
  i64 begin = 0;
  i64 end = 0;
  bool seen = false;
  for (i64 at = 0; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    if (!is_white_space(d.cp)) {
      if (!seen) begin = at;
      seen = true;
      end = at + d.size;
    }
    at += d.size;
  }
  if (!seen) begin = isize(text);
  if (!step.left) begin = 0;
  if (!step.right) end = isize(text);
  if (begin < end) r.copy(begin, end);
}

void rewrite_bert(NormalizerKind kind, std::string_view text, Rewriter& r) {
  for (i64 at = 0; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    const i64 end = at + d.size;
    if (kind == NormalizerKind::kBertCjk && is_bert_ideograph(d.cp)) {
      r.put(" ", at, end);
      r.copy(at, end);
      r.put(" ", at, end);
    } else if (kind == NormalizerKind::kBertClean && is_bert_space(d.cp)) {
      r.put(" ", at, end);
    } else {
      const bool drop = kind == NormalizerKind::kBertClean     ? is_bert_control(d.cp)
                        : kind == NormalizerKind::kBertAccents ? is_bert_accent(d.cp)
                                                               : false;
      if (!drop) r.copy(at, end);
    }
    at = end;
  }
}

void rewrite_charsmap(const Charsmap& map, std::string_view text, Rewriter& r) {
  constexpr i64 kLongestCluster = 5;  // bytes; longer ones go character by character
  const auto put = [&](i64 begin, i64 end) {
    const auto image = map.find(text.substr(usize(begin), usize(end - begin)));
    if (image) r.put(*image, begin, end);
    return image.has_value();
  };
  for (i64 at = 0; at < isize(text);) {
    const i64 end = cluster_end(text, at);
    if (end - at <= kLongestCluster && put(at, end)) {
      at = end;
      continue;
    }
    while (at < end) {
      const i64 next = at + sequence_size(text[usize(at)]);
      if (!put(at, next)) r.copy(at, next);
      at = next;
    }
  }
}

void rewrite(const NormalizerStep& step, std::string_view text, bool with_map, Rewriter& r) {
  switch (step.kind) {
    case NormalizerKind::kNfc:
    case NormalizerKind::kNfd:
    case NormalizerKind::kNfkc:
    case NormalizerKind::kNfkd:
      if (with_map) {
        rewrite_form(step.kind, text, r);
      } else {
        r.out = form_of(step.kind)(text);
      }
      return;
    case NormalizerKind::kLowercase:
      for (i64 at = 0; at < isize(text);) {
        const i64 size = sequence_size(text[usize(at)]);
        r.put(to_lower_each(text.substr(usize(at), usize(size))), at, at + size);
        at += size;
      }
      return;
    case NormalizerKind::kStripAccents:
      for (i64 at = 0; at < isize(text);) {
        const Decoded d = decode_at(text, at);
        if (!is_mark(d.cp)) r.copy(at, at + d.size);
        at += d.size;
      }
      return;
    case NormalizerKind::kBertClean:
    case NormalizerKind::kBertCjk:
    case NormalizerKind::kBertAccents:
      return rewrite_bert(step.kind, text, r);
    case NormalizerKind::kReplace:
      return rewrite_matches(step, text, r);
    case NormalizerKind::kPrepend:
      if (!text.empty()) r.put(step.content, 0, 0);
      return r.copy(0, isize(text));
    case NormalizerKind::kStrip:
      return rewrite_strip(step, text, r);
    case NormalizerKind::kCharsmap:
      return rewrite_charsmap(*step.charsmap, text, r);
  }
}

}  // namespace

void add_bert_steps(const BertNormalization& how, Normalizer& out) {
  const auto add = [&out](bool wanted, NormalizerKind kind) {
    if (wanted) out.add({kind, {}, {}, {}, false, false});
  };
  add(how.clean_text, NormalizerKind::kBertClean);
  add(how.space_cjk, NormalizerKind::kBertCjk);
  add(how.strip_accents, NormalizerKind::kNfd);
  add(how.strip_accents, NormalizerKind::kBertAccents);
  add(how.lower_case, NormalizerKind::kLowercase);
}

bool Normalizer::may_change(std::string_view text) const {
  return std::any_of(steps_.begin(), steps_.end(), [text](const NormalizerStep& step) {
    return step.kind != NormalizerKind::kNfc || !nfc_inert(text);
  });
}

std::string Normalizer::apply(std::string_view text, OffsetMap* map) const {
  std::string current(text);
  bool first = true;
  for (const NormalizerStep& step : steps_) {
    Rewriter r(current, largest_image(text.size()), map != nullptr);
    rewrite(step, current, map != nullptr, r);
    if (map != nullptr) {
      if (!first) {
        for (std::pair<i64, i64>& range : r.map) {
          // Ranges of this step name bytes of the step before; an empty one stands at a place.
          const OffsetMap& before = *map;
          const i64 b = range.first;
          const i64 begin = b < isize(before) ? before[usize(b)].first : isize(text);
          const i64 end = range.second > b ? before[usize(range.second - 1)].second : begin;
          range = {begin, end};
        }
      }
      *map = std::move(r.map);
    }
    first = false;
    current = std::move(r.out);
  }
  if (map != nullptr && first) {
    Rewriter r(text, text.size(), true);
    r.copy(0, isize(text));
    *map = std::move(r.map);
  }
  return current;
}

std::pair<i64, i64> source_range(const OffsetMap* map, i64 b, i64 e, i64 begin) {
  if (map == nullptr) return {begin + b, begin + e};
  if (map->empty()) return {begin, begin};
  const i64 last = isize(*map) - 1;
  const i64 from = (*map)[usize(std::min(b, last))].first;
  return {begin + from, begin + (e > b ? (*map)[usize(std::min(e - 1, last))].second : from)};
}

}  // namespace lm::text
