#include "tag/pii_match.h"

#include <algorithm>
#include <cstring>

#include "core/str.h"
#include "core/utf8.h"
#include "text/segment.h"
#include "text/unicode.h"

namespace lm::tag {

namespace {

bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_mark(char c) {  // D without white space and '@'
  return c == '.' || c == ',' || c == '?' || c == '!' || c == ';' || c == ':' || c == ')' ||
         c == '(';
}

bool is_continuation(char c) {
  return (static_cast<u8>(c) & 0xC0) == 0x80;
}

/// The part of a text that a scanner may look at.
struct Scan {
  std::string_view text;
  i64 from;
  i64 to;

  char operator[](i64 at) const { return text[usize(at)]; }
  i64 space(i64 at) const { return text::py_space_size(text, at); }
  i64 start_before(i64 at) const {
    do
      --at;
    while (at > from && is_continuation(text[usize(at)]));
    return at;
  }
  i64 find(char c, i64 at) const {
    if (at >= to) return to;
    const void* const hit = std::memchr(text.data() + at, c, usize(to - at));
    return hit == nullptr ? to : static_cast<const char*>(hit) - text.data();
  }
};

/// What follows an '@' in a match: where B+ ends and where the match does; -1 if nothing fits.
struct Right {
  i64 address_end = -1;
  i64 end = -1;
};

Right right_of(const Scan& s, i64 at_sign) {
  i64 q = at_sign + 1;
  const auto is_b = [&](i64 i) { return s[i] != '@' && (s[i] == '.' || !is_mark(s[i])); };
  // B+ is at least one character; is_b leaves white space to be tested.
  if (q >= s.to || !is_b(q) || s.space(q) > 0) return {};
  do
    ++q;
  while (q < s.to && is_continuation(s[q]));
  for (; q < s.to; ++q) {
    if (is_continuation(s[q])) continue;
    const i64 space = s.space(q);
    // D? prefers to take a character; D and white space behind it, or white space alone.
    const i64 size = space > 0 ? space : is_mark(s[q]) || s[q] == '@' ? 1 : 0;
    if (size > 0) {
      const i64 behind = q + size < s.to ? s.space(q + size) : 0;
      if (behind > 0) return {q, q + size + behind};
      if (space > 0) return {q, q + space};
      if (!is_b(q)) return {};
    }
  }
  return {};
}

}  // namespace

void find_emails(std::string_view text, Range part, std::vector<EmailMatch>& out) {
  Scan s{text, part.begin, part.end};
  for (i64 at = s.find('@', s.from); at < s.to; at = s.find('@', std::max(at + 1, s.from))) {
    // A+ ends before the sign.
    if (at <= s.from || s[at - 1] == '@' || s.space(s.start_before(at)) > 0) continue;
    if (right_of(s, at).end < 0) continue;
    i64 begin = at;
    while (begin > s.from) {
      const i64 before = s.start_before(begin);
      if (s[before] == '@' || s.space(before) > 0) break;
      begin = before;
    }
    // D* in front of it reaches as far back as it can.
    i64 first = begin;
    while (first > s.from) {
      const i64 before = s.start_before(first);
      if (s[before] != '@' && !is_mark(s[before]) && s.space(before) == 0) break;
      first = before;
    }
    // From there D* takes as much as leaves an address: the longest first.
    i64 reach = first;
    for (;;) {
      const i64 size = reach >= s.to                          ? 0
                       : is_mark(s[reach]) || s[reach] == '@' ? 1
                                                              : s.space(reach);
      if (size == 0) break;
      reach += size;
    }
    // The first '@' or white space at or behind x, kept while x goes back.
    i64 stop = reach;
    while (stop < s.to && s[stop] != '@' && s.space(stop) == 0)
      ++stop;
    for (i64 x = reach;; x = s.start_before(x)) {
      if (x < s.to && (s[x] == '@' || s.space(x) > 0)) stop = x;
      if (stop > x && stop < s.to && s[stop] == '@') {
        const Right right = right_of(s, stop);
        if (right.end >= 0) {
          out.push_back({{first, right.end}, {x, right.address_end}});
          s.from = right.end;
          at = right.end - 1;
          break;
        }
      }
      if (x == first) break;
    }
  }
}

bool is_octet(std::string_view digits) {
  if (digits.size() < 3) return !digits.empty();
  if (digits.size() > 3 || digits[0] > '2') return false;
  return digits[0] < '2' || digits <= "255";
}

void find_ips(std::string_view text, const text::ByteBits& bits, Range part,
              std::vector<Range>& out) {
  Scan s{text, part.begin, part.end};
  const auto run_end = [&](i64 at, i64 most) {
    i64 end = at;
    while (end < s.to && end - at < most && is_ascii_digit(s[end]))
      ++end;
    return end;
  };
  const auto slice = [&](i64 begin, i64 end) {
    return text.substr(usize(begin), usize(end - begin));
  };
  // The last number: as the expression's choices stand, 25x, 2xx, then up to three digits.
  const auto last_end = [&](i64 at) {
    const i64 end = run_end(at, 3);
    return end - at == 3 && !is_octet(slice(at, end)) ? at + 2 : end;
  };
  // From a digit on, two bytes before another.
  const auto around = [&](i64 block) {
    return bits.digits()[usize(block)] & text::ByteBits::ahead(bits.digits(), block, 2);
  };
  text::each_bit(part.begin, part.end - 2, around, [&](i64 before) {
    const i64 dot = before + 1;
    if (before < s.from || s[dot] != '.') return;
    i64 begin = dot;
    while (begin > s.from && dot - begin < 3 && is_ascii_digit(s[begin - 1]))
      --begin;
    if (!is_octet(slice(begin, dot))) ++begin;
    const i64 second = run_end(dot + 1, 4);
    if (!is_octet(slice(dot + 1, second)) || second >= s.to || s[second] != '.') return;
    const i64 third = run_end(second + 1, 4);
    if (!is_octet(slice(second + 1, third)) || third >= s.to || s[third] != '.') return;
    const i64 end = last_end(third + 1);
    if (end == third + 1) return;
    out.push_back({begin, end});
    s.from = end;
  });
}

i64 digit_size(std::string_view text, i64 at) {
  const char c = text[usize(at)];
  if (static_cast<u8>(c) < 0x80) return is_ascii_digit(c) ? 1 : 0;
  const Decoded d = decode_at(text, at);
  return d.valid && text::is_decimal_digit(d.cp) ? d.size : 0;
}

namespace {

/// Position behind n digits, -1 if they are not there.
i64 skip_digits(const Scan& s, i64 at, int n) {
  for (int i = 0; i < n; ++i) {
    const i64 size = at < s.to ? digit_size(s.text, at) : 0;
    if (size == 0) return -1;
    at += size;
  }
  return at;
}

/// End of a phone number at p, behind its white space; -1 if there is none.
i64 phone_end(const Scan& s, i64 p) {
  const auto is_joint = [&](i64 at) { return s[at] == '-' || s[at] == '.' || s[at] == ' '; };
  if (s[p] == '(') ++p;
  p = skip_digits(s, p, 3);
  if (p < 0) return -1;
  if (p < s.to && s[p] == ')') ++p;
  while (p < s.to && is_joint(p))
    ++p;
  p = skip_digits(s, p, 3);
  if (p < 0) return -1;
  if (p < s.to && is_joint(p)) ++p;
  return skip_digits(s, p, 4);
}

}  // namespace

void find_phones(std::string_view text, const text::ByteBits& bits, Range part,
                 std::vector<Range>& out) {
  const Scan s{text, part.begin, part.end};
  i64 from = part.begin;
  // Words that begin with a digit or with something before one; a digit may be any of Unicode's.
  const auto begins = [&](i64 block) {
    const u64 numbers =
        bits.digits()[usize(block)] | text::ByteBits::ahead(bits.digits(), block, 1);
    return bits.starts(block) & (bits.ascii() ? numbers : ~u64{0});
  };
  text::each_bit(part.begin, part.end, begins, [&](i64 begin) {
    const char c = text[usize(begin)];
    if (begin <= from || (!is_ascii_digit(c) && c != '(' && static_cast<u8>(c) < 0x80)) return;
    const i64 end = phone_end(s, begin);
    if (end < 0) return;
    i64 space = begin;
    while (space > from && bits.is_space(space - 1))
      --space;
    out.push_back({space, end});
    from = end;
  });
}

bool holds_url(std::string_view token) {
  if (token.find("://") != std::string_view::npos || starts_with_nocase(token, "www.")) return true;
  // host.tld/ with two to four letters behind the last dot.
  for (std::size_t slash = token.find('/'); slash != std::string_view::npos;
       slash = token.find('/', slash + 1)) {
    std::size_t at = slash;
    while (at > 0 && slash - at < 5 &&
           ((token[at - 1] >= 'a' && token[at - 1] <= 'z') ||
            (token[at - 1] >= 'A' && token[at - 1] <= 'Z')))
      --at;
    if (slash - at >= 2 && slash - at <= 4 && at >= 2 && token[at - 1] == '.') return true;
  }
  return false;
}

}  // namespace lm::tag
