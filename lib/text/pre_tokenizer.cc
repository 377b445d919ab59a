#include "text/pre_tokenizer.h"

#include <algorithm>

#include "text/bert_chars.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

/// A stretch that a pattern matched, or a gap between matches.
struct Stretch {
  i64 begin;
  i64 end;
  bool match;
};

/// Matches and gaps of single characters that satisfy pred.
template <typename Pred>
void char_stretches(std::string_view text, Pred pred, std::vector<Stretch>& out) {
  i64 gap = 0;
  for (i64 at = 0; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    if (pred(d.cp)) {
      if (gap < at) out.push_back({gap, at, false});
      out.push_back({at, at + d.size, true});
      gap = at + d.size;
    }
    at += d.size;
  }
  if (gap < isize(text)) out.push_back({gap, isize(text), false});
}

void gap_stretches(const std::vector<Span>& matches, std::string_view text,
                   std::vector<Stretch>& out) {
  i64 done = 0;
  for (const Span& m : matches) {
    if (done < m.begin) out.push_back({done, m.begin, false});
    out.push_back({m.begin, m.end, true});
    done = m.end;
  }
  if (done < isize(text)) out.push_back({done, isize(text), false});
}

void literal_matches(std::string_view literal, std::string_view text, std::vector<Span>& out) {
  for (std::size_t hit = text.find(literal); hit != std::string_view::npos;
       hit = text.find(literal, hit + literal.size())) {
    out.push_back({static_cast<i64>(hit), static_cast<i64>(hit + literal.size())});
  }
}

/// \w+ and [^\w\s]+ as matches.
void word_stretches(std::string_view text, std::vector<Stretch>& out) {
  const auto class_of = [](char32_t cp) { return is_word(cp) ? 1 : is_white_space(cp) ? 0 : 2; };
  for (i64 at = 0; at < isize(text);) {
    const Decoded first = decode_at(text, at);
    const int kind = class_of(first.cp);
    i64 end = at + first.size;
    while (end < isize(text)) {
      const Decoded d = decode_at(text, end);
      if (class_of(d.cp) != kind) break;
      end += d.size;
    }
    out.push_back({at, end, kind != 0});
    at = end;
  }
}

/// Turns stretches into parts of text by the behaviour. Empty parts are left out.
void apply_behavior(SplitBehavior behavior, const std::vector<Stretch>& in,
                    std::vector<Span>& out) {
  bool previous_match = false;
  switch (behavior) {
    case SplitBehavior::kRemoved:
      for (const Stretch& s : in) {
        if (!s.match) out.push_back({s.begin, s.end});
      }
      break;
    case SplitBehavior::kIsolated:
      for (const Stretch& s : in)
        out.push_back({s.begin, s.end});
      break;
    case SplitBehavior::kContiguous:
      for (const Stretch& s : in) {
        if (!out.empty() && s.match == previous_match) {
          out.back().end = s.end;
        } else {
          out.push_back({s.begin, s.end});
        }
        previous_match = s.match;
      }
      break;
    case SplitBehavior::kMergedWithPrevious:
      for (const Stretch& s : in) {
        if (s.match && !previous_match && !out.empty()) {
          out.back().end = s.end;
        } else {
          out.push_back({s.begin, s.end});
        }
        previous_match = s.match;
      }
      break;
    case SplitBehavior::kMergedWithNext:
      for (i64 i = isize(in) - 1; i >= 0; --i) {
        const Stretch& s = in[usize(i)];
        if (s.match && !previous_match && !out.empty()) {
          out.back().begin = s.begin;
        } else {
          out.push_back({s.begin, s.end});
        }
        previous_match = s.match;
      }
      std::reverse(out.begin(), out.end());
      break;
  }
  std::erase_if(out, [](const Span& s) { return s.begin == s.end; });
}

void pattern_stretches(const PreTokenizerStep& step, std::string_view text,
                       std::vector<Stretch>& out) {
  std::vector<Span> matches;
  if (step.pattern != PatternId::kOther) {
    scan_pieces(step.pattern, text, matches);
  } else if (step.regex) {
    step.regex->find_all(text, matches);
  } else if (!step.literal.empty()) {
    literal_matches(step.literal, text, matches);
  }
  gap_stretches(matches, text, out);
  for (Stretch& s : out)
    s.match = s.match != step.invert;
}

