#include "text/normalize.h"

#include <algorithm>
#include <array>

#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

// CCNet's list, which datatrove took over: Chinese, quotation and other marks beyond ASCII. U+FF11
// is a digit that stands in it by mistake; every user replaces digits first.
constexpr std::array<char32_t, 34> kMarks34 = {
    0x00AB, 0x00B4, 0x00BB, 0x2013, 0x2014, 0x2019, 0x201C, 0x201D, 0x201E, 0x2026, 0x2236, 0x2501,
    0x25BA, 0x3001, 0x3002, 0x3008, 0x3009, 0x300A, 0x300B, 0x300C, 0x300D, 0x3010, 0x3011, 0xFF01,
    0xFF05, 0xFF08, 0xFF09, 0xFF0C, 0xFF0E, 0xFF11, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF5E};

bool is_mark34(char32_t cp) {
  return std::binary_search(kMarks34.begin(), kMarks34.end(), cp);
}
constexpr bool is_latin_control(char32_t cp) {
  return cp < 0x20 || (cp >= 0x7F && cp < 0xA0);
}

constexpr bool is_ascii_digit(u8 c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_ascii_letter(u8 c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_ascii_space(u8 c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
}
constexpr bool is_ascii_punct(u8 c) {
  return c > 32 && c < 127 && !is_ascii_digit(c) && !is_ascii_letter(c);
}
constexpr u8 ascii_lower_byte(u8 c) {
  return c >= 'A' && c <= 'Z' ? static_cast<u8>(c + 32) : c;
}

// Table values below 0x80 are the byte to write.
constexpr u8 kDrop = 0x80;    // the byte vanishes
constexpr u8 kBlank = 0x81;   // the byte separates
constexpr u8 kNumber = 0x82;  // starts a number (datatrove)
using AsciiTable = std::array<u8, 128>;

constexpr AsciiTable make_table(Normaliser n) {
  AsciiTable table{};
  for (u8 c = 0; c < 128; ++c) {
    u8 to = ascii_lower_byte(c);
    const bool control = c < 32 || c == 127;
    if (n == Normaliser::kCcnetDedup) {
      if (control) to = kDrop;
      if (is_ascii_digit(c)) to = '0';
    } else if (n == Normaliser::kDatatrove) {
      if (control || c == ' ' || is_ascii_punct(c)) to = kBlank;
      if (is_ascii_digit(c)) to = kNumber;
    } else if (n == Normaliser::kAlnum) {
      if (!is_ascii_letter(c) && !is_ascii_digit(c)) to = kBlank;
    } else {  // slimpajama, gpt3
      if (is_ascii_space(c)) to = kBlank;
      if (is_ascii_punct(c)) to = kDrop;
    }
    table[c] = to;
  }
  return table;
}

constexpr AsciiTable kCcnetTable = make_table(Normaliser::kCcnetDedup);
constexpr AsciiTable kDatatroveTable = make_table(Normaliser::kDatatrove);
constexpr AsciiTable kAlnumTable = make_table(Normaliser::kAlnum);
constexpr AsciiTable kDeletingTable = make_table(Normaliser::kGpt3);

/// Collects words with one blank between them.
class Output {
 public:
  explicit Output(std::string& out) : out_(out) { out_.clear(); }
  void blank() { pending_ = true; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (pending_ && !out_.empty()) out_.push_back(' ');
    pending_ = false;
    out_.append(bytes);
  }

  /// An ASCII region through a table; the fast path, writing straight into the string's memory.
  void ascii(std::string_view region, const AsciiTable& table) {
    const std::size_t before = out_.size();
    out_.resize(before + region.size() + 1);  // one more for a blank that is pending from before
    char* const start = out_.data() + before;
    char* to = start;
    const char* from = region.data();
    const char* const end = from + region.size();
    bool pending = pending_;
    const bool first = before == 0;
    while (from < end) {
      const u8 action = table[static_cast<u8>(*from)];
      if (action >= kDrop) {
        if (action == kBlank) pending = true;
        if (action != kNumber) {
          ++from;
          continue;
        }
      }
      if (pending) {
        if (!first || to != start) *to++ = ' ';
        pending = false;
      }
      if (action != kNumber) {
        *to++ = static_cast<char>(action);
        ++from;
      } else {
        *to++ = '0';
        from = skip_number(from, end);
      }
    }
    pending_ = pending;
    out_.resize(usize(to - out_.data()));
  }

 private:
  /// Digits, then a point and digits if both follow.
  static const char* skip_number(const char* from, const char* end) {
    const auto digits = [end](const char* p) {
      while (p < end && is_ascii_digit(static_cast<u8>(*p)))
        ++p;
      return p;
    };
    from = digits(from);
    if (end - from < 2 || *from != '.' || !is_ascii_digit(static_cast<u8>(from[1]))) return from;
    return digits(from + 1);
  }

  std::string& out_;
  bool pending_ = false;
};

/// A word with characters beyond ASCII, datatrove: numbers, then punctuation and white space as
/// separators, then NFD without marks per piece.
void datatrove_word(std::string_view word, Output& out) {
  const std::string lowered = to_lower(word);
  std::string piece;
  const auto flush = [&] {
    out.append(nfd_without_marks(piece));
    piece.clear();
  };
  const char* p = lowered.data();
  const char* const end = p + lowered.size();
  const auto digit_at = [end](const char* q) { return q < end && is_decimal_digit(next_valid(q)); };
  const auto skip_digits = [&](const char* q) {
    while (digit_at(q))
      next_valid(q);
    return q;
  };
  while (p < end) {
    const char* const at = p;
    const char32_t cp = next_valid(p);
    if (is_decimal_digit(cp)) {
      p = skip_digits(p);
      if (p < end && *p == '.' && digit_at(p + 1)) p = skip_digits(p + 1);
      piece.push_back('0');
    } else if (is_py_space(cp) || is_web_mark(cp)) {
      flush();
      out.blank();
    } else {
      piece.append(at, p);
    }
  }
  flush();
}

/// Lower-cased word: keep(cp) stays, blank(cp) separates, the rest vanishes.
template <typename Keep, typename Blank>
void filter_word(std::string_view lowered, Output& out, Keep keep, Blank blank) {
  std::string piece;
  const char* p = lowered.data();
  const char* const end = p + lowered.size();
  while (p < end) {
    const char* const at = p;
    const char32_t cp = next_valid(p);
    if (blank(cp)) {
      out.append(piece);
      piece.clear();
      out.blank();
    } else if (keep(cp)) {
      piece.append(at, p);
    }
  }
  out.append(piece);
}

bool ascii_or_p(char32_t cp) {
  return cp < 0x80 ? is_ascii_punct(static_cast<u8>(cp)) : is_punctuation(cp);
}

void ccnet_word(std::string_view word, Output& out) {
  const std::string lowered = to_lower(word);
  std::string kept;
  const char* p = lowered.data();
  const char* const end = p + lowered.size();
  while (p < end) {
    const char* const at = p;
    const char32_t cp = next_valid(p);
    if (is_decimal_digit(cp)) {
      kept.push_back('0');
    } else if (!is_latin_control(cp) && !is_mark34(cp)) {
      kept.append(at, p);
    }
  }
  out.append(kept);
}

void slow_word(Normaliser n, std::string_view word, Output& out) {
  switch (n) {
    case Normaliser::kDatatrove:
      return datatrove_word(word, out);
    case Normaliser::kCcnetDedup:
      return ccnet_word(word, out);
    case Normaliser::kSlimPajama:
      return filter_word(
          to_lower(nfc(word)), out,
          [](char32_t cp) { return cp >= 0x80 || !is_ascii_punct(static_cast<u8>(cp)); },
          is_py_space);
    case Normaliser::kAlnum:
      return filter_word(to_lower(word), out, is_alnum, [](char32_t cp) { return !is_alnum(cp); });
    case Normaliser::kGpt3:
    default:
      return filter_word(
          to_lower(word), out, [](char32_t cp) { return !ascii_or_p(cp); }, is_py_space);
  }
}

const AsciiTable& table_of(Normaliser n) {
  switch (n) {
    case Normaliser::kCcnetDedup:
      return kCcnetTable;
    case Normaliser::kDatatrove:
      return kDatatroveTable;
    case Normaliser::kAlnum:
      return kAlnumTable;
    default:
      return kDeletingTable;
  }
}

/// Offset of the first byte >= 0x80 at or after at, or the text's size.
i64 find_non_ascii(std::string_view text, i64 at) {
  const char* const begin = text.data() + at;
  const char* const end = text.data() + text.size();
  const char* p = begin;
  for (; end - p >= 8; p += 8) {
    u64 eight;
    std::copy_n(p, 8, reinterpret_cast<char*>(&eight));
    if ((eight & 0x8080808080808080ULL) != 0) break;
  }
  while (p < end && static_cast<u8>(*p) < 0x80)
    ++p;
  return p - text.data();
}

/// Case, numbers and normal forms never look across ASCII white space (it is neither cased nor
/// case-ignorable, and a starter), so words with other characters can be taken out of the fast
/// path.
void by_regions(Normaliser n, std::string_view text, std::string& out_bytes) {
  Output out(out_bytes);
  const AsciiTable& table = table_of(n);
  i64 at = 0;
  while (at < isize(text)) {
    const i64 other = find_non_ascii(text, at);
    i64 begin = other;
    i64 end = other;
    if (other < isize(text)) {
      while (begin > at && !is_ascii_space(static_cast<u8>(text[usize(begin - 1)])))
        --begin;
      while (end < isize(text) && !is_ascii_space(static_cast<u8>(text[usize(end)])))
        ++end;
    }
    out.ascii(text.substr(usize(at), usize(begin - at)), table);
    if (end > begin) slow_word(n, text.substr(usize(begin), usize(end - begin)), out);
    at = end;
  }
}

void url(std::string_view text, std::string& out) {
  text = strip(text);
  text = text.substr(0, text.find_first_of("?#"));
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos && text.find('/') == scheme + 1)
    text.remove_prefix(scheme + 3);
  const std::size_t at = text.find('@');
  if (at < text.find('/')) text.remove_prefix(at + 1);
  while (!text.empty() && text.back() == '/')
    text.remove_suffix(1);
  out = to_lower(text);
}

const std::array<std::string, 7>& names() {
  static const std::array<std::string, 7> all = {"raw",   "ccnet-dedup", "datatrove", "slimpajama",
                                                 "alnum", "gpt3",        "url"};
  return all;
}

}  // namespace

bool is_web_mark(char32_t cp) {
  return is_latin_control(cp) || is_mark34(cp) ||
         (cp < 0x80 && is_ascii_punct(static_cast<u8>(cp)));
}

std::span<const std::string> normaliser_names() {
  return names();
}

const std::string& normaliser_name(Normaliser normaliser) {
  return names()[static_cast<std::size_t>(normaliser)];
}

std::optional<Normaliser> find_normaliser(std::string_view name) {
  for (std::size_t i = 0; i < names().size(); ++i) {
    if (names()[i] == name) return static_cast<Normaliser>(i);
  }
  return std::nullopt;
}

void normalise(Normaliser normaliser, std::string_view text, std::string& out) {
  switch (normaliser) {
    case Normaliser::kRaw:
      out.assign(text);
      return;
    case Normaliser::kUrl:
      url(text, out);
      return;
    case Normaliser::kCcnetDedup:
      by_regions(normaliser, strip(text), out);
      return;
    default:
      by_regions(normaliser, text, out);
  }
}

std::string normalise(Normaliser normaliser, std::string_view text) {
  std::string out;
  normalise(normaliser, text, out);
  return out;
}

}  // namespace lm::text
