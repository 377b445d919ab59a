// UTF-8 that was read as Windows-1252 or Latin-1, perhaps more than once, is read again as UTF-8:
// the part of what ftfy repairs that can be told without knowing the language.
//
// A sequence is a letter U+00C2-00F4 that stands for the first byte of two to four and as many
// characters that stand for its other bytes, by either encoding, if they make an assigned
// character. Sequences side by side are a run. All runs of a line are repaired if one of them
// cannot well be meant:
//   two sequences or more, or one of four bytes;
//   a first byte C2 or C3 (the letters A with circumflex or tilde before a sign), or a control
//   character U+0080-009F;
//   one sequence of a script's letters or of general punctuation with a sign in it that does not
//   stand behind letters (a currency, a dagger; not a quotation mark, a dash or a footnote's
//   number).
// Control characters U+0080-009F that are left become what Windows-1252 has in their place.

#include <algorithm>
#include <array>

#include "clean/cleaner.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::clean {

CleanerDef mojibake_cleaner();

namespace {

enum Type : i64 { kDecoded, kControl };

constexpr i64 kMostTimes = 4;  // that a text was read wrongly

// Windows-1252 0x80-0x9F; 0: nothing assigned.
constexpr std::array<u16, 32> kWindows = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

// Bytes 0x80-0xBF whose character does not stand behind a letter: of Windows-1252
// 80 82-84 86-89 8B 98 and A1-A8 AA AC AD AF B4-B6 B8 BA BC-BF.
constexpr std::array<bool, 64> make_signs() {
  std::array<bool, 64> signs{};
  for (const std::size_t byte :
       {0x80u, 0x82u, 0x83u, 0x84u, 0x86u, 0x87u, 0x88u, 0x89u, 0x8Bu, 0x98u, 0xA1u,
        0xA2u, 0xA3u, 0xA4u, 0xA5u, 0xA6u, 0xA7u, 0xA8u, 0xAAu, 0xACu, 0xADu, 0xAFu,
        0xB4u, 0xB5u, 0xB6u, 0xB8u, 0xBAu, 0xBCu, 0xBDu, 0xBEu, 0xBFu})
    signs[byte - 0x80] = true;
  return signs;
}
constexpr std::array<bool, 64> kSigns = make_signs();

/// The byte from 0x80 on that was read as this character, else 0.
u8 byte_of(char32_t cp) {
  if (cp < 0x100) return cp < 0x80 ? u8{0} : static_cast<u8>(cp);
  const auto found = std::find(kWindows.begin(), kWindows.end(), cp);
  return found == kWindows.end() ? u8{0} : static_cast<u8>(0x80 + (found - kWindows.begin()));
}

bool is_control(char32_t cp) {
  return cp >= 0x80 && cp < 0xA0;
}

/// Characters that may be one of UTF-8.
struct Sequence {
  std::array<char, 4> bytes{};
  int size = 0;  // 0: none
  const char* end = nullptr;
  bool telling = false;  // by itself
};

Sequence sequence_at(const char* p, const char* end) {
  Sequence s;
  const u8 lead = byte_of(text::next_valid(p));
  if (lead < 0xC2 || lead > 0xF4) return s;
  const int size = text::sequence_size(static_cast<char>(lead));
  s.bytes[0] = static_cast<char>(lead);
  bool control = false;
  bool sign = false;
  bool first_sign = false;
  for (int i = 1; i < size; ++i) {
    if (p == end) return s;
    const char32_t cp = text::next_valid(p);
    const u8 byte = byte_of(cp);
    if (byte < 0x80 || byte > 0xBF) return s;
    s.bytes[usize(i)] = static_cast<char>(byte);
    control = control || is_control(cp);
    sign = sign || kSigns[byte - 0x80];
    if (i == 1) first_sign = sign;
  }
  const text::Decoded d = text::decode_at({s.bytes.data(), usize(size)}, 0);
  if (!d.valid || d.size != size) return s;
  const text::Category category = text::general_category(d.cp);
  if (category == text::Category::kCn || category == text::Category::kCo) return s;
  s.size = size;
  s.end = p;
  // Latin, Greek, Cyrillic, Hebrew, Arabic: what else a letter and a sign decode to is rare.
  const bool script = (lead >= 0xC4 && lead <= 0xC5) || (lead >= 0xCE && lead <= 0xD1) ||
                      (lead >= 0xD7 && lead <= 0xD9);
  s.telling = control || size == 4 || lead <= 0xC3 || (size == 2 && script && sign) ||
              (size == 3 && (first_sign || d.cp == 0xFEFF));
  return s;
}

/// Reads the run at `at`, which may be empty; returns its end.
const char* read_run(const char* at, const char* end, std::string& bytes, bool& telling) {
  int sequences = 0;
  bytes.clear();
  telling = false;
  while (at < end) {
    const Sequence s = sequence_at(at, end);
    if (s.size == 0) break;
    bytes.append(s.bytes.data(), usize(s.size));
    ++sequences;
    telling = telling || s.telling || sequences > 1;
    at = s.end;
  }
  return at;
}

/// One run of a line that was read wrongly after the other: where it stands, what it stands for.
class RunCursor {
 public:
  explicit RunCursor(std::string_view text)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), line_end_(begin_) {}
  bool next(tag::Range& where, std::string& bytes) {
    while (at_ < end_) {
      if (at_ == line_end_ && !open_line(bytes)) continue;
      const char* const from = at_;
      bool telling = false;
      if (static_cast<u8>(*at_) >= 0x80) at_ = read_run(at_, line_end_, bytes, telling);
      where = {from - begin_, at_ - begin_};
      if (at_ > from) return true;
      at_ += text::sequence_size(*at_);
    }
    return false;
  }

