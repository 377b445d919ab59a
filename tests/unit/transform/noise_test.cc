#include "transform/noise.h"

#include <algorithm>

#include "catch.h"
#include "core/str.h"
#include "core/utf8.h"

namespace lm::transform {

namespace {

const char* const kAll[] = {"typo",
                            "keyboard",
                            "ocr",
                            "case",
                            "space",
                            "ent_typo",
                            "spelling",
                            "synonym",
                            "swap",
                            "drop",
                            "insert",
                            "speech",
                            "append_irr",
                            "simplify",
                            "verbose",
                            "spelling+ent_typo+append_irr",
                            "speech+space+typo+simplify"};

NoiseKnowledge knowledge() {
  NoiseKnowledge out;
  out.synonym = [](std::string_view word) {
    return word == "play" ? std::string("put on") : std::string();
  };
  return out;
}

/// A sentence of words of all kinds with slots, from draws.
std::vector<Word> drawn_words(i64 record) {
  constexpr std::string_view kWords[] = {"play",
                                         "the",
                                         "Weather",
                                         "tomorrow",
                                         "in",
                                         "7",
                                         "seven",
                                         ",",
                                         "a",
                                         "Zo\xC3\xAB",
                                         "to",
                                         "restaurant",
                                         "and",
                                         "?",
                                         "25",
                                         "e\xCC\x81t\xC3\xA9s",
                                         "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",
                                         "movie"};
  DrawRow row = Draws(5, cat("w", record), 0).row(Purpose::kMix);
  std::vector<Word> out;
  std::string open;
  for (i64 n = 1 + row.below(14); n > 0; --n) {
    Word word{std::string(kWords[usize(row.below(isize(std::span(kWords))))]), "O", " "};
    const i64 kind = row.below(4);
    if (kind == 0) open = row.below(2) == 0 ? "city" : "date";
    if (kind == 0) word.label = "B-" + open;
    if (kind == 1 && !open.empty()) word.label = "I-" + open;
    if (word.label == "O") open.clear();
    out.push_back(std::move(word));
  }
  return out;
}

std::vector<std::string> texts_of(const std::vector<Word>& words) {
  std::vector<std::string> out;
  for (const Word& word : words)
    out.push_back(word.text);
  return out;
}

std::vector<Word> noisy(std::string_view noise, std::vector<Word> words, i64 record = 0,
                        f64 strength = 1, std::vector<NoiseEdit>* log = nullptr) {
  std::vector<NoiseEdit> edits;
  apply_noise(*parse_noise(noise), strength, knowledge(), Draws(9, cat("r", record), 0), words,
              edits);
  if (log != nullptr) *log = std::move(edits);
  return words;
}

std::vector<Word> labelled(const std::vector<std::pair<std::string, std::string>>& words) {
  std::vector<Word> out;
  for (const auto& [text, label] : words)
    out.push_back({text, label, " "});
  return out;
}

std::string shown(const std::vector<Word>& words) {
  std::string out;
  for (const Word& word : words)
    append(out, out.empty() ? "" : " ", word.text, "/", word.label);
  return out;
}

}  // namespace

TEST_CASE("every operator keeps labels aligned, spans well-formed and text UTF-8", "[transform]") {
  const NoiseKnowledge known = knowledge();
  for (const char* name : kAll) {
    const std::vector<NoiseStep> steps = *parse_noise(name);
    bool changed = false;
    for (i64 record = 0; record < 1500; ++record) {
      const std::vector<Word> clean = drawn_words(record);
      REQUIRE(well_formed(clean));
      std::vector<Word> words = clean;
      std::vector<NoiseEdit> log;
      apply_noise(steps, 3, known, Draws(1, cat("r", record), 0), words, log);
      INFO(name << " " << record << ": " << shown(clean) << " -> " << shown(words));
      REQUIRE(!words.empty());
      REQUIRE(well_formed(words));
      for (const Word& word : words) {
        REQUIRE(!word.text.empty());
        REQUIRE(is_valid_utf8(word.text));
        REQUIRE(!word.label.empty());
      }
      const std::optional<std::vector<std::string>> again = replay(texts_of(clean), log);
      REQUIRE(again);
      REQUIRE(*again == texts_of(words));
      changed = changed || !log.empty();
      REQUIRE((log.empty() || texts_of(clean) != texts_of(words) || log.size() > 1));
    }
    CHECK(changed);
  }
}

TEST_CASE("strength 0 is the identity", "[transform]") {
  for (const char* name : kAll) {
    for (i64 record = 0; record < 300; ++record) {
      std::vector<NoiseEdit> log;
      const std::vector<Word> clean = drawn_words(record);
      CHECK(shown(noisy(name, clean, record, 0, &log)) == shown(clean));
      CHECK(log.empty());
    }
  }
}

TEST_CASE("noise is a function of the record, and its order matters", "[transform]") {
  const std::vector<Word> words = drawn_words(3);
  CHECK(shown(noisy("typo:1", words, 1)) == shown(noisy("typo:1", words, 1)));
  i64 differ = 0;
  i64 order = 0;
  for (i64 record = 0; record < 100; ++record) {
    const std::vector<Word> clean = drawn_words(record);
    differ += shown(noisy("typo:1", clean, record)) != shown(noisy("typo:1", clean, record + 1));
    order += shown(noisy("typo:1+append_irr", clean, record)) !=
             shown(noisy("append_irr+typo:1", clean, record));
  }
  CHECK(differ > 50);
  CHECK(order > 50);
}

TEST_CASE("a typo spares short words and first letters", "[transform]") {
  for (i64 record = 0; record < 300; ++record) {
    const std::vector<Word> words =
        noisy("typo:1", labelled({{"cat", "O"}, {"weather", "B-x"}, {"Zo\xC3\xAB", "O"}}), record);
    REQUIRE(words.size() == 3);
    CHECK(words[0].text == "cat");
    CHECK(words[1].text != "weather");
    CHECK(words[1].text.starts_with("w"));
    CHECK(edit_distance(words[1].text, "weather") <= 2);  // a swap is two
    CHECK(words[2].text == "Zo\xC3\xAB");
  }
}

TEST_CASE("one word of every slot has a typo", "[transform]") {
  for (i64 record = 0; record < 200; ++record) {
    const std::vector<Word> words = noisy("ent_typo",
                                          labelled({{"in", "O"},
                                                    {"new", "B-city"},
                                                    {"york", "I-city"},
                                                    {"for", "O"},
                                                    {"a", "B-n"},
                                                    {"week", "B-time"}}),
                                          record);
    CHECK(words[0].text == "in");
    CHECK(words[1].text == "new");  // too short, as the other is long enough
    CHECK(words[2].text != "york");
    CHECK(words[4].text == "a");  // there is nothing behind its first letter
    CHECK(words[5].text != "week");
  }
}

TEST_CASE("words split into their slot and join under the first label", "[transform]") {
  bool split = false;
  bool joined = false;
  for (i64 record = 0; record < 100; ++record) {
    const std::string out =
        shown(noisy("space:1", labelled({{"to", "O"}, {"ab", "B-x"}, {"cd", "I-x"}}), record));
    split = split || out.find("a/B-x b/I-x") != std::string::npos;
    joined = joined || out == "toab/O cd/B-x" || out == "toab/O c/B-x d/I-x";
  }
  CHECK(split);
  CHECK(joined);
}

TEST_CASE("speech spells numbers within their slot and drops marks", "[transform]") {
  bool filler = false;
  bool spelt = false;
  for (i64 record = 0; record < 200; ++record) {
    const std::string out = shown(noisy(
        "speech", labelled({{"Book", "O"}, {",", "O"}, {"25", "B-n"}, {"seats!", "I-n"}}), record));
    INFO(out);
    CHECK(out.find(",/") == std::string::npos);
    CHECK(out.find("book/O") != std::string::npos);
    spelt = spelt || out.find("twenty/B-n five/I-n seats/I-n") != std::string::npos;
    filler = filler || out.find("uh/O") != std::string::npos;
    CHECK(out.find("/I-n uh") == std::string::npos);
  }
  CHECK(spelt);
  CHECK(filler);
}

TEST_CASE("numbers are spelt as they are said", "[transform]") {
  CHECK(number_in_words(0) == "zero");
  CHECK(number_in_words(19) == "nineteen");
  CHECK(number_in_words(40) == "forty");
  CHECK(number_in_words(99) == "ninety nine");
  CHECK(number_in_words(100) == "one hundred");
  CHECK(number_in_words(2038) == "two thousand thirty eight");
  CHECK(number_in_words(310000) == "three hundred ten thousand");
  CHECK(number_in_words(999999) == "nine hundred ninety nine thousand nine hundred ninety nine");
}

TEST_CASE("simplifying leaves slots and the prepositions beside them", "[transform]") {
  CHECK(shown(noisy("simplify", labelled({{"i", "O"},
                                          {"want", "O"},
                                          {"food", "B-x"},
                                          {"please", "O"},
                                          {"in", "O"},
                                          {"rome", "B-y"},
                                          {"now", "O"}}))) == "food/B-x please/O in/O rome/B-y");
  CHECK(shown(noisy("simplify", labelled({{"all", "O"}, {"of", "O"}, {"it", "O"}}))) == "all/O");
}

TEST_CASE("misspellings, synonyms and case follow the word", "[transform]") {
  const std::string spelt =
      shown(noisy("spelling:1", labelled({{"Tomorrow", "B-t"}, {"xyz", "O"}})));
  CHECK((spelt == "Tommorow/B-t xyz/O" || spelt == "Tomorow/B-t xyz/O"));
  CHECK(shown(noisy("synonym:1", labelled({{"Play", "O"}, {"play", "B-x"}}))) ==
        "Put/O on/O play/B-x");
  for (const auto& [word, wrong] : common_misspellings()) {
    INFO(word);
    CHECK(!wrong.empty());
    CHECK(std::find(wrong.begin(), wrong.end(), word) == wrong.end());
  }
}

TEST_CASE("what is appended is outside of slots", "[transform]") {
  const std::vector<Word> words = noisy("append_irr", labelled({{"paris", "B-x"}, {"now", "I-x"}}));
  const auto first =
      std::find_if(words.begin(), words.end(), [](const Word& w) { return w.label == "B-x"; });
  REQUIRE(first != words.end());
  CHECK(first != words.begin());
  CHECK(words.front().label == "O");
}

TEST_CASE("a text keeps the white space around its words", "[transform]") {
  std::vector<Word> words = {{"one", "O", "\t"}, {"the", "O", "  "}, {"two", "O", "\n"}};
  const std::vector<Word> added = noisy("append_irr", words);
  CHECK(added.front().gap == "\t");
  CHECK(noisy("drop:1", {{"the", "O", "\t"}, {"two", "O", " "}}).front().gap == "\t");
}

TEST_CASE("a rewording keeps its slots by their marks", "[transform]") {
  const std::vector<Word> clean = labelled({{"fly", "O"},
                                            {"to", "O"},
                                            {"new", "B-city"},
                                            {"york", "I-city"},
                                            {"rome", "B-city"},
                                            {"now", "O"}});
  CHECK(with_marks(clean) == "fly to <s1> <s2> now");
  const auto taken = [&](std::string_view text) {
    std::vector<Word> words = clean;
    std::vector<NoiseEdit> log;
    if (!reword(text, words, log)) {
      CHECK(shown(words) == shown(clean));
      CHECK(log.empty());
      return std::string("no");
    }
    CHECK(well_formed(words));
    CHECK(replay(texts_of(clean), log) == texts_of(words));
    return shown(words);
  };
  CHECK(taken("<s2>, then \"<s1>\"!") ==
        "rome/B-city ,/O then/O \"/O new/B-city york/I-city \"!/O");
  CHECK(taken("go <s1><s2>") == "go/O new/B-city york/I-city rome/B-city");
  CHECK(taken("fly to <s1> <s2> now") == shown(clean));
  for (const char* bad :
       {"", "go <s1>", "go <s1> <s2> <s1>", "<s1> <s2> <s3>", "<s0> <s1> <s2>x<s9>"})
    CHECK(taken(bad) == "no");
}

TEST_CASE("steps are read strictly", "[transform]") {
  CHECK(parse_noise("typo:0.5")->front().rate == 0.5);
  CHECK(parse_noise("typo")->front().rate == 0.2);
  CHECK(parse_noise("spelling+typo:1+append_irr")->size() == 3);
  for (const char* bad :
       {"", "typo+", "typos", "typo:", "typo:2", "typo:-1", "typo:nan", "typo,ocr", "paraphrase"})
    CHECK(!parse_noise(bad));
}

TEST_CASE("edits that do not fit are not replayed", "[transform]") {
  CHECK(!replay({"a"}, std::vector<NoiseEdit>{{NoiseOp::kTypo, 1, {"b"}, {"c"}}}));
  CHECK(!replay({"a"}, std::vector<NoiseEdit>{{NoiseOp::kTypo, 0, {"b"}, {"c"}}}));
  CHECK(!replay({"a"}, std::vector<NoiseEdit>{{NoiseOp::kTypo, -1, {}, {"c"}}}));
  CHECK(replay({"a"}, std::vector<NoiseEdit>{{NoiseOp::kTypo, 1, {}, {"c"}}}) ==
        std::vector<std::string>{"a", "c"});
  CHECK(edited_characters({NoiseOp::kTypo, 0, {"caf\xC3\xA9"}, {"cafe"}}) == 1);
}

}  // namespace lm::transform
