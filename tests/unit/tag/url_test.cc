#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "tag/define.h"
#include "tag/url_list.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

UrlList hosts(std::string_view lines) {
  return {lines, "list", ListForm::kHosts};
}
UrlList rules(std::string_view lines) {
  return {lines, "list", ListForm::kRules};
}

std::string refusal(std::string_view lines, ListForm form) {
  try {
    UrlList(lines, "list", form);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.what();
  }
  return "none";
}

std::string clean(std::string_view url) {
  const std::optional<Url> parsed = parse_url(url);
  return parsed ? parsed->clean() : "none";
}

/// Every way in which the pattern may be laid over text, one character after the other.
bool matches_slowly(std::string_view pattern, std::string_view text, bool end) {
  if (pattern.empty()) return !end || text.empty();
  if (pattern[0] == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (matches_slowly(pattern.substr(1), text.substr(skip), end)) return true;
    }
    return false;
  }
  if (text.empty()) return pattern[0] == '^' && matches_slowly(pattern.substr(1), text, end);
  const bool same = pattern[0] == '^' ? text[0] == '/' : pattern[0] == text[0];
  return same && matches_slowly(pattern.substr(1), text.substr(1), end);
}

}  // namespace

TEST_CASE("an address is host, port and path", "[tag]") {
  CHECK(clean("HTTP://Me:pw@Www.Example.COM:80/A/?q#f") == "www.example.com:80/a");
  CHECK(clean("example.com/") == "example.com");
  CHECK(clean("//example.com./x") == "example.com/x");
  CHECK(clean("http://[::1]:8/x") == "[::1]:8/x");
  CHECK(clean("mailto") == "mailto");
  CHECK(clean("") == "none");
  CHECK(clean("http:///x") == "none");
  CHECK(clean("http://a b/") == "none");
  CHECK(clean("http://a:b/") == "none");
  CHECK(registered_domain("a.b.example.co.uk") == "example.co.uk");
  CHECK(registered_domain("co.uk").empty());
  CHECK(registered_domain("").empty());
  CHECK(registered_domain("a.b.github.io") == "b.github.io");
  CHECK(registered_domain("github.io").empty());
  CHECK(registered_domain("a.b.github.io", Suffixes::kRegistries) == "github.io");
  CHECK(registered_domain("a.b.example.co.uk", Suffixes::kRegistries) == "example.co.uk");
  CHECK(registered_domain("x.y.ck", Suffixes::kRegistries) == "x.y.ck");
  CHECK(registered_domain("x.www.ck", Suffixes::kRegistries) == "www.ck");
  CHECK(registered_domain("10.0.0.1").empty());
}

TEST_CASE("hosts of a list match themselves and what is below", "[tag]") {
  const UrlList list = hosts(
      "# comment\n; x\n! y\n0.0.0.0 ads.example.com tracker.example.com # z\n"
      "127.0.0.1 localhost\nwww.bad.org\n\nshop.net/deals\n||adblock.de^\n10.1.2.3 "
      "intern.example.net\nco.uk\n");
  CHECK(list.size() == 8);
  CHECK(list.matches("http://ads.example.com/x"));
  CHECK(list.matches("tracker.example.com"));
  CHECK(list.matches("https://a.www.bad.org"));
  CHECK(list.matches("bad.org"));
  CHECK(list.matches("http://x.adblock.de"));
  CHECK(list.matches("http://10.1.2.3/"));
  CHECK(list.matches("http://www.shop.net/deals/?q=1"));
  CHECK_FALSE(list.matches("http://shop.net/other"));
  CHECK_FALSE(list.matches("example.com"));
  CHECK_FALSE(list.matches("notbad.org"));
  CHECK_FALSE(list.matches("example.co.uk"));  // no parent that somebody registered
  CHECK_FALSE(list.matches(""));
}

TEST_CASE("D-13: one www. goes, not every w", "[tag]") {
  const UrlList list = hosts("worldbank.org\n");
  CHECK(list.matches("http://www.worldbank.org"));
  CHECK_FALSE(list.matches("http://orldbank.org"));
  CHECK(list.matches_dolma("http://orldbank.org"));
  CHECK_FALSE(list.matches_dolma("http://data.worldbank.org"));
}

