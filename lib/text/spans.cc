#include "text/spans.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "core/str.h"
#include "io/json.h"

namespace lm::text {

namespace {

// Reads a list of spans byte by byte: an attribute may have a span for every line of a book, and
// nothing but brackets, commas, blanks and numbers stands in it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  /// Skips blanks and takes c if it stands there.
  bool take(char c) {
    skip();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  template <typename T>
  bool number(T& out) {
    skip();
    const std::from_chars_result got = std::from_chars(at_, end_, out);
    if (got.ec != std::errc()) return false;
    at_ = got.ptr;
    return true;
  }
  bool done() {
    skip();
    return at_ == end_;
  }

 private:
  void skip() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r'))
      ++at_;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

f64 rounded(f64 x, int decimals) {
  char text[64];
  const char* const end =
      std::to_chars(text, text + sizeof text, x, std::chars_format::fixed, decimals).ptr;
  f64 out = x;
  std::from_chars(text, end, out);
  return out;
}

namespace {

__extension__ using u128 = unsigned __int128;

constexpr f64 kWhole = 1e15;  // from here on no decimals are left
constexpr i64 kLongestScore = 24;
constexpr u64 kParts = 100000;  // of a whole: five decimals

/// Hundred thousandths of 0 <= x < 1, rounded half to even from the exact value; kParts if it
/// rounds to 1.
u64 parts_of(f64 x) {
  const u64 bits = std::bit_cast<u64>(x);
  const int exponent = static_cast<int>(bits >> 52);
  const u64 mantissa = (bits & ((u64{1} << 52) - 1)) | u64{exponent != 0} << 52;
  const int shift = 1075 - std::max(exponent, 1);  // x = mantissa / 2^shift
  if (shift > 71) return 0;                        // the product has 70 bits: below one half
  const u128 product = u128{mantissa} * kParts;
  const u128 rest = product & ((u128{1} << shift) - 1);
  const u128 half = u128{1} << (shift - 1);
  const u64 whole = static_cast<u64>(product >> shift);
  return whole + (rest > half || (rest == half && whole % 2 == 1));
}

/// The digits behind the point of so many parts of a whole, up to the last that is not 0.
char* write_parts(char* at, u32 parts) {
  char digits[5];
  for (int i = 4; i >= 0; --i, parts /= 10)
    digits[i] = static_cast<char>('0' + parts % 10);
  int last = 4;
  while (digits[last] == '0')
    --last;
  return std::copy(digits, digits + last + 1, at);
}

/// Writes a score below kWhole; returns its end.
char* write_score(char* at, f64 score) {
  if (score == 1) {
    *at++ = '1';
    return at;
  }
  const f64 size = std::fabs(score);
  u64 whole = static_cast<u64>(size);
  u64 parts = parts_of(size - static_cast<f64>(whole));
  if (parts == kParts) {
    parts = 0;
    ++whole;
  }
  if (score < 0 && (whole > 0 || parts > 0)) *at++ = '-';
  at = std::to_chars(at, at + 20, whole).ptr;
  if (parts == 0) return at;
  *at++ = '.';
  return write_parts(at, static_cast<u32>(parts));
}

}  // namespace

void append_score(std::string& out, f64 score) {
  if (!(std::fabs(score) < kWhole)) return io::append_json_number(out, score);
  char text[kLongestScore];
  out.append(text, write_score(text, score));
}

void append_spans(std::string& out, std::span<const ScoredSpan> spans) {
  constexpr i64 kMost = kLongestScore + 48;  // bytes of a span
  char text[16 * kMost];
  char* at = text;
  *at++ = '[';
  const char* end = nullptr;  // of the span before, as it is written
  i64 end_size = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const ScoredSpan& span = spans[i];
    if (text + sizeof text - at < kMost) {
      out.append(text, at);
      at = text;
      end = nullptr;
    }
    if (i > 0) *at++ = ',';
    *at++ = '[';
    // Spans of lines and paragraphs begin where the one before ends.
    if (end != nullptr && span.begin == spans[i - 1].end) {
      at = std::copy(end, end + end_size, at);
    } else {
      at = std::to_chars(at, at + 20, span.begin).ptr;
    }
    *at++ = ',';
    end = at;
    at = std::to_chars(at, at + 20, span.end).ptr;
    end_size = at - end;
    *at++ = ',';
    if (std::fabs(span.score) < kWhole) {
      at = write_score(at, span.score);
    } else {
      out.append(text, at);
      io::append_json_number(out, span.score);
      at = text;
      end = nullptr;
    }
    *at++ = ']';
  }
  *at++ = ']';
  out.append(text, at);
}

std::optional<Fault> read_spans(std::string_view raw, std::vector<ScoredSpan>& out) {
  out.clear();
  if (raw == "null") return std::nullopt;
  const auto wrong = [&](const char* code, std::string_view what) {
    return Fault{code, cat("span ", out.size(), ": ", what), -1};
  };
  constexpr std::string_view kForm = "expected [begin, end, score]";
  Scanner scan(raw);
  if (!scan.take('[')) return Fault{"type", "expected a list of spans", -1};
  if (scan.take(']')) return scan.done() ? std::nullopt : std::optional(wrong("type", kForm));
  do {
    ScoredSpan span;
    if (!scan.take('[') || !scan.number(span.begin) || !scan.take(',') || !scan.number(span.end) ||
        !scan.take(',') || !scan.number(span.score) || !std::isfinite(span.score) ||
        !scan.take(']'))
      return wrong("type", kForm);
    if (span.begin < 0 || span.begin > span.end)
      return wrong("range",
                   cat("is [", span.begin, ", ", span.end, "], expected 0 <= begin <= end"));
    out.push_back(span);
  } while (scan.take(','));
  if (!scan.take(']') || !scan.done()) return wrong("type", kForm);
  return std::nullopt;
}

f64 covered_share(std::span<const ScoredSpan> all, f64 least, i64 length,
                  std::vector<ScoredSpan>& sorted) {
  if (length == 0) return 0;
  const auto before = [](const ScoredSpan& a, const ScoredSpan& b) { return a.begin < b.begin; };
  const bool ascend = std::is_sorted(all.begin(), all.end(), before);  // as taggers write them
  if (!ascend) {
    sorted.assign(all.begin(), all.end());
    std::sort(sorted.begin(), sorted.end(), before);
  }
  const std::span<const ScoredSpan> spans = ascend ? all : std::span<const ScoredSpan>(sorted);
  i64 covered = 0;
  i64 reached = 0;
  for (const ScoredSpan& span : spans) {
    if (span.score < least) continue;
    const i64 begin = std::max(span.begin, reached);
    const i64 end = std::min(span.end, length);
    if (end <= begin) continue;
    covered += end - begin;
    reached = end;
  }
  return static_cast<f64>(covered) / static_cast<f64>(length);
}

}  // namespace lm::text
