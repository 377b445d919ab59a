// Personal data by rules that ask for real boundaries and check what can be checked. A span covers
// the entity and nothing else.
//
//   e-mail       an address of RFC 5322's dot-atom form at a host of two labels or more
//   IP           IPv4 of four numbers that stand by themselves, IPv6 of two groups or more
//   phone        ten digits as 555-123-4567, not part of a longer number or an address on the web,
//                and no isbn, doi or # within 100 characters
//   IBAN         country, check digits and up to 30 characters, modulo 97 (ISO 13616)
//   credit card  13 to 19 digits, alone or in groups, Luhn's check digit (ISO/IEC 7812)
//   US SSN       ddd-dd-dddd without the numbers that are never issued
// Everything is ASCII, so text in other scripts only bounds what is looked for.

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

#include "core/str.h"
#include "tag/pii_match.h"
#include "tag/tagger.h"

namespace lm::tag {

std::vector<TaggerDef> pii_v3_taggers();

namespace {

enum Type : i64 { kEmail, kPhone, kIp, kPublicIp, kIpv6, kIban, kCard, kSsn, kDoc, kCount, kFrac };

// What a byte can be part of.
enum : u8 { kDigit = 1, kLetter = 2, kLocal = 4, kHost = 8, kHex = 16, kWide = 32 };

constexpr std::array<u8, 256> make_kinds() {
  std::array<u8, 256> kinds{};
  for (std::size_t c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const std::size_t small = c | 0x20;
    u8 kind = 0;
    if (digit) kind = kDigit | kLocal | kHost | kHex;
    if (letter) kind = kLetter | kLocal | kHost;
    if (letter && small <= 'f') kind |= kHex;
    if (c >= 0x80) kind = kWide;
    kinds[c] = kind;
  }
  for (const char c : {'.', '!', '#', '$', '%', '&', '\'', '*', '+', '/',
                       '=', '?', '^', '_', '`', '{', '|',  '}', '~', '-'})
    kinds[static_cast<u8>(c)] |= kLocal;
  kinds[static_cast<u8>('.')] |= kHost;
  kinds[static_cast<u8>('-')] |= kHost;
  return kinds;
}
constexpr std::array<u8, 256> kKinds = make_kinds();

constexpr i64 kWindow = 100;  // bytes around a number that are looked at

/// The text with its bounds: what lies outside is of no kind.
struct View {
  std::string_view text;
  i64 size() const { return isize(text); }
  char at(i64 i) const { return i >= 0 && i < size() ? text[usize(i)] : '\0'; }
  bool is(i64 i, u8 kinds) const {
    return i >= 0 && i < size() && (kKinds[static_cast<u8>(text[usize(i)])] & kinds) != 0;
  }
  i64 run(i64 i, u8 kinds) const {
    while (is(i, kinds))
      ++i;
    return i;
  }
  std::string_view slice(Range r) const { return text.substr(usize(r.begin), usize(r.size())); }
};

/// The address around an '@', or an empty range.
Range email_at(const View& v, i64 sign, i64 from) {
  i64 begin = sign;
  while (begin > from && v.is(begin - 1, kLocal))
    --begin;
  while (begin < sign && v.at(begin) == '.')
    ++begin;
  if (begin == sign || v.at(sign - 1) == '.' || v.is(begin - 1, kWide)) return {};
  if (v.slice({begin, sign}).find("..") != std::string_view::npos) return {};
  i64 end = v.run(sign + 1, kHost);
  while (end > sign + 1 && (v.at(end - 1) == '.' || v.at(end - 1) == '-'))
    --end;
  if (v.is(end, kWide) || v.at(end) == '@') return {};
  // Labels of letters, digits and inner hyphens; the last of letters, two or more.
  const std::string_view host = v.slice({sign + 1, end});
  const std::vector<std::string_view> labels = split(host, '.');
  if (labels.size() < 2 || labels.back().size() < 2) return {};
  for (const std::string_view label : labels)
    if (label.empty() || label.front() == '-' || label.back() == '-') return {};
  for (const char c : labels.back())
    if ((kKinds[static_cast<u8>(c)] & kLetter) == 0) return {};
  return {begin, end};
}

/// IPv4 address that begins at a digit which stands alone; an empty range if there is none.
Range ipv4_at(const View& v, i64 begin, std::array<i64, 4>& numbers) {
  i64 at = begin;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0 && v.at(at++) != '.') return {};
    const i64 end = v.run(at, kDigit);
    if (!is_octet(v.slice({at, end}))) return {};
    numbers[i] = *parse_int(v.slice({at, end}));
    at = end;
  }
  if (v.is(at, kLetter | kWide) || v.at(at) == '_' || v.at(at) == '-') return {};
  if (v.at(at) == '.' && v.is(at + 1, kDigit | kLetter)) return {};
  return {begin, at};
}

