// Cutting, reading replies, reducing.

#include "flow/pieces.h"

#include "catch.h"
#include "core/str.h"
#include "flow/error_model.h"
#include "flow/reduce.h"
#include "flow/reply.h"

using namespace lm;
using namespace lm::flow;
using text::Value;
using text::ValueList;

namespace {

i64 words(const std::string& text) {
  return 1 + count_byte(text, '-');  // "a-b" has two tokens
}

std::vector<std::string> cut(const std::string& text, Cut how) {
  const Result<ValueList> pieces = cut_pieces(Value(text), how, words);
  REQUIRE(pieces);
  std::vector<std::string> out;
  for (const Value& piece : *pieces)
    out.push_back(piece.str());
  return out;
}

using Texts = std::vector<std::string>;

Value list_of(std::initializer_list<Value> items) {
  return Value(ValueList(items));
}

}  // namespace

TEST_CASE("runs of equal units start every stride and end at the end", "[flow]") {
  for (i64 n = 0; n <= 30; ++n) {
    for (i64 m = 0; m <= 32; ++m) {
      for (i64 stride = 1; stride <= std::max<i64>(m, 1); ++stride) {
        const std::vector<Run> runs = runs_of(std::vector<i64>(usize(n), 1), m, stride);
        CHECK(equal_runs(n, m, stride) == runs);
        if (n == 0) {
          CHECK(runs.empty());
          continue;
        }
        REQUIRE(isize(runs) == piece_count(n, m, stride));
        CHECK(runs.back().end == n);
        for (i64 i = 0; i < isize(runs); ++i) {
          CHECK(runs[usize(i)].begin == i * stride);
          CHECK(runs[usize(i)].end == (m <= 0 ? n : std::min(n, i * stride + m)));
        }
      }
    }
  }
  CHECK(runs_of({5, 1, 1, 9, 1}, 3, 0) == std::vector<Run>{{0, 1}, {1, 3}, {3, 4}, {4, 5}});
}

TEST_CASE("half-overlapping windows hold every needle shorter than half of one", "[flow]") {
  for (const i64 m : {4, 7, 10, 33}) {
    const std::vector<Run> runs = runs_of(std::vector<i64>(100, 1), m, (m + 1) / 2);
    for (i64 begin = 0; begin + m / 2 <= 100; ++begin) {
      bool whole = false;
      for (const Run& run : runs)
        whole = whole || (run.begin <= begin && begin + m / 2 <= run.end);
      CHECK(whole);
    }
  }
}

TEST_CASE("texts are cut by their units", "[flow]") {
  CHECK(cut("ab\xC3\xA9\xE6\xBC\xA2"
            "d",
            {.by = Unit::kChars, .size = 2}) == Texts{"ab", "\xC3\xA9\xE6\xBC\xA2", "d"});
  CHECK(cut("a\nb\n\nc", {.by = Unit::kLines, .size = 2}) == Texts{"a\nb\n", "\nc"});
  CHECK(cut("One. Two. Three.", {.by = Unit::kSentences, .size = 2}) ==
        Texts{"One. Two. ", "Three."});
  CHECK(cut("a b-c d  e-f-g h ", {.by = Unit::kTokens, .size = 3}) ==
        Texts{"a b-c", " d", "  e-f-g", " h "});
  CHECK(cut("One. Two. Three.", {.by = Unit::kChars, .size = 11, .keep_sentences = true}) ==
        Texts{"One. Two. ", "Three."});
  CHECK(cut("", {.by = Unit::kChars, .size = 2}).empty());
  CHECK(cut("abc", {.by = Unit::kChars, .size = 0}) == Texts{"abc"});
  const Result<ValueList> items = cut_pieces(list_of({Value(i64{1}), Value(i64{2}), Value(i64{3})}),
                                             {.by = Unit::kItems, .size = 2}, words);
  REQUIRE(items);
  CHECK(text::to_json(Value(*items)) == "[[1, 2], [3]]");
  CHECK(!cut_pieces(list_of({}), {.by = Unit::kChars, .size = 2}, words));
  CHECK(!cut_pieces(Value("text"), {.by = Unit::kItems, .size = 2}, words));
  CHECK(!cut_pieces(Value(i64{7}), {.by = Unit::kChars, .size = 2}, words));
}