 private:
  /// The next line: true if one of its runs tells; else it is skipped.
  bool open_line(std::string& bytes) {
    line_end_ = std::find(at_, end_, '\n');
    if (line_end_ < end_) ++line_end_;
    bool telling = false;
    for (const char* p = at_; p < line_end_ && !telling;) {
      const char* const from = p;
      if (static_cast<u8>(*p) >= 0x80) p = read_run(p, line_end_, bytes, telling);
      if (p == from) p += text::sequence_size(*p);
    }
    if (!telling) at_ = line_end_;
    return telling;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* line_end_;
};

/// text without what was read wrongly up to `times` times more, and without controls.
std::string repaired(std::string_view text, i64 times) {
  std::string out;
  std::string bytes;
  tag::Range where;
  i64 reached = 0;
  const auto copy = [&](i64 to) {
    const char* p = text.data() + reached;
    while (p < text.data() + to) {
      const char32_t cp = text::next_valid(p);
      const bool known = is_control(cp) && kWindows[cp - 0x80] != 0;
      text::append_utf8(out, known ? kWindows[cp - 0x80] : cp);
    }
  };
  RunCursor runs(text);
  while (times > 0 && runs.next(where, bytes)) {
    copy(where.begin);
    out += repaired(bytes, times - 1);
    reached = where.end;
  }
  copy(isize(text));
  return out;
}

class Mojibake : public Cleaner {
 public:
  void clean(tag::Document& document, std::string_view, Findings& out) override {
    if (document.ascii()) return;
    const std::string_view text = document.text();
    RunCursor runs(text);
    tag::Range where;
    i64 reached = 0;
    while (runs.next(where, bytes_)) {
      controls(text, reached, where.begin, out);
      out.edits.push_back({where.begin, where.end, kDecoded, repaired(bytes_, kMostTimes - 1)});
      reached = where.end;
    }
    controls(text, reached, isize(text), out);
  }

 private:
  /// U+0080 to U+009F are C2 80 to C2 9F.
  static void controls(std::string_view text, i64 from, i64 to, Findings& out) {
    for (std::size_t at = text.find('\xC2', usize(from)); at < usize(to);
         at = text.find('\xC2', at + 1)) {
      const u8 second = static_cast<u8>(text[at + 1]);
      if (second > 0x9F || kWindows[second - 0x80] == 0) continue;
      Edit edit = {static_cast<i64>(at), static_cast<i64>(at + 2), kControl, {}};
      text::append_utf8(edit.with, kWindows[second - 0x80]);
      out.edits.push_back(std::move(edit));
    }
  }

  std::string bytes_;
};

}  // namespace

CleanerDef mojibake_cleaner() {
  return {"mojibake",
          "UTF-8 that was read as Windows-1252 or Latin-1 is repaired",
          "the core of ftfy (Speer 2019)",
          {{"decoded", "characters that were bytes of UTF-8"},
           {"control", "a control character U+0080-009F in the place of Windows-1252's"}},
          {},
          {},
          [](const OptionValues&) { return std::make_unique<Mojibake>(); }};
}

}  // namespace lm::clean
