// Groups of characters that are repeated at least four times, as Dolma's (.+?)(\s?\1){3,} finds
// them: from left to right, at each place the shortest group that works, copies with at most one
// white space before each. A group stands on one line and has at most --max-period characters.
//
// Groups of up to three bytes are tried at every place. A longer one begins with four bytes that
// stand again where its first copy begins, so only the next places of the same four bytes are
// looked at; the bound on the group's length bounds the work.

#include <algorithm>
#include <bit>
#include <cstring>

#include "tag/tagger.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> repetition_taggers();

namespace {

enum Type : i64 { kRepetition, kMaxScore, kMaxLength, kFraction };

constexpr i64 kKeyBytes = 4;
constexpr int kCopies = 3;  // beside the group itself

struct Repetition {
  Range all;
  i64 period;  // bytes
};

class Finder {
 public:
  explicit Finder(i64 max_period) : max_period_(max_period) {}

  /// In part of the text, as if nothing stood around it. ascii: of the whole text.
  void find(std::string_view text, Range part, bool ascii, std::vector<Repetition>& out) {
    text_ = text.substr(usize(part.begin), usize(part.size()));
    ascii_ = ascii;
    reach_ = ascii ? max_period_ + 1 : 4 * max_period_ + 3;
    link();
    i64 line_end = -1;
    for (i64 at = 0; at < isize(text_);) {
      if (line_end < at) {
        const std::size_t lf = text_.find('\n', usize(at));
        line_end = lf == std::string_view::npos ? isize(text_) : static_cast<i64>(lf);
      }
      const Repetition found = at == line_end ? Repetition{{0, -1}, 0} : match(at, line_end);
      if (found.all.end < 0) {
        do
          ++at;
        while (at < isize(text_) && continues(at));
        continue;
      }
      out.push_back({{part.begin + found.all.begin, part.begin + found.all.end}, found.period});
      at = found.all.end;
    }
  }

 private:
  bool continues(i64 at) const { return (static_cast<u8>(text_[usize(at)]) & 0xC0) == 0x80; }

  /// next_[i]: the nearest place behind i where the same four bytes (or others of the same hash)
  /// stand, 0 if it is out of reach.
  void link() {
    const i64 n = isize(text_);
    next_.assign(usize(n), 0);
    if (n < 2 * kKeyBytes) return;
    const int bits =
        static_cast<int>(std::bit_width(static_cast<u64>(std::clamp<i64>(n, 256, 1 << 16))));
    last_.assign(std::size_t{1} << bits, 0);
    for (i64 i = n - kKeyBytes; i >= 0; --i) {
      u32 key = 0;
      std::memcpy(&key, text_.data() + i, sizeof key);
      u32& last = last_[(key * 0x9E3779B1u) >> (32 - bits)];
      next_[usize(i)] = last != 0 && last - i <= reach_ ? last : 0;
      last = static_cast<u32>(i);
    }
  }

  i64 space(i64 at) const { return at < isize(text_) ? text::py_space_size(text_, at) : 0; }

  Repetition match(i64 at, i64 line_end) {
    periods_.clear();
    for (i64 period = 1; period < kKeyBytes; ++period)
      if (may_be_copied(at, at + period)) periods_.push_back(period);
    for (i64 next = next_[usize(at)]; next != 0 && next - at <= reach_; next = next_[usize(next)]) {
      // The first copy begins there, behind the group or behind one white space.
      if (is_copy(at, next - at, next)) periods_.push_back(next - at);
      for (i64 size = 1; size <= (ascii_ ? 1 : 3) && next - size > at; ++size)
        if (is_copy(at, next - at - size, next) && !continues(next - size) &&
            space(next - size) == size)
          periods_.push_back(next - at - size);
    }
    std::sort(periods_.begin(), periods_.end());
    for (const i64 period : periods_) {
      if (at + period > line_end) break;
      if (!is_group(at, period)) continue;
      const i64 end = copies_end(at, period, at + period, kCopies);
      if (end >= 0) return {{at, end}, period};
    }
    return {{0, -1}, 0};
  }

  /// Whole characters, not too many.
  bool is_group(i64 at, i64 period) const {
    if (ascii_) return period <= max_period_;
    return (at + period == isize(text_) || !continues(at + period)) &&
           text::count_code_points(text_.substr(usize(at), usize(period))) <= max_period_;
  }

