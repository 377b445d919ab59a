#include "text/infill_format.h"

#include <fstream>

#include "catch.h"
#include "tiny_tokenizer.h"

namespace lm::text {

namespace {

using Ids = std::vector<i32>;

struct Loaded {
  test::TempDir folder;
  std::unique_ptr<Tokenizer> tokenizer;
  explicit Loaded(const std::vector<std::string>& specials) {
    test::write_tiny_tokenizer(folder.path().string(), specials);
    tokenizer = load_tokenizer(folder.path().string());
  }
};

/// Sentinels 100..; contents are small.
InfillTokens masks(i64 count) {
  InfillTokens tokens;
  tokens.layout = InfillLayout::kMasks;
  tokens.eos = 100;
  tokens.sep = 101;
  tokens.end = 102;
  tokens.sentinels = {100, 101, 102};
  for (i32 i = 0; i < count; ++i) {
    tokens.masks.push_back(110 + i);
    tokens.sentinels.push_back(110 + i);
  }
  return tokens;
}

InfillTokens middle(InfillLayout layout) {
  InfillTokens tokens;
  tokens.layout = layout;
  tokens.prefix = 100;
  tokens.suffix = 101;
  tokens.middle = 102;
  tokens.end = tokens.eos = 103;
  tokens.sentinels = {100, 101, 102, 103, 103};
  return tokens;
}

Ids row_of(const InfillTokens& tokens, const std::vector<Ids>& kept,
           const std::vector<Ids>& holes) {
  Ids out;
  append_infill_prompt(tokens, kept, out);
  append_infill_fillings(tokens, holes, out);
  return out;
}

}  // namespace

TEST_CASE("rows have their tokens where the format says", "[infill_format]") {
  CHECK(row_of(masks(2), {{1}, {2}, {3}}, {{7}, {8, 9}}) ==
        Ids{1, 110, 2, 111, 3, 100, 101, 110, 7, 102, 111, 8, 9, 102});
  CHECK(row_of(middle(InfillLayout::kPrefixFirst), {{1}, {3}}, {{2}}) ==
        Ids{100, 1, 101, 3, 102, 2, 103});
  CHECK(row_of(middle(InfillLayout::kSuffixFirst), {{1}, {3}}, {{2}}) ==
        Ids{100, 101, 3, 102, 1, 2, 103});
}

TEST_CASE("rows come apart as they were put together", "[infill_format]") {
  const std::vector<Ids> kept = {{}, {2, 3}, {}};
  const std::vector<Ids> holes = {{7, 7}, {8}};
  const std::optional<InfilledRow> row = read_infilled_row(masks(5), row_of(masks(5), kept, holes));
  REQUIRE(row);
  CHECK(row->kept == kept);
  CHECK(row->fillings == holes);
  const InfillTokens psm = middle(InfillLayout::kPrefixFirst);
  const std::optional<InfilledRow> one = read_infilled_row(psm, row_of(psm, {{}, {}}, {{4}}));
  REQUIRE(one);
  CHECK(one->fillings == std::vector<Ids>{{4}});
  const InfillTokens spm = middle(InfillLayout::kSuffixFirst);
  const std::optional<InfilledRow> joined = read_infilled_row(spm, row_of(spm, {{1}, {3}}, {{2}}));
  REQUIRE(joined);
  CHECK(joined->kept == std::vector<Ids>{{1, 2}, {3}});
}

TEST_CASE("ids that are no row are told from rows", "[infill_format]") {
  const Ids good = row_of(masks(3), {{1}, {2}, {3}}, {{7}, {8}});
  REQUIRE(read_infilled_row(masks(3), good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Ids without = good;
    without.erase(without.begin() + static_cast<i64>(i));
    Ids repeated = good;
    repeated.insert(repeated.begin() + static_cast<i64>(i), good[i]);
    // Without or with one more token of the document it is a row; else it is not.
    CHECK(read_infilled_row(masks(3), without).has_value() == (good[i] < 100));
    CHECK(read_infilled_row(masks(3), repeated).has_value() == (good[i] < 100));
  }
  CHECK(!read_infilled_row(masks(3), Ids{}));
  CHECK(!read_infilled_row(masks(3), Ids{1, 2, 100}));
}

TEST_CASE("formats find their tokens by name, and say which one lacks", "[infill_format]") {
  const Loaded codegen({"<mask_1>", "<mask_2>", "<mask_3>", "<sep>", "<eom>", "<|endoftext|>"});
  const InfillTokens tokens = infill_tokens(infill_format("codegen2"), *codegen.tokenizer);
  CHECK(tokens.masks == Ids{262, 263, 264});
  CHECK(tokens.sep == 265);
  CHECK(tokens.end == 266);
  CHECK(tokens.eos == 267);
  const auto lacks = [](const Tokenizer& tokenizer, const std::string& format) {
    try {
      infill_tokens(infill_format(format), tokenizer);
      return std::string("nothing");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kUsage);
      return e.message();
    }
  };
  CHECK_THAT(lacks(*codegen.tokenizer, "psm"),
             Catch::Matchers::ContainsSubstring("no <fim_prefix>"));
  const Loaded no_mask({"<sep>", "<eom>"});
  CHECK_THAT(lacks(*no_mask.tokenizer, "codegen2"),
             Catch::Matchers::ContainsSubstring("no <mask_1>"));
  const Loaded no_sep({"<mask_1>", "<eom>"});
  CHECK_THAT(lacks(*no_sep.tokenizer, "codegen2"), Catch::Matchers::ContainsSubstring("no <sep>"));
  const Loaded qwen({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>"});
  CHECK(infill_tokens(infill_format("qwen"), *qwen.tokenizer).middle == 264);
  const Loaded llama(
      {"\xE2\x96\x81<PRE>", "\xE2\x96\x81<SUF>", "\xE2\x96\x81<MID>", "\xE2\x96\x81<EOT>"});
  CHECK(infill_tokens(infill_format("codellama"), *llama.tokenizer).end == 265);
  const Loaded seek(
      {"<\xEF\xBD\x9C"
       "fim\xE2\x96\x81"
       "begin\xEF\xBD\x9C>",
       "<\xEF\xBD\x9C"
       "fim\xE2\x96\x81"
       "hole\xEF\xBD\x9C>",
       "<\xEF\xBD\x9C"
       "fim\xE2\x96\x81"
       "end\xEF\xBD\x9C>"});
  const InfillTokens deepseek = infill_tokens(infill_format("deepseek"), *seek.tokenizer);
  CHECK(deepseek.suffix == 263);
  CHECK(deepseek.end == test::kTinyEos);  // the tokenizer's own
}

TEST_CASE("a file names the tokens of a format", "[infill_format]") {
  const test::TempDir folder;
  const auto read = [&](const std::string& json) {
    std::ofstream(folder.file("f.json")) << json;
    return infill_format(folder.file("f.json"));
  };
  const InfillFormat good =
      read(R"({"layout":"spm","prefix":["<a>","<A>"],"suffix":"<b>","middle":"<c>","end":"<d>"})");
  CHECK(good.layout == InfillLayout::kSuffixFirst);
  CHECK(good.prefix == std::vector<std::string>{"<a>", "<A>"});
  CHECK(good.end == std::vector<std::string>{"<d>"});
  for (const char* bad :
       {"{}", "[]", "{\"layout\":\"x\"}", R"({"layout":"psm","prefix":"a","suffix":"b"})",
        R"({"layout":"psm","prefix":"","suffix":"b","middle":"c"})",
        R"({"layout":"psm","prefix":7,"suffix":"b","middle":"c"})",
        R"({"layout":"psm","prefix":"a","suffix":"b","middle":"c","mask":"<%>"})",
        R"({"layout":"masks","mask":"<m>","sep":"s"})",
        R"({"layout":"masks","mask":"<%>","sep":"s","more":1})"}) {
    INFO(bad);
    CHECK_THROWS_AS(read(bad), Error);
  }
  CHECK_THROWS_AS(infill_format("nothing-of-that-name"), Error);
}

}  // namespace lm::text
