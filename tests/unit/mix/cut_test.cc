#include "mix/cut.h"

#include "catch.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "mix/sample.h"
#include "unit/mix/record.h"

using namespace lm;
using namespace lm::mix;

namespace {

/// The text after the cuts, "=" where nothing applies, "fault CODE".
std::string cut(const std::vector<std::string>& specs, const std::string& line,
                BadSpans bad = BadSpans::kError, std::vector<CutCounts>* counts = nullptr) {
  Names names;
  Cutter cutter(bad);
  for (const std::string& spec : specs)
    cutter.add(spec, names, "--cut");
  test::Record record(names, line);
  CutWork work = cutter.make_work();
  const Result<bool> changed = cutter.cut(record.values, work);
  if (counts != nullptr) *counts = work.counts;
  if (!changed) return "fault " + changed.fault().code;
  return *changed ? work.out : "=";
}

std::string refusal(const std::string& spec) {
  Names names;
  Cutter cutter(BadSpans::kError);
  try {
    cutter.add(spec, names, "--cut");
  } catch (const Error& e) {
    return e.message();
  }
  return "accepted";
}

std::string doc(const std::string& spans) {
  return R"({"text":"0123456789","m":{"w":"word","n":7,"o":{}},"attributes":)" + spans + "}";
}

}  // namespace

TEST_CASE("deletions are the union of their spans", "[mix]") {
  CHECK(cut({"x"}, doc(R"({"x":[[1,3,1],[5,6,1]]})")) == "0346789");
  // D-24: the second of two overlapping spans is not lost.
  CHECK(cut({"x"}, doc(R"({"x":[[1,4,1],[3,6,1]]})")) == "06789");
  CHECK(cut({"x", "y"}, doc(R"({"x":[[1,4,1]],"y":[[0,2,1],[2,3,1],[8,10,1]]})")) == "4567");
  CHECK(cut({"x"}, doc(R"({"x":[[5,6,1],[1,3,1]]})")) == "0346789");
  CHECK(cut({"x"}, doc(R"({"x":[[0,10,1]]})")).empty());
  CHECK(cut({"x"}, doc(R"({"x":[[2,2,1]]})")) == "=");
  CHECK(cut({"x"}, doc(R"({"x":[]})")) == "=");
  CHECK(cut({"x"}, doc("null")) == "=");
}

TEST_CASE("scores choose spans: from MIN on, below MAX", "[mix]") {
  const std::string line = doc(R"({"x":[[0,1,0.1],[2,3,0.5],[4,5,0.9]]})");
  CHECK(cut({"x>=0.5"}, line) == "01356789");
  CHECK(cut({"x<0.5"}, line) == "123456789");
  CHECK(cut({"x>=0.5<0.9"}, line) == "013456789");
  CHECK(cut({"x>=2"}, line) == "=");
}

TEST_CASE("replacements stand where the span was; {} is the span's text", "[mix]") {
  CHECK(cut({"x:|MAIL|"}, doc(R"({"x":[[1,3,1],[5,6,1]]})")) == "0|MAIL|34|MAIL|6789");
  CHECK(cut({"x:<{}:{}>"}, doc(R"({"x":[[1,3,1]]})")) == "0<12:12>3456789");
  CHECK(cut({"x:$m.w"}, doc(R"({"x":[[1,9,1]]})")) == "0word9");
  CHECK(cut({"x:$m.n"}, doc(R"({"x":[[1,9,1]]})")) == "079");
  CHECK(cut({"x:$$m.w"}, doc(R"({"x":[[1,9,1]]})")) == "0$m.w9");
  CHECK(cut({"x:$m.no"}, doc(R"({"x":[[1,9,1]]})")) == "fault missing");
  CHECK(cut({"x:$m.o"}, doc(R"({"x":[[1,9,1]]})")) == "fault type");
  CHECK(cut({"x:+"}, doc(R"({"x":[[4,4,1],[10,10,1]]})")) == "0123+456789+");
  // Several texts of one rule for one place.
  CHECK(cut({"x:A"}, doc(R"({"x":[[4,4,1],[4,5,1]]})")) == "0123AA56789");
}

TEST_CASE("a replacement inside what is gone is skipped and counted", "[mix]") {
  std::vector<CutCounts> counts;
  CHECK(cut({"x:A", "y"}, doc(R"({"x":[[1,4,1],[3,6,1]],"y":[[2,5,1]]})"), BadSpans::kError,
            &counts) == "0A56789");
  CHECK(counts[0].spans == 2);
  CHECK(counts[0].skipped == 1);
  CHECK(counts[0].chars == 3);
  CHECK(counts[0].documents == 1);
  // The deletion takes what the replacement left of it.
  CHECK(counts[1].chars == 1);
  CHECK(counts[1].skipped == 0);
}