TEST_CASE("D-14: addresses of nowhere are no entries", "[tag]") {
  const UrlList list = hosts("0.0.0.0 a.com\n127.0.0.1 b.com\n::1 localhost\n");
  CHECK(list.size() == 2);
  CHECK_FALSE(list.matches("http://127.0.0.1/"));
  CHECK(list.matches_dolma("http://127.0.0.1/"));
}

TEST_CASE("D-32: the cleaned list is clean", "[tag]") {
  const std::string rows =
      "[{\"url\":\"https://www.paper.com/\",\"description\":\"newspaper\"},"
      "{\"url\":\"http://fun.org\",\"description\":\"Satire magazine\"},"
      "{\"url\":\"http://a.xxx\",\"description\":\"newspaper\"},{\"url\":\"http://"
      "b.org\",\"description\":null}]\n";
  const UrlList all(rows, "list", ListForm::kWikidata);
  const UrlList cleaned(rows, "list", ListForm::kWikidata, true);
  CHECK(all.matches("https://news.paper.com/x"));
  CHECK(cleaned.matches("https://news.paper.com/x"));
  CHECK(all.matches("fun.org"));
  CHECK_FALSE(cleaned.matches("fun.org"));
  CHECK_FALSE(cleaned.matches("a.xxx"));
  CHECK_FALSE(cleaned.matches("b.org"));
  CHECK(cleaned.matches_dolma("fun.org"));
}

TEST_CASE("rules of Adblock Plus", "[tag]") {
  const UrlList list = rules(
      "[Adblock Plus 2.0]\n! "
      "comment\n||ads.com^\n@@||good.ads.com^\n/banner/*/img^\n|http://start.\n"
      ".gif|\n-ad-box.\n||cdn.net/x^\n##.cosmetic\nsite.com##.x\n||third.com^$third-party\n"
      "||page.com^$document\n/regex/\nlong*pattern*with*stars\n");
  CHECK(list.matches("http://a.ads.com/x"));
  CHECK_FALSE(list.matches("http://good.ads.com/x"));
  CHECK_FALSE(list.matches("http://xads.com/"));
  CHECK(list.matches("http://x.org/banner/5/img?q"));
  CHECK(list.matches("http://x.org/banner/5/img"));
  CHECK_FALSE(list.matches("http://x.org/banner/5/imgs"));
  CHECK(list.matches("http://start.org"));
  CHECK_FALSE(list.matches("https://start.org"));
  CHECK(list.matches("x.org/a.GIF"));
  CHECK_FALSE(list.matches("x.org/a.gif?x"));
  CHECK(list.matches("x.org/my-ad-box.js"));
  CHECK(list.matches("a.cdn.net/x/y"));
  CHECK_FALSE(list.matches("cdn.net/xy"));
  CHECK_FALSE(list.matches("third.com"));
  CHECK(list.matches("page.com"));
  CHECK(list.matches("x.org/long-a-pattern-b-with-c-stars"));
  CHECK(list.left_out() == std::map<std::string, i64>{{"elements to hide", 2},
                                                      {"regular expressions", 1},
                                                      {"third-party", 1}});
}

TEST_CASE("patterns match as if every way were tried", "[tag]") {
  u64 state = GENERATE(range(0, 20));
  const auto below = [&](u64 n) { return mix64(state += 0x9E3779B97F4A7C15ULL) % n; };
  for (int i = 0; i < 300; ++i) {
    std::string pattern;
    std::string text;
    for (u64 k = 0, n = 1 + below(6); k < n; ++k)
      pattern.push_back("ab*^/"[below(5)]);
    for (u64 k = 0, n = below(9); k < n; ++k)
      text.push_back("ab/"[below(3)]);
    const bool begin = below(2) == 0;
    const bool end = below(2) == 0;
    INFO(pattern << " in " << text << " " << begin << end);
    CHECK(rule_matches(pattern, text, begin, end) ==
          matches_slowly((begin ? "" : "*") + pattern, text, end));
  }
}

