#include "transform/infill.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "catch.h"
#include "core/str.h"
#include "transform/infill_text.h"

namespace lm::transform {

namespace {

Draws draws_of(i64 record, i64 epoch = 0) {
  return {11, cat("r", record), epoch};
}

text::InfillTokens masks() {
  text::InfillTokens tokens;
  tokens.layout = text::InfillLayout::kMasks;
  tokens.eos = 1000000;
  tokens.sep = 1000001;
  tokens.end = 1000002;
  for (i32 i = 0; i < 5000; ++i)
    tokens.masks.push_back(1000010 + i);
  tokens.sentinels = {tokens.eos, tokens.sep, tokens.end};
  tokens.sentinels.insert(tokens.sentinels.end(), tokens.masks.begin(), tokens.masks.end());
  return tokens;
}

}  // namespace

TEST_CASE("spans are disjoint, apart, not empty and within the document", "[transform]") {
  for (i64 record = 0; record < 3000; ++record) {
    const i64 n = 3 + record % 200;
    InfillRules rules;
    rules.high_share = record % 7 == 0 ? 1 : 0.5;
    rules.low_length = 1;
    const std::vector<Span> spans = draw_spans(rules, n, 100, draws_of(record));
    INFO("record " << record);
    REQUIRE(!spans.empty());
    i64 last = -1;
    for (const Span& span : spans) {
      REQUIRE(span.begin > last);  // a token is kept between two
      REQUIRE(span.end > span.begin);
      last = span.end;
    }
    REQUIRE(last <= n);
  }
}

TEST_CASE("shares and lengths of spans are what is asked for, within 1 %", "[transform]") {
  const InfillRules rules;
  f64 share = 0;
  f64 length = 0;
  i64 count = 0;
  constexpr i64 kTokens = 1000;
  constexpr i64 kDocuments = 10000;
  for (i64 record = 0; record < kDocuments; ++record) {
    const std::vector<Span> spans = draw_spans(rules, kTokens, kTokens, draws_of(record));
    i64 masked = 0;
    for (const Span& span : spans)
      masked += span.end - span.begin;
    share += static_cast<f64>(masked) / kTokens;
    length += static_cast<f64>(masked) / static_cast<f64>(spans.size());
    count += isize(spans);
  }
  // Uniform in (0.05, 0.5) and (2, 6): means 0.275 and 4, whose standard errors here are 0.5 % and
  // 0.3 %; the draws are fixed.
  CHECK(share / kDocuments == Approx(0.275).epsilon(0.01));
  CHECK(length / kDocuments == Approx(4.0).epsilon(0.01));
  // E[r n / l] = 275 E[1/l] = 275 ln(3) / 4.
  CHECK(static_cast<f64>(count) / kDocuments == Approx(275 * std::log(3.0) / 4).epsilon(0.01));
}

TEST_CASE("every place of a document is masked as often as any other", "[transform]") {
  InfillRules rules;
  rules.low_share = rules.high_share = 0.3;
  rules.low_length = rules.high_length = 3;
  std::vector<i64> hits(40);
  constexpr i64 kDocuments = 20000;
  for (i64 record = 0; record < kDocuments; ++record)
    for (const Span& span : draw_spans(rules, 40, 40, draws_of(record)))
      for (i64 at = span.begin; at < span.end; ++at)
        ++hits[usize(at)];
  // 12 of 40. The first and last place lie in fewer spans, since nothing is kept beyond them.
  i64 total = 0;
  for (const i64 one : hits)
    total += one;
  CHECK(total == 12 * kDocuments);
  for (std::size_t at = 3; at + 3 < hits.size(); ++at)
    CHECK(static_cast<f64>(hits[at]) / kDocuments == Approx(0.3).epsilon(0.1));
}

TEST_CASE("kinds of rows are drawn as often as said, short documents stay causal", "[transform]") {
  InfillRules rules;
  rules.rate = 0.5;
  rules.prefix_rate = 0.25;
  std::array<i64, 3> counts{};
  for (i64 record = 0; record < 8000; ++record) {
    ++counts[static_cast<std::size_t>(draw_kind(rules, 100, draws_of(record)))];
    CHECK(draw_kind(rules, 31, draws_of(record)) == RowKind::kCausal);
  }
  CHECK(std::abs(counts[static_cast<std::size_t>(RowKind::kInfill)] - 4000) < 225);
  CHECK(std::abs(counts[static_cast<std::size_t>(RowKind::kPrefix)] - 2000) < 195);
  rules.rate = 1;
  rules.prefix_rate = 0;
  for (i64 record = 0; record < 1000; ++record)
    CHECK(draw_kind(rules, 32, draws_of(record)) == RowKind::kInfill);
  rules.rate = 0;
  for (i64 record = 0; record < 1000; ++record)
    CHECK(draw_kind(rules, 32, draws_of(record)) == RowKind::kCausal);
}

TEST_CASE("a masked row holds every token once, as many masks in both halves", "[transform]") {
  const text::InfillTokens tokens = masks();
  for (i64 record = 0; record < 500; ++record) {
    std::vector<i32> ids(usize(32 + record));
    std::iota(ids.begin(), ids.end(), 0);
    const std::vector<Span> spans =
        draw_spans({}, isize(ids), isize(tokens.masks), draws_of(record));
    const InfillRow row = mask_spans(tokens, ids, spans);
    std::vector<i32> content;
    i64 sentinels = 0;
    i64 first_half = 0;
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      const i32 id = row.ids[i];
      if (id < 1000000) content.push_back(id);
      sentinels += id >= 1000010;
      if (row.ids[i] == tokens.sep) {
        first_half = sentinels;
        CHECK(row.prefix == static_cast<i64>(i) + 1);
      }
    }
    std::sort(content.begin(), content.end());
    CHECK(content == ids);
    CHECK(first_half == isize(spans));
    CHECK(sentinels == 2 * isize(spans));
    CHECK(row.holes == isize(spans));
    // Behind the separator a mask, then a span without sentinels, then the end.
    const std::optional<text::InfilledRow> read = text::read_infilled_row(tokens, row.ids);
    REQUIRE(read);
    std::vector<i32> back;
    for (std::size_t i = 0; i < read->kept.size(); ++i) {
      back.insert(back.end(), read->kept[i].begin(), read->kept[i].end());
      if (i < read->fillings.size())
        back.insert(back.end(), read->fillings[i].begin(), read->fillings[i].end());
    }
    CHECK(back == ids);
  }
}