TEST_CASE("offsets are code points", "[mix]") {
  CHECK(cut({"x"}, R"({"text":"a\u00e9\ud83d\ude00z","attributes":{"x":[[1,2,1]]}})") ==
        "a\xf0\x9f\x98\x80z");
  CHECK(cut({"x:[{}]"}, R"({"text":"a\u00e9\ud83d\ude00z","attributes":{"x":[[2,3,1]]}})") ==
        "a\xc3\xa9[\xf0\x9f\x98\x80]z");
}

TEST_CASE("spans behind the text are an error, clipped or left", "[mix]") {
  const std::string line = doc(R"({"x":[[1,2,1],[8,12,1],[11,13,1]]})");
  std::vector<CutCounts> counts;
  CHECK(cut({"x"}, line) == "fault range");
  CHECK(cut({"x"}, line, BadSpans::kClip, &counts) == "0234567");
  CHECK(counts[0].bad == 2);
  CHECK(counts[0].chars == 3);
  CHECK(cut({"x"}, line, BadSpans::kDrop, &counts) == "023456789");
  CHECK(counts[0].bad == 2);
  CHECK(counts[0].spans == 3);
  // What is no list of spans, and spans that are none, are faults always.
  for (const BadSpans bad : {BadSpans::kError, BadSpans::kClip, BadSpans::kDrop}) {
    CHECK(cut({"x"}, doc(R"({"x":[[2,1,1]]})"), bad) == "fault range");
    CHECK(cut({"x"}, doc(R"({"x":[[-1,1,1]]})"), bad) == "fault range");
    CHECK(cut({"x"}, doc(R"({"x":[[1,2]]})"), bad) == "fault type");
    CHECK(cut({"x"}, doc(R"({"x":5})"), bad) == "fault type");
    CHECK(cut({"x"}, doc(R"({"x":"a"})"), bad) == "fault type");
  }
  CHECK(cut({"x"}, R"({"text":5,"attributes":{"x":[[0,1,1]]}})") == "fault type");
  CHECK(cut({"x"}, R"({"attributes":{"x":[[0,1,1]]}})") == "fault missing");
}

TEST_CASE("what has not the form of a cut is refused", "[mix]") {
  const std::string form = "expected KEY[>=MIN][<MAX][:REPLACEMENT]";
  CHECK(refusal("") == "--cut: \"\": names no attribute, " + form);
  CHECK(refusal(":x") == "--cut: \":x\": names no attribute, " + form);
  CHECK(refusal("a.b.c") == "--cut: \"a.b.c\": names no attribute, " + form);
  CHECK(refusal("x>=") == "--cut: \"x>=\": MIN is no number");
  CHECK(refusal("x<a") == "--cut: \"x<a\": MAX is no number");
  CHECK(refusal("x>5") == "--cut: \"x>5\": " + form);
  CHECK(refusal("x>=2<1") == "--cut: \"x>=2<1\": MIN is not below MAX: no span has such a score");
  CHECK(refusal("x:$") == "--cut: \"x:$\": $ needs the path of a field behind it; $$ stands for $");
  CHECK(refusal("x:") == "accepted");
}

TEST_CASE("cuts equal marks set character by character", "[mix]") {
  for (u64 seed = 0; seed < 2000; ++seed) {
    const RandomStream random(seed, RandomPurpose::kOther);
    u64 draws = 0;
    const auto below = [&](u64 bound) { return random.below(draws++, bound); };
    std::string marks(10, '.');
    std::string spans = "[";
    for (u64 n = 1 + below(5); n > 0; --n) {
      const u64 begin = below(11);
      const u64 end = begin + below(11 - begin);
      spans += cat(spans.size() > 1 ? "," : "", "[", begin, ",", end, ",1]");
      for (u64 i = begin; i < end; ++i)
        marks[i] = 'x';
    }
    std::string expected;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (marks[i] == '.') expected.push_back(static_cast<char>('0' + i));
    }
    INFO("seed " << seed << ": " << spans);
    const std::string got = cut({"x"}, doc("{\"x\":" + spans + "]}"));
    CHECK((got == "=" ? "0123456789" : got) == expected);
  }
}

TEST_CASE("copies are whole and one more by chance, monotone in the rate", "[mix]") {
  CHECK(copies_of(0, 0) == 0);
  CHECK(copies_of(0.25, 0.2) == 1);
  CHECK(copies_of(0.25, 0.25) == 0);
  CHECK(copies_of(1, 0) == 1);
  CHECK(copies_of(1, 0.999) == 1);
  CHECK(copies_of(2.5, 0.4) == 3);
  CHECK(copies_of(2.5, 0.5) == 2);
  for (int i = 0; i < 100; ++i) {
    i64 before = 0;
    for (int step = 0; step <= 300; ++step) {
      const i64 now = copies_of(step / 100.0, i / 100.0);
      CHECK(now >= before);
      before = now;
    }
  }
}