  /// False where neither a copy of what stands at group begins nor white space before one.
  bool may_be_copied(i64 group, i64 at) const {
    if (at >= isize(text_)) return false;
    const char c = text_[usize(at)];
    return c == text_[usize(group)] || static_cast<u8>(c) <= ' ' || static_cast<u8>(c) >= 0x80;
  }

  // Most that begin alike end differently.
  bool is_copy(i64 group, i64 period, i64 at) const {
    return at + period <= isize(text_) &&
           text_[usize(group + period - 1)] == text_[usize(at + period - 1)] &&
           std::memcmp(text_.data() + group, text_.data() + at, usize(period)) == 0;
  }

  /// End of the copies from `at` on, `needed` of them at least; -1 if there are fewer. A white
  /// space before a copy is taken where that leads on; once enough are there, nothing is taken
  /// back.
  i64 copies_end(i64 group, i64 period, i64 at, int needed) const {
    for (;;) {
      const i64 size = space(at);
      const bool behind = size > 0 && is_copy(group, period, at + size);
      const bool here = is_copy(group, period, at);
      if (!behind && !here) return needed <= 0 ? at : -1;
      if (needed > 0 && behind && here) {
        const i64 end = copies_end(group, period, at + size + period, needed - 1);
        if (end >= 0) return end;
        return copies_end(group, period, at + period, needed - 1);
      }
      at += period + (behind ? size : 0);
      --needed;
    }
  }

  i64 max_period_;
  std::string_view text_;
  bool ascii_ = true;
  i64 reach_ = 0;
  std::vector<u32> next_;
  std::vector<u32> last_;
  std::vector<i64> periods_;
};

/// Copies of the group that do not overlap.
i64 count_copies(std::string_view match, i64 period) {
  const std::string_view group = match.substr(0, usize(period));
  i64 n = 0;
  for (std::size_t at = 0; at != std::string_view::npos; at = match.find(group, at + group.size()))
    ++n;
  return n;
}

class Repetitions : public Tagger {
 public:
  Repetitions(const TagSettings& settings, bool by_paragraph)
      : finder_(settings.max_period), by_paragraph_(by_paragraph) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    found_.clear();
    if (by_paragraph_) {
      for (const Range paragraph : document.paragraphs())
        finder_.find(text, paragraph, document.ascii(), found_);
    } else {
      finder_.find(text, {0, isize(text)}, document.ascii(), found_);
    }
    i64 max_score = 0;
    i64 max_length = 0;
    i64 sum = 0;
    for (const Repetition& found : found_) {
      const i64 score = count_copies(document.slice(found.all), found.period);
      const i64 length = document.chars_of(found.all);
      out.span(kRepetition, found.all.begin, found.all.end, static_cast<f64>(score));
      max_score = std::max(max_score, score);
      max_length = std::max(max_length, length);
      sum += length;
    }
    out.value(kMaxScore, static_cast<f64>(max_score));
    out.value(kMaxLength, static_cast<f64>(max_length));
    out.value(kFraction,
              static_cast<f64>(sum) / static_cast<f64>(std::max<i64>(document.chars(), 1)));
    return std::nullopt;
  }

 private:
  Finder finder_;
  bool by_paragraph_;
  std::vector<Repetition> found_;
};

}  // namespace

std::vector<TaggerDef> repetition_taggers() {
  const std::vector<TagType> types = {
      {"repetition", "a group of characters four times or more; the score is how often"},
      {"doc_max_score_repetition", "most copies of a group"},
      {"doc_max_length_repetition", "code points of the longest repetition"},
      {"doc_frac_repetition", "share of the text's code points in repetitions"},
  };
  const auto make = [](bool by_paragraph) {
    return [by_paragraph](const TagSettings& settings) {
      return std::make_unique<Repetitions>(settings, by_paragraph);
    };
  };
  return {
      {"repetitions_v1", "match", "repeated groups of characters", "Dolma", types, {}, make(false)},
      {"paragraph_repetitions_v1",
       "match",
       "repeated groups of characters, each paragraph by itself",
       "Dolma",
       types,
       {},
       make(true)}};
}

}  // namespace lm::tag