/// Whether the address can be reached from anywhere (RFC 6890 and its registry).
bool is_public(const std::array<i64, 4>& n) {
  const auto [a, b, c, d] = n;
  if (a == 0 || a == 10 || a == 127 || a >= 224) return false;
  if (a == 100 && b >= 64 && b < 128) return false;
  if (a == 169 && b == 254) return false;
  if (a == 172 && b >= 16 && b < 32) return false;
  if (a == 192 && (b == 168 || (b == 0 && (c == 0 || c == 2)))) return false;
  if (a == 198 && (b == 18 || b == 19 || (b == 51 && c == 100))) return false;
  return !(a == 203 && b == 0 && c == 113);
}

/// IPv6 address around a colon.
Range ipv6_at(const View& v, i64 colon, i64 from) {
  const auto part = [&](i64 i) { return v.is(i, kHex) || v.at(i) == ':'; };
  i64 begin = colon;
  while (begin > from && part(begin - 1))
    --begin;
  i64 end = colon;
  while (part(end))
    ++end;
  // A colon that ends a sentence's part is none of the address; two are.
  if (v.at(end - 1) == ':' && v.at(end - 2) != ':') --end;
  constexpr i64 kLongest = 39;
  if (end - begin > kLongest || end - begin < 4) return {};
  const auto bounds = [&](i64 i) { return !v.is(i, kLetter | kDigit | kWide) && v.at(i) != '_'; };
  if (!bounds(begin - 1) || !bounds(end)) return {};
  const std::string address(v.slice({begin, end}));
  // Names of programs have colons too (a::b), but rarely digits.
  if (std::none_of(address.begin(), address.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  i64 groups = 0;
  for (const std::string_view group : split(address, ':'))
    groups += !group.empty();
  std::array<u8, 16> bytes{};
  if (groups < 2 || ::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return {};
  return {begin, end};
}

bool passes_luhn(std::string_view digits) {
  i64 sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    i64 d = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) d = d > 4 ? 2 * d - 9 : 2 * d;
    sum += d;
  }
  return sum % 10 == 0;
}

/// A card's number from a digit on: digits with single blanks or hyphens, always the same.
Range card_at(const View& v, i64 begin) {
  std::array<char, 20> digits{};
  std::size_t n = 0;
  i64 at = begin;
  char joint = '\0';
  for (;;) {
    while (v.is(at, kDigit) && n < digits.size())
      digits[n++] = v.at(at++);
    const char c = v.at(at);
    const bool joins = (c == ' ' || c == '-') && (joint == '\0' || joint == c);
    if (n == digits.size() || !joins || !v.is(at + 1, kDigit)) break;
    joint = c;
    ++at;
  }
  const std::string_view number(digits.data(), n);
  // 3 to 6: the industries that issue payment cards.
  if (n < 13 || n > 19 || number[0] < '3' || number[0] > '6' || !passes_luhn(number)) return {};
  if (v.is(at, kLetter | kDigit | kWide)) return {};
  return {begin, at};
}

Range ssn_at(const View& v, i64 begin) {
  constexpr std::array<i64, 3> kSizes = {3, 2, 4};
  std::array<i64, 3> numbers{};
  i64 at = begin;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0 && v.at(at++) != '-') return {};
    const i64 end = v.run(at, kDigit);
    if (end - at != kSizes[i]) return {};
    numbers[i] = *parse_int(v.slice({at, end}));
    at = end;
  }
  if (v.is(at, kLetter | kWide) || v.at(at) == '-') return {};
  const auto [area, group, serial] = numbers;
  if (area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0) return {};
  return {begin, at};
}

