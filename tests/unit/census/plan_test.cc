#include "census/plan.h"

#include "catch.h"
#include "core/error.h"

using namespace lm;
using census::EdgeLabel;
using census::FieldKey;
using census::Plan;

TEST_CASE("hosts of URLs", "[census]") {
  std::string out;
  const auto host = [&out](std::string_view url) { return std::string(census::host_of(url, out)); };
  CHECK(host("https://www.Example.org:8080/a?b#c") == "example.org");
  CHECK(host("http://user:pw@host.example.co.uk/") == "host.example.co.uk");
  CHECK(host("example.org/path/http://other.net") == "example.org");
  CHECK(host("www.example.org.") == "example.org");
  CHECK(host("www.com") == "www.com");
  CHECK(host("wwww.example.org") == "wwww.example.org");
  CHECK(host("http://[2001:db8::1]:80/") == "[2001:db8::1]");
  CHECK(host("") == "");
  CHECK(host("https:///nothing") == "");
  CHECK(host("http://a?x=y@z") == "a");
}

TEST_CASE("suffixes of hosts", "[census]") {
  CHECK(census::suffix_of("example.co.uk") == "uk");
  CHECK(census::suffix_of("localhost") == "localhost");
  CHECK(census::suffix_of("10.0.0.1") == "");
  CHECK(census::suffix_of("[2001:db8::1]") == "");
  CHECK(census::suffix_of("") == "");
}

TEST_CASE("fields to count", "[census]") {
  CHECK(FieldKey::parse("metadata.url", "--top").path == "metadata.url");
  const FieldKey host = FieldKey::parse("host(metadata.url)", "--top");
  CHECK(host.part == FieldKey::Part::kHost);
  CHECK(host.path == "metadata.url");
  CHECK_THROWS_AS(FieldKey::parse("hosts(url)", "--top"), Error);
  CHECK_THROWS_AS(FieldKey::parse("host()", "--top"), Error);
  CHECK_THROWS_AS(FieldKey::parse("", "--top"), Error);
}

TEST_CASE("edges of bins", "[census]") {
  const EdgeLabel label = EdgeLabel::parse("a=b=0,1.5,10");
  CHECK(label.name == "a=b");
  CHECK(label.bin(-1) == 0);
  CHECK(label.bin(0) == 1);
  CHECK(label.bin(1.4999) == 1);
  CHECK(label.bin(1.5) == 2);
  CHECK(label.bin(10) == 3);
  for (const char* const bad : {"x", "=1", "x=", "x=1,1", "x=2,1", "x=1,a", "x=nan"})
    CHECK_THROWS_AS(EdgeLabel::parse(bad), Error);
}

TEST_CASE("a plan is read as it was written", "[census]") {
  Plan plan;
  plan.numbers = {"n"};
  plan.number_expressions = {"score(\"a\") + 1"};
  plan.edges = {EdgeLabel::parse("n=0.1,2")};
  plan.tops = {"source", "host(url)"};
  plan.group = "source";
  plan.cross = {"a", "b"};
  plan.rules = {{"r", "drop", "n < 5"}};
  plan.tokens = "length(text)";
  plan.examples = 3;
  plan.exact = true;
  plan.seed = ~u64{0};
  plan.attributes = {"a\"b"};
  const std::string text = plan.json();
  const io::JsonDocument document(text);
  CHECK(Plan::read(document.root("plan")).json() == text);
  const io::JsonDocument wrong(std::string_view("{\"field\":\"text\"}"));
  CHECK_THROWS_AS(Plan::read(wrong.root("plan")), Error);
}