TEST_CASE("draws are uniform, and of the seed, the purpose, the source and the id", "[mix]") {
  std::string key;
  // Recorded: XXH3-64 of "sample", 0, "web", 0, "doc-17" with seed 7, >> 11, / 2^53.
  const f64 u = keyed_uniform(7, "sample", "web", "doc-17", key);
  CHECK(key == std::string("sample\0web\0doc-17", 17));
  CHECK(u == static_cast<f64>(xxh3_64(key, 7) >> 11) / 9007199254740992.0);
  CHECK(u != keyed_uniform(8, "sample", "web", "doc-17", key));
  CHECK(u != keyed_uniform(7, "random", "web", "doc-17", key));
  CHECK(u != keyed_uniform(7, "sample", "webd", "oc-17", key));
  // Chi-square of 20 cells over 20000 ids: 19 degrees, the 0.999 quantile is 43.8.
  std::vector<i64> cells(20);
  for (int i = 0; i < 20000; ++i)
    ++cells[usize(static_cast<i64>(keyed_uniform(0, "sample", "", cat(i), key) * 20))];
  f64 chi = 0;
  for (const i64 n : cells)
    chi += static_cast<f64>((n - 1000) * (n - 1000)) / 1000;
  CHECK(chi < 43.8);
}

TEST_CASE("rules of other mixers lead to their spans by a path or a filter", "[mix]") {
  const auto replaced = [](const SpanReplacement& spec, const std::string& line) {
    Names names;
    Cutter cutter(BadSpans::kError);
    cutter.add(spec, names, "r.yaml:3", ErrorKind::kConfig);
    test::Record record(names, line);
    CutWork work = cutter.make_work();
    const Result<bool> changed = cutter.cut(record.values, work);
    if (!changed) return "fault " + changed.fault().code + ": " + changed.fault().detail;
    return *changed ? work.out : std::string("=");
  };
  const std::string line =
      doc(R"({"x":[[1,3,1],[5,6,0.2]],"pii":{"email":[[0,2,0.7]],"bad":7},"none":null})");
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5}, line) == "03456789");
  CHECK(replaced({"$.attributes['x']", Syntax::kJsonPath, {}, 0.5, "[{}]"}, line) ==
        "01234[5]6789");
  CHECK(replaced({"$.attributes.pii.email", Syntax::kJsonPath, 0.5}, line) == "23456789");
  CHECK(replaced({".attributes?.pii?.email?", Syntax::kJq, 0.5, 0.9, "-"}, line) == "-23456789");
  CHECK(replaced({".attributes.x | map(select(.[0] > 2))", Syntax::kJq, 0}, line) == "012346789");
  CHECK(replaced({"$.attributes.x[*]", Syntax::kJsonPath, 0}, line) == "0346789");
  CHECK(replaced({"$.attributes.x[0]", Syntax::kJsonPath, 0}, line) == "03456789");
  CHECK(replaced({"$.attributes.gone", Syntax::kJsonPath, 0}, line) == "=");
  CHECK(replaced({"$.attributes.none", Syntax::kJsonPath, 0}, line) == "=");
  CHECK(replaced({".attributes.none", Syntax::kJq, 0}, line) == "=");
  CHECK(replaced({"$.attributes.pii.bad", Syntax::kJsonPath, 0}, line) ==
        "fault type: field \"attributes.pii.bad\" is a number, expected a list of spans");
  CHECK(replaced({"$..bad", Syntax::kJsonPath, 0}, line).starts_with("fault type: \"$..bad\": "));
  // Replacements: a field, a filter, a text that begins with $.
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5, {}, "$.m.w"}, line) == "0word3456789");
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5, {}, "$.m.n + 1"}, line) == "083456789");
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5, {}, "$$1"}, line) == "0$13456789");
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5, {}, "$.m | .o"}, line)
            .starts_with("fault type: "));
  CHECK(replaced({"$.attributes.x", Syntax::kJsonPath, 0.5, {}, "$.m | empty"}, line)
            .starts_with("fault missing: "));
  Names names;
  Cutter cutter(BadSpans::kError);
  CHECK_THROWS_WITH(
      cutter.add({"$.a", Syntax::kJsonPath, 1, 1}, names, "r.yaml:3", ErrorKind::kConfig),
      "r.yaml:3: min_score is not below max_score: no span has such a score");
}