TEST_CASE("replies have values or none", "[flow]") {
  const auto parse = [](Parser::Kind kind, const char* reply) {
    Parser parser;
    parser.kind = kind;
    const std::optional<Value> value = parse_reply(parser, reply);
    return value ? text::to_json(*value) : std::string("-");
  };
  using K = Parser::Kind;
  CHECK(parse(K::kText, " a b \n") == "\"a b\"");
  CHECK(parse(K::kRaw, " a ") == "\" a \"");
  CHECK(parse(K::kLastDigits, "of 12 there are 007.") == "\"007\"");
  CHECK(parse(K::kLastDigits, "none") == "-");
  CHECK(parse(K::kLastInteger, "12, no: -007!") == "-7");
  CHECK(parse(K::kLastInteger, "0") == "0");
  CHECK(parse(K::kLastInteger, "99999999999999999999") == "-");
  CHECK(parse(K::kLastList, "[1] or [0.5, [2], \"]\"] .") == "[0.5, [2], \"]\"]");
  CHECK(parse(K::kLastList, "[1, 2") == "-");
  CHECK(parse(K::kLastList, "[oops [3]") == "[3]");
  CHECK(parse(K::kLastList, std::string(100000, '[').c_str()) == "-");
  CHECK(parse(K::kJson, " {\"a\": 1} ") == "{\"a\": 1}");
  CHECK(parse(K::kJson, "a") == "-");
  Parser choice;
  choice.kind = K::kChoice;
  choice.choices = {"no", "none", "yes"};
  choice.nothing = {"null"};
  CHECK(parse_reply(choice, " None at all")->str() == "none");
  CHECK(parse_reply(choice, "NO.")->str() == "no");
  CHECK(parse_reply(choice, "Null.")->is_none());
  CHECK(!parse_reply(choice, "maybe"));
}

TEST_CASE("lists are reduced without what is missing", "[flow]") {
  const Value none;
  const Value one(i64{1});
  const Value two(i64{2});
  CHECK(text::to_json(*sum_of({one, none, two})) == "3");
  CHECK(text::to_json(*sum_of({one, Value(0.5)})) == "1.5");
  CHECK(text::to_json(*sum_of({})) == "0");
  CHECK(!sum_of({Value("1")}));
  CHECK(sum_of({Value(std::numeric_limits<i64>::max()), one}).fault().code == "range");
  CHECK(text::to_json(*max_of({one, two, none})) == "2");
  CHECK(max_of({none})->is_none());
  CHECK(sum_of({Value(1e308), Value(1e308)}).fault().code == "range");
  CHECK(mean_of({Value(1e308), Value(1e308)})->number() == 1e308);
  CHECK(text::to_json(*mean_of({one, two})) == "1.5");
  CHECK(text::to_json(Value(majority_of({Value("b"), Value("a"), none, Value("b"), none, none}))) ==
        "[\"b\"]");
  CHECK(text::to_json(Value(majority_of({Value("b"), Value("a")}))) == "[\"b\", \"a\"]");
  CHECK(majority_of({none}).empty());
  CHECK(text::to_json(*merge_lists({list_of({one, two}), none, list_of({one})}, MergeWay::kTree)) ==
        "[1, 1, 2]");
  CHECK(!merge_lists({list_of({one}), list_of({Value("a")})}, MergeWay::kTree));
  CHECK(!merge_lists({one}, MergeWay::kTree));
  CHECK(text::to_json(*concat_items({Value("a"), none, Value("b")}, " + ")) == "\"a + b\"");
  CHECK(text::to_json(*concat_items({list_of({one}), list_of({two})}, "")) == "[1, 2]");
  CHECK(!concat_items({Value("a"), list_of({one})}, ""));
}
