#include <functional>

#include "core/random.h"
#include "core/str.h"
#include "tag/pii_match.h"
#include "tagging.h"
#include "text/segment.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::tag;

namespace {

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

using Texts = std::vector<std::string>;

Texts emails(std::string_view text) {
  std::vector<EmailMatch> found;
  find_emails(text, {0, isize(text)}, found);
  Texts out;
  for (const EmailMatch& match : found)
    out.push_back(cat(text.substr(usize(match.all.begin), usize(match.all.size())), "|",
                      text.substr(usize(match.address.begin), usize(match.address.size()))));
  return out;
}

Texts slices(std::string_view text, const std::vector<Range>& found) {
  Texts out;
  for (const Range r : found)
    out.emplace_back(text.substr(usize(r.begin), usize(r.size())));
  return out;
}

Texts phones(std::string_view text) {
  Document document;
  document.reset(text);
  std::vector<Range> found;
  find_phones(text, document.bits(), {0, isize(text)}, found);
  return slices(text, found);
}

Texts ips(std::string_view text) {
  Document document;
  document.reset(text);
  std::vector<Range> found;
  find_ips(text, document.bits(), {0, isize(text)}, found);
  return slices(text, found);
}

// The expression, place by place with every choice in its order: what find_emails has to equal. For
// ASCII.
bool is_space(char c) {
  return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
}
bool is_d(char c) {
  return is_space(c) || std::string_view(".,@?!;:)(").find(c) != std::string_view::npos;
}
Texts emails_slowly(std::string_view text) {
  Texts out;
  const std::size_t n = text.size();
  std::size_t from = 0;
  const auto match_at = [&](std::size_t start) {
    std::size_t d = start;
    while (d < n && is_d(text[d]))
      ++d;
    for (std::size_t x = d + 1; x-- > start;) {
      std::size_t a = x;
      while (a < n && !is_space(text[a]) && text[a] != '@')
        ++a;
      for (; a > x; --a) {
        if (a >= n || text[a] != '@') continue;
        for (std::size_t b = a + 1;
             b < n && !is_space(text[b]) && (text[b] == '.' || !is_d(text[b])); ++b) {
          const std::size_t q = b + 1;
          if (q + 1 < n && is_d(text[q]) && is_space(text[q + 1])) {
            out.push_back(cat(text.substr(start, q + 2 - start), "|", text.substr(x, q - x)));
            return q + 2;
          }
          if (q < n && is_space(text[q])) {
            out.push_back(cat(text.substr(start, q + 1 - start), "|", text.substr(x, q - x)));
            return q + 1;
          }
        }
      }
    }
    return std::size_t{0};
  };
  while (from < n) {
    const std::size_t end = match_at(from);
    from = end == 0 ? from + 1 : end;
  }
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_joint(char c) {
  return c == '-' || c == '.' || c == ' ';
}

/// Every part of a phone number takes what it can, and none can take what another may: no choices.
Texts phones_slowly(std::string_view text) {
  Texts out;
  const auto at = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  const auto digits = [&](std::size_t& i, int n) {
    for (; n > 0 && is_digit(at(i)); --n)
      ++i;
    return n == 0;
  };
  for (std::size_t from = 0; from < text.size(); ++from) {
    std::size_t i = from;
    while (is_space(at(i)))
      ++i;
    if (i == from) continue;
    i += at(i) == '(';
    if (!digits(i, 3)) continue;
    i += at(i) == ')';
    while (is_joint(at(i)))
      ++i;
    if (!digits(i, 3)) continue;
    i += is_joint(at(i));
    if (!digits(i, 4)) continue;
    out.emplace_back(text.substr(from, i - from));
    from = i - 1;
  }
  return out;
}

/// (25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?) four times with dots between, choice by choice.
Texts ips_slowly(std::string_view text) {
  Texts out;
  const auto at = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  const auto sizes = [&](std::size_t i) {
    const char a = at(i);
    const char b = at(i + 1);
    const char c = at(i + 2);
    std::vector<std::size_t> all;
    if (a == '2' && b == '5' && c >= '0' && c <= '5') all.push_back(3);
    if (a == '2' && b >= '0' && b <= '4' && is_digit(c)) all.push_back(3);
    if ((a == '0' || a == '1') && is_digit(b) && is_digit(c)) all.push_back(3);
    if (is_digit(a) && is_digit(b)) all.push_back(2);
    if (is_digit(a)) all.push_back(1);
    return all;
  };
  const std::function<std::size_t(std::size_t, int)> end_of = [&](std::size_t i, int left) {
    for (const std::size_t size : sizes(i)) {
      if (left == 1) return i + size;
      if (at(i + size) != '.') continue;
      const std::size_t end = end_of(i + size + 1, left - 1);
      if (end > 0) return end;
    }
    return std::size_t{0};
  };
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = end_of(from, 4);
    if (end > 0) out.emplace_back(text.substr(from, end - from));
    from = end > 0 ? end : from + 1;
  }
  return out;
}

}  // namespace