/// The bracket or first digit at begin.
Range phone_at(const View& v, i64 begin) {
  const auto digits = [&](i64 at, i64 n) {
    for (i64 i = 0; i < n; ++i)
      if (!v.is(at + i, kDigit)) return i64{-1};
    return at + n;
  };
  const auto is_joint = [&](i64 i) { return v.at(i) == '-' || v.at(i) == '.' || v.at(i) == ' '; };
  const bool bracket = v.at(begin) == '(';
  i64 at = digits(begin + bracket, 3);
  if (at < 0) return {};
  if (bracket && v.at(at++) != ')') return {};
  at += is_joint(at);
  at = digits(at, 3);
  if (at < 0) return {};
  at += is_joint(at);
  at = digits(at, 4);
  if (at < 0 || v.is(at, kDigit | kLetter | kWide)) return {};
  if ((v.at(at) == '-' || v.at(at) == '.') && v.is(at + 1, kDigit)) return {};
  return {begin, at};
}

/// From a letter on: two letters, two digits, 11 to 30 more, in one or in groups of four.
Range iban_at(const View& v, i64 begin) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::array<char, 34> chars{};
  std::size_t n = 0;
  i64 at = begin;
  const bool grouped = v.at(begin + 4) == ' ';
  while (n < chars.size()) {
    const char c = v.at(at);
    if (is_capital(c) || v.is(at, kDigit)) {
      chars[n++] = c;
      ++at;
    } else if (grouped && c == ' ' && n % 4 == 0 &&
               (is_capital(v.at(at + 1)) || v.is(at + 1, kDigit))) {
      ++at;
    } else {
      break;
    }
  }
  constexpr std::size_t kShortest = 15;
  // In groups, words in capitals may follow: the longest number that its check digits fit.
  for (;; --n) {
    if (n < kShortest) return {};
    i64 rest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const char c = chars[(i + 4) % n];
      rest = is_capital(c) ? (rest * 100 + (c - 'A' + 10)) % 97 : (rest * 10 + (c - '0')) % 97;
    }
    if (rest == 1 && !v.is(at, kDigit | kLetter | kWide)) return {begin, at};
    if (!grouped || n == 0) return {};
    --at;
    if (v.at(at - 1) == ' ') --at;
  }
}

