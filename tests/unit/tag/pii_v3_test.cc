#include "core/str.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

/// The ASCII text that the spans of a type cover.
std::vector<std::string> covered(std::string_view text, const std::string& type) {
  const auto all = found("pii_v3", text);
  std::vector<std::string> out;
  if (all.count(type) == 0) return out;
  for (const text::ScoredSpan& span : all.at(type))
    out.emplace_back(text.substr(usize(span.begin), usize(span.end - span.begin)));
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("pii_v3: e-mail addresses at any place, and nothing around them (D-04)", "[tag]") {
  const auto emails = [](std::string_view text) { return covered(text, "EMAIL_ADDRESS"); };
  CHECK(emails("a@b.de") == Texts{"a@b.de"});
  CHECK(emails("(a.b+c@x-y.co.uk).") == Texts{"a.b+c@x-y.co.uk"});
  CHECK(emails("mailto:a@b.de, c@d.org;e@f.net") == Texts{"a@b.de", "c@d.org", "e@f.net"});
  CHECK(emails("...a@b.de...") == Texts{"a@b.de"});
  for (const char* none : {"a@b", "@b.de", "a.@b.de", "a..b@c.de", "a@b.d", "a@-b.de", "a@b.1x",
                           "a @b.de", "a@b..de", "a@b@c.de", "\xC3\xA9@b.de", "a@b.d\xC3\xA9"})
    CHECK(emails(none).empty() == (std::string_view(none) != "a@b@c.de"));
  CHECK(emails("a@b@c.de") == Texts{"b@c.de"});
  CHECK(found("pii_v3", "\xC3\xA9 a@b.de").at("EMAIL_ADDRESS") == Spans{{2, 8, 1}});
}

TEST_CASE("pii_v3: IPv4 addresses that stand by themselves", "[tag]") {
  const auto ips = [](std::string_view text) { return covered(text, "IP_ADDRESS"); };
  CHECK(ips("8.8.8.8, (10.0.0.1). 1.2.3.4:80") == Texts{"8.8.8.8", "10.0.0.1", "1.2.3.4"});
  for (const char* none : {"1.2.3.4.5", "256.1.1.1", "v1.2.3.4", "1.2.3.4a", "1.2.3", "1.2.3.4-5",
                           "a.1.2.3.4", "1.2.3.1000"})
    CHECK(ips(none).empty());
  const auto open = [](std::string_view text) { return covered(text, "PUBLIC_IP_ADDRESS"); };
  CHECK(open("8.8.8.8 172.15.0.1 172.32.0.1 100.63.0.1").size() == 4);
  CHECK(open("0.1.2.3 10.0.0.1 127.0.0.1 169.254.1.1 172.16.0.1 172.31.0.1 192.168.1.1 192.0.2.1 "
             "198.18.0.1 198.51.100.1 203.0.113.1 100.64.0.1 224.0.0.1 255.255.255.255")
            .empty());
  // A public address is one span of the counts.
  CHECK(value(found("pii_v3", "8.8.8.8"), "doc_count") == 1);
}

TEST_CASE("pii_v3: IPv6 addresses", "[tag]") {
  const auto ips = [](std::string_view text) { return covered(text, "IPV6_ADDRESS"); };
  CHECK(ips("2001:db8::1, fe80::") == Texts{"2001:db8::1"});
  CHECK(ips("at 1:2:3:4:5:6:7:8: x") == Texts{"1:2:3:4:5:6:7:8"});
  CHECK(ips("[2001:DB8:0:0:8:800:200C:417A]") == Texts{"2001:DB8:0:0:8:800:200C:417A"});
  CHECK(ips("::ffff:1").size() == 1);
  for (const char* none : {"12:30:45", "std::abc", "a::b", "1::2_x",
                           "::", "ab::", "1:2:3:4:5:6:7:8:9", "face:", "http://a:80"})
    CHECK(ips(none).empty());
}

TEST_CASE("pii_v3: phone numbers, and what only looks like one (D-05)", "[tag]") {
  const auto phones = [](std::string_view text) { return covered(text, "PHONE_NUMBER"); };
  CHECK(phones("555-123-4567") == Texts{"555-123-4567"});
  CHECK(phones("call (555) 123 4567.") == Texts{"(555) 123 4567"});
  CHECK(phones("5551234567, 555.123.4567") == Texts{"5551234567", "555.123.4567"});
  for (const char* none : {"1555-123-4567", "555-123-45678", "x555-123-4567", "(555 123 4567",
                           "isbn 555-123-4567", "555-123-4567.example.com/x", "555-123-4567-8",
                           "# 555-123-4567", "http://x.org/555-123-4567"})
    CHECK(phones(none).empty());
  CHECK(phones("http://x.org or 555-123-4567") == Texts{"555-123-4567"});
}

TEST_CASE("pii_v3: numbers with check digits", "[tag]") {
  const auto cards = [](std::string_view text) { return covered(text, "CREDIT_CARD"); };
  CHECK(cards("4111111111111111") == Texts{"4111111111111111"});
  CHECK(cards("4111 1111 1111 1111.") == Texts{"4111 1111 1111 1111"});
  CHECK(cards("3782-822463-10005") == Texts{"3782-822463-10005"});
  for (const char* none : {"4111111111111112", "4111-1111 1111-1111", "1111111111111117",
                           "411111111111111", "x4111111111111111", "41111111111111111111111"})
    CHECK(cards(none).empty());
  const auto ibans = [](std::string_view text) { return covered(text, "IBAN"); };
  CHECK(ibans("DE89370400440532013000") == Texts{"DE89370400440532013000"});
  CHECK(ibans("GB82 WEST 1234 5698 7654 32 AND MORE") == Texts{"GB82 WEST 1234 5698 7654 32"});
  CHECK(ibans("DE88370400440532013000").empty());
  CHECK(ibans("XDE89370400440532013000").empty());
  CHECK(ibans("DE893704004405320130009").empty());
  const auto numbers = [](std::string_view text) { return covered(text, "US_SSN"); };
  CHECK(numbers("SSN: 219-09-9999.") == Texts{"219-09-9999"});
  for (const char* none : {"000-12-3456", "666-12-3456", "900-12-3456", "219-00-9999",
                           "219-09-0000", "219-09-99999", "1219-09-9999", "219-09-9999-1"})
    CHECK(numbers(none).empty());
}

TEST_CASE("pii_v3: values of documents, empty ones too", "[tag]") {
  const auto all = found("pii_v3", "a@b.de or \xC3\xA9 10.0.0.1");
  CHECK(value(all, "doc") == Approx(2.0 / 4));
  CHECK(value(all, "doc_frac") == Approx(14.0 / 20));
  const auto empty = found("pii_v3", "");
  CHECK(value(empty, "doc") == -1);
  CHECK(value(empty, "doc_count") == 0);
  CHECK(value(empty, "doc_frac") == -1);
}

TEST_CASE("pii_v3: work grows with the text only", "[tag]") {
  for (const char* part : {"a@", "@", ":", "::", "a:", "1:", "1.", "1-", "4 ", "4", "DE89", "A1",
                           "(555) ", "a", "a@b.", ".", "555-"}) {
    std::string text;
    while (text.size() < 1000000)
      text += part;
    CHECK(found("pii_v3", text).size() >= 3);
  }
}