/// The parts that one splitting step makes of text.
void split_text(const PreTokenizerStep& step, std::string_view text, std::vector<Span>& out) {
  std::vector<Stretch> stretches;
  switch (step.kind) {
    case PreTokenizerKind::kPattern:
      pattern_stretches(step, text, stretches);
      return apply_behavior(step.behavior, stretches, out);
    case PreTokenizerKind::kDigits:
      char_stretches(text, is_number, stretches);
      return apply_behavior(
          step.single_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, stretches,
          out);
    case PreTokenizerKind::kPunctuation:
      char_stretches(text, is_bert_punctuation, stretches);
      return apply_behavior(step.behavior, stretches, out);
    case PreTokenizerKind::kWhitespace:
      word_stretches(text, stretches);
      for (Stretch& s : stretches)
        s.match = !s.match;
      return apply_behavior(SplitBehavior::kRemoved, stretches, out);
    case PreTokenizerKind::kWhitespaceSplit:
      char_stretches(text, is_white_space, stretches);
      return apply_behavior(SplitBehavior::kRemoved, stretches, out);
    case PreTokenizerKind::kBert: {
      char_stretches(text, is_white_space, stretches);
      std::vector<Span> words;
      apply_behavior(SplitBehavior::kRemoved, stretches, words);
      for (const Span& word : words) {
        stretches.clear();
        char_stretches(text.substr(usize(word.begin), usize(word.end - word.begin)),
                       is_bert_punctuation, stretches);
        for (const Stretch& s : stretches)
          out.push_back({word.begin + s.begin, word.begin + s.end});
      }
      return;
    }
    case PreTokenizerKind::kMetaspace: {
      std::vector<Span> matches;
      literal_matches(step.literal, text, matches);
      gap_stretches(matches, text, stretches);
      return apply_behavior(SplitBehavior::kMergedWithNext, stretches, out);
    }
    case PreTokenizerKind::kPrefixSpace:
      break;
  }
  out.push_back({0, isize(text)});
}

/// part with `prefix` before it and every U+0020 replaced by blank (when not empty).
Part rewritten(const Part& part, std::string_view prefix, std::string_view blank, bool with_maps,
               PartList& list) {
  std::string text(prefix);
  std::vector<i64> map(with_maps ? prefix.size() : 0, list.origin(part, 0));
  for (i64 k = 0; k < isize(part.text); ++k) {
    const char c = part.text[usize(k)];
    const std::string_view image =
        c == ' ' && !blank.empty() ? blank : part.text.substr(usize(k), 1);
    text.append(image);
    if (with_maps) map.insert(map.end(), image.size(), list.origin(part, k));
  }
  Part result;
  if (with_maps) {
    map.push_back(list.origin(part, isize(part.text)));
    result.map = static_cast<i32>(list.maps.size());
    list.maps.push_back(std::move(map));
  }
  list.owned.push_back(std::move(text));
  result.text = list.owned.back();
  return result;
}

Part before_split(const PreTokenizerStep& step, const Part& part, bool at_start, bool with_maps,
                  PartList& list) {
  if (step.kind == PreTokenizerKind::kPrefixSpace && part.text[0] != ' ') {
    return rewritten(part, " ", {}, with_maps, list);
  }
  if (step.kind == PreTokenizerKind::kMetaspace) {
    const bool wanted = step.prepend == PrependScheme::kAlways ||
                        (step.prepend == PrependScheme::kFirst && at_start);
    const bool has = part.text[0] == ' ' || part.text.starts_with(step.literal);
    return rewritten(part, wanted && !has ? step.literal : std::string_view(), step.literal,
                     with_maps, list);
  }
  return part;
}

bool splits(const PreTokenizerStep& step) {
  return step.kind != PreTokenizerKind::kPrefixSpace &&
         (step.kind != PreTokenizerKind::kMetaspace || step.split);
}

}  // namespace

void PartList::clear() {
  parts.clear();
  next.clear();
  owned.clear();
  maps.clear();
}

std::optional<PatternId> PreTokenizer::single_scanner() const {
  if (steps_.size() != 1 || steps_[0].kind != PreTokenizerKind::kPattern ||
      steps_[0].pattern == PatternId::kOther) {
    return std::nullopt;
  }
  // A scanner matches everything, so inverted removal (keep the matches) keeps everything too.
  const PreTokenizerStep& step = steps_[0];
  const bool keeps = (step.behavior == SplitBehavior::kIsolated) ||
                     (step.behavior == SplitBehavior::kRemoved && step.invert);
  return keeps ? std::optional(step.pattern) : std::nullopt;
}

bool PreTokenizer::slow() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const PreTokenizerStep& step) { return step.regex.has_value(); });
}

void PreTokenizer::run(std::string_view text, bool at_start, bool with_maps, PartList& list) const {
  list.clear();
  if (text.empty()) return;
  list.parts.push_back({text});
  for (const PreTokenizerStep& step : steps_) {
    list.next.clear();
    for (const Part& given : list.parts) {
      // A first part that lost bytes before it does not begin at offset 0 any more.
      const bool first =
          at_start &&
          (given.map < 0 ? given.origin == 0 : given.map_at == 0 && list.origin(given, 0) == 0);
      const Part part = before_split(step, given, first, with_maps, list);
      if (!splits(step)) {
        list.next.push_back(part);
        continue;
      }
      list.spans.clear();
      split_text(step, part.text, list.spans);
      for (const Span& s : list.spans) {
        Part cut = part;
        cut.text = part.text.substr(usize(s.begin), usize(s.end - s.begin));
        cut.origin = part.origin + s.begin;
        cut.map_at = part.map_at + s.begin;
        list.next.push_back(cut);
      }
    }
    list.parts.swap(list.next);
  }
}

}  // namespace lm::text