TEST_CASE("phone and IP: the scanners equal the expressions on random texts", "[tag]") {
  constexpr std::string_view kPieces[] = {"555",
                                          "123",
                                          "4567",
                                          " ",
                                          "\n",
                                          "-",
                                          ".",
                                          "(",
                                          ")",
                                          "1",
                                          "25",
                                          "255",
                                          "256",
                                          "1.2.",
                                          "10.",
                                          "x",
                                          " 555-123-4567 ",
                                          "."};
  i64 numbers = 0;
  i64 addresses = 0;
  for (u64 seed = 0; seed < 20000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text(draws.below(100, 70), 'x');  // so that all places of a block are met
    const u64 size = draws.below(0, 24);
    for (u64 i = 1; i <= size; ++i)
      text += kPieces[draws.below(i, std::size(kPieces))];
    INFO("seed " << seed << ": " << quote(text, 300));
    const Texts expected_numbers = phones_slowly(text);
    REQUIRE(phones(text) == expected_numbers);
    const Texts expected_addresses = ips_slowly(text);
    REQUIRE(ips(text) == expected_addresses);
    numbers += isize(expected_numbers);
    addresses += isize(expected_addresses);
    // A letter of two bytes changes how words are looked for, and nothing else.
    REQUIRE(phones("\xC3\xA9" + text) == phones_slowly("x" + text));
  }
  CHECK(numbers > 1500);
  CHECK(addresses > 1500);
}

TEST_CASE("pii_regex_with_counts_fast_v2: every paragraph gives what it gives alone", "[tag]") {
  constexpr std::string_view kPieces[] = {"call ", " 555-123-4567", "a@b.de ",  "10.0.0.1", "\n",
                                          "\n",    "word ",         "\xC3\xA9", "7 ",       "x@y "};
  for (u64 seed = 0; seed < 1000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text;
    for (u64 i = 0; i < seed % 40; ++i)
      text += kPieces[draws.below(i, std::size(kPieces))];
    INFO("seed " << seed << ": " << quote(text, 300));
    std::map<std::string, Spans> expected;
    i64 offset = 0;
    for (const std::string_view paragraph : text::paragraphs(text)) {
      for (const auto& [type, spans] : found("pii_regex_with_counts_fast_v2", paragraph))
        for (text::ScoredSpan span : spans)
          if (type != "doc_count" && type != "doc_frac")
            expected[type].push_back({span.begin + offset, span.end + offset, span.score});
      offset += text::count_code_points(paragraph);
    }
    auto all = found("pii_regex_with_counts_fast_v2", text);
    all.erase("doc_count");
    all.erase("doc_frac");
    REQUIRE(all == expected);
  }
}