TEST_CASE("lists of another form are refused with their line", "[tag]") {
  CHECK(refusal("a.com\n<html>\n", ListForm::kHosts) ==
        "list:2: \"<html>\" is no entry of a list, expected a host, an address or a rule");
  CHECK(refusal("300.0.0.1 a.com\n", ListForm::kHosts).starts_with("list:1: "));
  CHECK(refusal("# only\n", ListForm::kHosts) == "list: has no entries");
  CHECK(refusal("a\xFF.com\n", ListForm::kHosts) == "list:1: is not UTF-8");
  CHECK(refusal("||*\n", ListForm::kRules).starts_with("list:1: "));
  CHECK(refusal("{}\n", ListForm::kWikidata) == "list:1: is no JSON array of rows");
}

TEST_CASE("links of a list are whole addresses", "[tag]") {
  const UrlList list("http://A.com/x\nb.com\n", "list", ListForm::kLines);
  CHECK(list.matches("https://a.com/x/"));
  CHECK_FALSE(list.matches("https://a.com/"));
  CHECK_FALSE(list.matches("https://b.com/x"));
}

TEST_CASE("a list of a user's own, and words of addresses", "[tag]") {
  const test::TempDir dir;
  const std::string path = dir.file("list");
  std::ofstream(path) << "bad.org\n||x.com^$script\n";
  TagFiles files;
  const TaggerDef tagger = defined_tagger("mine=urls:" + path, files);
  const auto at = [](const std::string& url) { return ",\"metadata\":{\"url\":\"" + url + "\"}"; };
  CHECK(found(tagger, "ab", {}, at("http://a.bad.org/")) ==
        std::map<std::string, Spans>{{"url", {{0, 2, 1}}}});
  CHECK(found(tagger, "ab").empty());
  CHECK(files.entries(path) == 1);
  CHECK(*files.warnings().begin() ==
        path + ": 1 rules are left out, which ask more than an address: script 1");
  CHECK_THROWS_AS(defined_tagger("mine@line=urls:" + path, files), Error);

  const std::string folder = dir.file("words");
  CHECK_THROWS_AS(found("url_words", "ab", {}, "", folder), Error);
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/domains") << "bad.org\nm.good.org\ngithub.io\n";
  std::ofstream(folder + "/urls") << "http://x.org/One\n";
  std::ofstream(folder + "/banned_words.txt") << "# x\nNo-No\n\nporn\n";
  std::ofstream(folder + "/soft_banned_words.txt") << "hot\ngirls\n";
  std::ofstream(folder + "/banned_subwords.txt") << "xx-yy\n";
  const auto words = [&](const std::string& url) {
    std::string out;
    for (const auto& [type, spans] : found("url_words", "ab", {}, at(url), folder))
      append(out, out.empty() ? "" : " ", type, "=", spans[0].score);
    return out;
  };
  CHECK(words("http://a.bad.org/") == "domain=1 fails=1 soft_banned_words=0");
  CHECK(words("http://m.good.org/") == "fails=1 soft_banned_words=0 subdomain=1");
  CHECK(words("http://a.github.io/") == "domain=1 fails=1 soft_banned_words=0");
  CHECK(words("http://x.org/One") == "fails=1 soft_banned_words=0 url=1");
  CHECK(words("http://x.org/one") == "fails=0 soft_banned_words=0");
  CHECK(words("http://x.org/a-Porn-b") == "banned_word=1 fails=1 soft_banned_words=0");
  CHECK(words("http://x.org/pornography") == "fails=0 soft_banned_words=0");
  CHECK(words("http://x.org/hot/hot") == "fails=0 soft_banned_words=1");
  CHECK(words("http://x.org/hot/girls") == "fails=1 soft_banned_words=2");
  CHECK(words("http://x.org/aX.xY/yb") == "banned_subword=1 fails=1 soft_banned_words=0");
}
