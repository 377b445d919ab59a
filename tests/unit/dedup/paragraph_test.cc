#include "dedup/paragraph.h"

#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/random.h"
#include "dedup/exact.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::dedup;

namespace {

using Spans = std::vector<Span>;

/// Duplicate spans of every text when they come in order.
std::vector<Spans> spans_of(const ParagraphOptions& options,
                            const std::vector<std::string>& texts) {
  LocalContext ctx;
  ExactSet set(*ctx->memory, i64{1} << 28);
  std::vector<Spans> result;
  ParagraphedText document;
  for (const std::string& text : texts) {
    cut_paragraphs(options, text, document);
    std::vector<u8> seen(document.keys.size());
    REQUIRE(set.test_and_insert(document.keys, seen));
    result.push_back(duplicate_spans(document.paragraphs, seen));
  }
  return result;
}

}  // namespace

TEST_CASE("the span of a repeated paragraph includes its separator", "[dedup]") {
  const std::vector<Spans> spans = spans_of({}, {"one\ntwo\nthree", "two\nfour\nthree\n"});
  CHECK(spans[0].empty());
  // "two\n" is [0,4), "three\n" is [9,15): the last paragraph of the first text had no newline.
  CHECK(spans[1] == Spans{{0, 4}, {9, 15}});
}

TEST_CASE("spans count code points", "[dedup]") {
  // Each line is two code points: e acute (2 bytes) and a face (4 bytes).
  const std::string line = "\xC3\xA9\xF0\x9F\x98\x80\n";
  const std::vector<Spans> spans = spans_of({}, {line + "x\n" + line});
  CHECK(spans[0] == Spans{{5, 8}});
  CHECK(cut_spans(line + "x\n" + line, spans[0]) == line + "x\n");
}

TEST_CASE("the empty text has no paragraphs and nothing follows the last newline", "[dedup]") {
  ParagraphedText document;
  cut_paragraphs({}, "", document);
  CHECK(document.paragraphs.empty());
  cut_paragraphs({}, "a\n", document);
  CHECK(document.paragraphs.size() == 1);
  cut_paragraphs({}, "\n\n", document);
  CHECK(document.paragraphs.size() == 2);
}

TEST_CASE("short and blank paragraphs can be left out of it", "[dedup]") {
  const std::vector<std::string> texts = {"a b\n\nlonger line here\n", "a b\n\nlonger line here\n"};
  CHECK(spans_of({}, texts)[1] == Spans{{0, 4}, {4, 5}, {5, 22}});
  ParagraphOptions options;
  options.skip_empty = true;
  CHECK(spans_of(options, texts)[1] == Spans{{0, 4}, {5, 22}});
  options = {};
  options.min_words = 3;
  CHECK(spans_of(options, texts)[1] == Spans{{5, 22}});
  options = {};
  options.min_chars = 4;
  CHECK(spans_of(options, texts)[1] == Spans{{5, 22}});
  options.min_chars = 3;
  CHECK(spans_of(options, texts)[1] == Spans{{0, 4}, {5, 22}});
}

TEST_CASE("repeats inside a document count unless only other documents do", "[dedup]") {
  const std::vector<std::string> texts = {"x\nx\ny\n", "x\nz\nz\nx\n"};
  CHECK(spans_of({}, texts)[0] == Spans{{2, 4}});
  CHECK(spans_of({}, texts)[1] == Spans{{0, 2}, {4, 6}, {6, 8}});
  ParagraphOptions options;
  options.across_only = true;
  CHECK(spans_of(options, texts)[0].empty());
  CHECK(spans_of(options, texts)[1] == Spans{{0, 2}, {6, 8}});
}

TEST_CASE("normalised paragraphs match across case and numbers", "[dedup]") {
  ParagraphOptions options;
  options.normaliser = text::Normaliser::kCcnetDedup;
  CHECK(spans_of(options, {"Page 12\n", "page 34"})[1] == Spans{{0, 7}});
  CHECK(spans_of({}, {"Page 12\n", "page 34"})[1].empty());
}

TEST_CASE("separators of several bytes cut where they stand", "[dedup]") {
  ParagraphOptions options;
  options.separator.assign(2, '\n');
  CHECK(spans_of(options, {"a\nb\n\nc", "c\n\na\nb"})[1] == Spans{{0, 3}, {3, 6}});
}

TEST_CASE("paragraph spans tile the text and cutting all leaves nothing", "[dedup]") {
  const std::vector<std::string> pieces = {"a", "\n", "\xE2\x82\xAC", " ", "\n\n", "word"};
  for (u64 seed = 0; seed < 50; ++seed) {
    const RandomStream random(seed, RandomPurpose::kOther);
    std::string text;
    for (u64 i = 0; i < 40; ++i)
      text += pieces[random.below(i, 6)];
    ParagraphedText document;
    cut_paragraphs({}, text, document);
    i64 at = 0;
    Spans all;
    for (const Paragraph& p : document.paragraphs) {
      REQUIRE(p.begin == at);
      at = p.end;
      all.push_back({p.begin, p.end});
    }
    REQUIRE(at == text::count_code_points(text));
    REQUIRE(cut_spans(text, all).empty());
    REQUIRE(cut_spans(text, {}) == text);
  }
}