TEST_CASE("no more holes are drawn than there are masks", "[transform]") {
  InfillRules rules;
  rules.low_share = rules.high_share = 0.5;
  const std::vector<Span> spans = draw_spans(rules, 1000, 3, draws_of(1));
  REQUIRE(spans.size() == 3);
  i64 masked = 0;
  for (const Span& span : spans)
    masked += span.end - span.begin;
  CHECK(masked == 500);  // the share stays
}

TEST_CASE("a middle is cut between characters, anywhere", "[transform]") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC z";
  const std::set<i64> borders = {0, 1, 3, 6, 7, 8};
  std::set<std::pair<i64, i64>> seen;
  for (i64 record = 0; record < 2000; ++record) {
    const std::pair<i64, i64> cut = draw_middle(text, draws_of(record));
    CHECK(cut.first <= cut.second);
    CHECK(borders.count(cut.first) == 1);
    CHECK(borders.count(cut.second) == 1);
    seen.insert(cut);
  }
  CHECK(seen.size() == 21);  // all pairs
  CHECK(draw_middle("", draws_of(1)) == std::pair<i64, i64>{0, 0});
}

TEST_CASE("prefixes leave a token to predict", "[transform]") {
  std::set<i64> seen;
  for (i64 record = 0; record < 500; ++record)
    seen.insert(draw_prefix(5, draws_of(record)));
  CHECK(seen == std::set<i64>{1, 2, 3, 4});
}

TEST_CASE("texts with sentinels give the document back byte for byte", "[transform]") {
  const std::string text = "  def f(x):\n\treturn x  # caf\xC3\xA9 <mask_> <mask_0> < sep>\n\n";
  for (const char* name : {"codegen2", "psm", "spm", "codellama", "qwen"}) {
    const InfillText format{text::infill_format(name)};
    CHECK(!format.sentinel_in(text));
    const std::vector<Span> pieces = InfillText::pieces(text);
    std::string whole;
    for (const Span& piece : pieces)
      whole += part(text, piece);
    REQUIRE(whole == text);
    std::vector<i32> ids(pieces.size());
    std::iota(ids.begin(), ids.end(), 0);
    for (i64 record = 0; record < 100; ++record) {
      std::string made;
      if (format.tokens().layout == text::InfillLayout::kMasks) {
        const InfillRow row =
            mask_spans(format.tokens(), ids, draw_spans({}, isize(ids), 100, draws_of(record)));
        made = format.spell(row, text, pieces);
      } else {
        const auto [a, b] = draw_middle(text, draws_of(record));
        const std::vector<Span> three = {{0, a}, {a, b}, {b, isize(text)}};
        made = format.spell(move_middle(format.tokens(), {0}, {1}, {2}), text, three);
      }
      INFO(name << ": " << made);
      CHECK(made != text);
      CHECK(format.restore(made) == text);
      CHECK(format.sentinel_in(made));
    }
    CHECK(format.restore("no row") == "no row");
    CHECK(format.restore("") == "");
  }
  const InfillText format{text::infill_format("codegen2")};
  CHECK(!format.restore("a<mask_1>b"));
  CHECK(!format.restore("a<mask_1>b<|endoftext|><sep><mask_2>c<eom>"));
  CHECK(format.sentinel_in("x <mask_12> y") == "<mask_12>");
  CHECK_THROWS_AS(InfillText{text::infill_format("deepseek")}, Error);
}

}  // namespace lm::transform