TEST_CASE("e-mail: delimiters belong to the match, and white space has to follow (D-04)", "[tag]") {
  CHECK(emails("x a@b.de y") == Texts{" a@b.de |a@b.de"});
  CHECK(emails("a@b.de").empty());
  // Only one mark may stand between an address and white space.
  CHECK(emails("(a@b.de, c") == Texts{"(a@b.de, |a@b.de"});
  CHECK(emails("(a@b.de), c").empty());
  CHECK(emails("a@b.de. x") == Texts{"a@b.de. |a@b.de"});
  CHECK(emails("a@b.de\n") == Texts{"a@b.de\n|a@b.de"});
  CHECK(emails("a@b.de  x") == Texts{"a@b.de  |a@b.de"});
  CHECK(emails("a@b.de\xE2\x80\xA8x") == Texts{"a@b.de\xE2\x80\xA8|a@b.de"});
  CHECK(emails("\xC3\xA9@\xC3\xBC.de ") == Texts{"\xC3\xA9@\xC3\xBC.de |\xC3\xA9@\xC3\xBC.de"});
  CHECK(emails("a @b.de c@ d").empty());
  CHECK(emails("a@b@c.de ") == Texts{"@b@c.de |b@c.de"});
  CHECK(emails("").empty());
}

TEST_CASE("e-mail: the scanner equals the expression on random texts", "[tag]") {
  const std::string_view letters = "a@. ,(\nb:";
  i64 matches = 0;
  for (u64 seed = 0; seed < 20000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text;
    const u64 size = draws.below(0, 24);
    for (u64 i = 1; i <= size; ++i)
      text += letters[draws.below(i, letters.size())];
    INFO("seed " << seed << ": " << quote(text));
    const Texts expected = emails_slowly(text);
    matches += isize(expected);
    REQUIRE(emails(text) == expected);
  }
  CHECK(matches > 1500);
}

TEST_CASE("phone: white space before, ten digits, joints between", "[tag]") {
  CHECK(phones("call 555-123-4567 now") == Texts{" 555-123-4567"});
  CHECK(phones("call  \t(555) 123 4567") == Texts{"  \t(555) 123 4567"});
  CHECK(phones("555-123-4567").empty());
  CHECK(phones(" 5551234567 5551234567") == Texts{" 5551234567", " 5551234567"});
  CHECK(phones(" 555 - .. 123.45678 9") == Texts{" 555 - .. 123.4567"});
  CHECK(phones(" 555--123--4567").empty());
  CHECK(phones(" 55-123-4567 (555 123 4567") == Texts{" (555 123 4567"});
  CHECK(phones(" x555-123-4567").empty());
  // Arabic digits are digits; a no-break space is white space before, and no joint between.
  const std::string three = "\xD9\xA1\xD9\xA2\xD9\xA3";
  CHECK(phones("\xC2\xA0" + three + "-456-7890") == Texts{"\xC2\xA0" + three + "-456-7890"});
  CHECK(phones(" 555\xC2\xA0"
               "123-4567")
            .empty());
  CHECK(phones(" 123 456 7890 123 4567") == Texts{" 123 456 7890"});
}

TEST_CASE("IP: four numbers up to 255, without boundaries", "[tag]") {
  CHECK(ips("at 192.168.0.1.") == Texts{"192.168.0.1"});
  CHECK(ips("1.2.3.4.5.6.7.8") == Texts{"1.2.3.4", "5.6.7.8"});
  CHECK(ips("1.2.3.4.5") == Texts{"1.2.3.4"});
  CHECK(ips("256.1.1.256") == Texts{"56.1.1.25"});
  CHECK(ips("1234.255.255.299") == Texts{"234.255.255.29"});
  CHECK(ips("1.256.1.1").empty());
  CHECK(ips("001.02.3.0004") == Texts{"001.02.3.000"});
  CHECK(ips("1.2.3").empty());
  CHECK(ips("1.2.3.").empty());
  CHECK(ips("v10.0.0.1x") == Texts{"10.0.0.1"});
}

