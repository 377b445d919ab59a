#include "ingest/soup.h"

#include "catch.h"

using namespace lm;
using namespace lm::ingest;

namespace {
i64 count(const std::string& html) {
  return count_soup_text(html).value_or(-1);
}
}  // namespace

// The numbers are those of Beautiful Soup 4.15 over html.parser of Python 3.11.7.
TEST_CASE("text of a page is its strings, blank ones as one character", "[ingest]") {
  CHECK(count("") == 0);
  CHECK(count("abc") == 3);
  CHECK(count("\xC3\xA9<b>\xE2\x82\xAC</b>") == 2);
  CHECK(count("<p>a</p>\n\n  <b>b</b> \t<i> c</i>") == 6);
  CHECK(count("<pre>\n  </pre> \n <textarea>  </textarea>") == 6);
}

TEST_CASE("what is no text of a page does not count, nor split what does", "[ingest]") {
  CHECK(count("a<!-- b -->c<!DOCTYPE x>d<?pi?>e<!x>f</ x>g") == 6);
  CHECK(count("<script>var a = '<p>';</script>a<style>b</style>c<template>t<p>t</p></template>"
              "<ruby>k<rt>r</rt></ruby>") == 3);
  CHECK(count("<script>never ends") == 0);
  CHECK(count("a<script/>b") == 2);
  CHECK(count("<![CDATA[a b]]>c<![if x]>d<![endif]>e<![CDATA[]]>") == 7);
  CHECK(count("a<![foo[b]]>") == -1);
}

TEST_CASE("references are characters; unknown names lose their semicolon", "[ingest]") {
  CHECK(count("&amp;&lt;&eacute;&notit;&foo;&AMP x") == 16);
  CHECK(count("&#65;&#x41;&#32;&#x;a") == 8);
  CHECK(count("<b>&Tab;&NewLine;</b>") == 1);
  // A torn one ends the first pass, and a second one the second: the rest is text, marks too.
  CHECK(count("a&#12ab; b<p>c&#12ab; d<p>e") == 24);
  CHECK(count("x&a-") == 4);
  CHECK(count("x&ab") == 4);
  CHECK(count("x&a") == 2);
}

TEST_CASE("torn marks of a page are text", "[ingest]") {
  CHECK(count("<br></br>a</br>b<p>c</q>d</p>e") == 5);
  CHECK(count("<a href=x/>a</a><img alt='>'>b<b title=\"c>d</b>") == 15);
  CHECK(count("<p/ >a<1>b< c>d") == 10);
  CHECK(count("<a =\"b>c") == 1);
  CHECK(count("<a b= 'c>d") == 1);
  CHECK(count("a<") == 2);
  CHECK(count("a</") == 3);
  CHECK(count("a<!--b") == 6);
  CHECK(count("a<b") == 3);
  CHECK(count(std::string("<p\0>a</p>b", 10)) == 6);
}

TEST_CASE("marks that do not end cost no more than a look at each", "[ingest]") {
  for (const char* part :
       {"<", "</", "<a", "<!--", "<![CDATA[", "<![if x", "&", "&#", "<a b=\"", "</a ", "<?"}) {
    std::string page;
    while (page.size() < 1 << 20)
      page += part;
    CHECK(count(page) >= 0);
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i)
    deep += "<div></x>";
  CHECK(count(deep + "x") == 1);
}