class PiiV3 : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const View v{document.text()};
    for (std::vector<Range>& list : found_)
      list.clear();
    find_signs(v);
    find_numbers(document, v);
    i64 count = 0;
    i64 chars = 0;
    for (i64 type = kEmail; type <= kSsn; ++type) {
      for (const Range r : found_[usize(type)]) {
        out.span(type, r.begin, r.end);
        if (type == kPublicIp) continue;  // among the addresses already
        ++count;
        chars += document.chars_of(r);
      }
    }
    const i64 words = isize(document.words());
    const auto over = [](i64 part, i64 whole) {
      return whole == 0 ? -1 : static_cast<f64>(part) / static_cast<f64>(whole);
    };
    out.value(kDoc, over(count, words));
    out.value(kCount, static_cast<f64>(count));
    out.value(kFrac, over(chars, document.chars()));
    return std::nullopt;
  }

 private:
  void add(Type type, Range r) { found_[usize(type)].push_back(r); }

  /// What stands around an '@' or a ':'.
  void find_signs(const View& v) {
    i64 from = 0;
    for (std::size_t at = v.text.find('@'); at != std::string_view::npos;
         at = v.text.find('@', at + 1)) {
      const Range r = email_at(v, static_cast<i64>(at), from);
      from = static_cast<i64>(at) + 1;
      if (r.size() == 0) continue;
      add(kEmail, r);
      from = r.end;
    }
    from = 0;
    for (std::size_t at = v.text.find(':'); at != std::string_view::npos;
         at = v.text.find(':', std::max(at + 1, usize(from)))) {
      const i64 colon = static_cast<i64>(at);
      // A second colon within four digits of a number in base 16, or none.
      if (!v.is(colon + 1, kHex) && v.at(colon + 1) != ':') continue;
      const Range r = ipv6_at(v, colon, from);
      if (r.size() > 0) add(kIpv6, r);
      from = v.run(colon + 1, kHex);
      while (v.at(from) == ':')
        from = v.run(from + 1, kHex);
    }
  }

  /// What begins with a digit, a bracket before one, or two letters before one.
  void find_numbers(Document& document, const View& v) {
    for (i64 at = 0; at < v.size(); ++at) {
      if (!v.is(at, kDigit)) continue;
      const i64 end = number_at(document, v, at);
      // Behind the number that was found, or behind these digits.
      at = std::max(end, v.run(at, kDigit)) - 1;
    }
  }

  i64 number_at(Document& document, const View& v, i64 at) {
    if (v.is(at - 1, kLetter)) {
      const bool country = at >= 2 && v.is(at - 2, kLetter) && v.at(at - 1) < 'a' &&
                           v.at(at - 2) < 'a' && !v.is(at - 3, kLetter | kDigit | kWide);
      const Range r = country && v.is(at + 1, kDigit) ? iban_at(v, at - 2) : Range{};
      if (r.size() > 0) add(kIban, r);
      return r.end;
    }
    const char before = v.at(at - 1);
    if (v.is(at - 1, kWide) || before == '_') return 0;
    const bool joined = (before == '.' || before == '-') && v.is(at - 2, kDigit | kLetter);
    if (joined) return 0;
    std::array<i64, 4> numbers{};
    if (const Range ip = ipv4_at(v, at, numbers); ip.size() > 0) {
      add(kIp, ip);
      if (is_public(numbers)) add(kPublicIp, ip);
      return ip.end;
    }
    if (const Range card = card_at(v, at); card.size() > 0) {
      add(kCard, card);
      return card.end;
    }
    if (const Range ssn = ssn_at(v, at); ssn.size() > 0) {
      add(kSsn, ssn);
      return ssn.end;
    }
    const Range phone = phone_at(v, before == '(' ? at - 1 : at);
    if (phone.size() == 0 || !is_phone(document, v, phone)) return 0;
    add(kPhone, phone);
    return phone.end;
  }

  /// What stands around it lets ten digits be a phone number.
  static bool is_phone(Document& document, const View& v, Range r) {
    if (v.is(r.begin - 1, kDigit | kLetter | kWide)) return false;
    const i64 first = std::max<i64>(r.begin - kWindow, 0);
    const std::string_view around = v.text.substr(usize(first), usize(r.end + kWindow - first));
    for (const char* const sign : {"isbn", "doi", "#"})
      if (around.find(sign) != std::string_view::npos) return false;
    const std::span<const Word> words = document.words();
    auto word = std::upper_bound(words.begin(), words.end(), r.begin, [](i64 begin, const Word& w) {
      return begin < w.begin + w.bytes;
    });
    for (; word != words.end() && word->begin < r.end; ++word)
      if (holds_url(document.slice(*word))) return false;
    return true;
  }

  std::array<std::vector<Range>, kSsn + 1> found_;
};

}  // namespace

std::vector<TaggerDef> pii_v3_taggers() {
  return {{"pii_v3",
           "match",
           "personal data with real boundaries and check digits",
           "RFC 5322, RFC 6890, ISO 13616, ISO/IEC 7812",
           {{"EMAIL_ADDRESS", "an e-mail address"},
            {"PHONE_NUMBER", "a phone number of ten digits"},
            {"IP_ADDRESS", "an IPv4 address"},
            {"PUBLIC_IP_ADDRESS", "one of them that can be reached from anywhere"},
            {"IPV6_ADDRESS", "an IPv6 address"},
            {"IBAN", "an international bank account number whose check digits fit"},
            {"CREDIT_CARD", "a payment card's number whose check digit fits"},
            {"US_SSN", "a social security number of the United States"},
            {"doc", "spans over words, -1 without words; public addresses count once"},
            {"doc_count", "number of spans"},
            {"doc_frac", "characters of spans over those of the text, -1 if empty"}},
           {},
           [](const TagSettings&) { return std::make_unique<PiiV3>(); }}};
}

}  // namespace lm::tag