TEST_CASE("pii_regex: what stands around a number, and texts without words (D-05, D-33)", "[tag]") {
  const auto all = found("pii_regex_v2", "\xC3\xA9 call 555-123-4567 or a@b.de today");
  CHECK(all.at("PHONE_NUMBER") == Spans{{6, 19, 1}});
  CHECK(all.at("EMAIL_ADDRESS") == Spans{{22, 30, 1}});
  CHECK(value(all, "doc") == Approx(2.0 / 6));
  CHECK(found("pii_regex_v1", "isbn 555-123-4567 10.0.0.1 x").size() == 1);
  CHECK(found("pii_regex_v1", "ISBN 555-123-4567").count("PHONE_NUMBER") == 1);
  // A hundred code points away a mark counts, a hundred and one do not.
  const std::string far = "#" + std::string(99, 'x');
  CHECK(found("pii_regex_v1", far + " 555-123-4567").count("PHONE_NUMBER") == 0);
  CHECK(found("pii_regex_v1", far + "\xC3\xA9 555-123-4567").count("PHONE_NUMBER") == 1);
  // D-05: a number that is part of an address on the web.
  const std::string url = "see 555-123-4567.example.com/x";
  CHECK(found("pii_regex_v2", url).count("PHONE_NUMBER") == 0);
  CHECK(found("pii_regex_v2", url, dolma()).count("PHONE_NUMBER") == 1);
  const std::string beside = "see 555-123-4567 or http://example.com/x";
  CHECK(found("pii_regex_v2", beside).count("PHONE_NUMBER") == 1);
  // An address without a dot, a lone bracket.
  CHECK(found("pii_regex_v2", "a@b x").count("EMAIL_ADDRESS") == 0);
  CHECK(found("pii_regex_v2", "a@b. x").count("EMAIL_ADDRESS") == 1);
  CHECK(found("pii_regex_with_counts_fast_v2", "a@b. x").count("EMAIL_ADDRESS") == 0);
  CHECK(found("pii_regex_v2", "((@b.de x").count("EMAIL_ADDRESS") == 1);
  CHECK(found("pii_regex_v2", "(@b.de x").count("EMAIL_ADDRESS") == 0);

  for (const char* blank : {"", " \n"}) {
    CHECK(value(found("pii_regex_v2", blank), "doc") == -1);
    CHECK(value(found("pii_regex_v1", blank), "doc") == -1);
    CHECK(value(found("pii_regex_with_counts_v2", blank), "doc_count") == 0);
    CHECK(fault_of("pii_regex_v1", blank, dolma()) == "range");
    CHECK(fault_of("pii_regex_with_counts_v2", blank, dolma()) == "range");
    CHECK(fault_of("pii_regex_v2", blank, dolma()).empty());
  }
}

TEST_CASE("pii_regex_with_counts_fast_v2: by paragraph, and its sum (D-06)", "[tag]") {
  const std::string text = "a@b.de\n 10.0.0.1 # 555-123-4567\n555-123-4567";
  const auto all = found("pii_regex_with_counts_fast_v2", text);
  CHECK(all.at("EMAIL_ADDRESS") == Spans{{0, 7, 1}});
  CHECK(all.at("IP_ADDRESS") == Spans{{8, 16, 1}});
  // The newline before the second number belongs to the paragraph before.
  CHECK(all.at("PHONE_NUMBER") == Spans{{18, 31, 1}});
  CHECK(value(all, "doc_count") == 3);
  CHECK(value(all, "doc_frac") == Approx(28.0 / 44));
  CHECK(value(found("pii_regex_with_counts_fast_v2", text, dolma()), "doc_frac") ==
        Approx(28.0 / 44 + 1));
  CHECK(value(found("pii_regex_with_counts_fast_v2", ""), "doc_frac") == -1);
  // The reference gives up above 10000 question marks.
  const std::string marks = std::string(10001, '?') + " a@b.de\n";
  CHECK(value(found("pii_regex_with_counts_fast_v2", marks), "doc_count") == 1);
  CHECK(value(found("pii_regex_with_counts_fast_v2", marks, dolma()), "doc_count") == 0);
}

TEST_CASE("pii: work grows with the text only", "[tag]") {
  // Each of these takes a backtracking engine time in the square of its length.
  for (const char* part : {"(", "a@", "@", ".", "1.", " 555-", "a@b.", "(@", " (555) "}) {
    std::string text;
    while (text.size() < 1000000)
      text += part;
    for (const char* tagger : {"pii_regex_v2", "pii_regex_with_counts_fast_v2"})
      CHECK(found(tagger, text).size() >= 1);
  }
}
