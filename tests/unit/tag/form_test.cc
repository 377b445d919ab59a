// Length, punctuation, sampling, repetition.

#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

/// (.+?)(\s?\1){3,} at one place of an ASCII text, choice by choice; -1 or the end, and the group's
/// size.
std::pair<i64, i64> match_slowly(std::string_view text, std::size_t at, std::size_t most) {
  const auto is_space = [](char c) {
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
  };
  for (std::size_t period = 1; period <= most && at + period <= text.size(); ++period) {
    const std::string_view group = text.substr(at, period);
    if (group.find('\n') != std::string_view::npos) break;
    const std::function<i64(std::size_t, int)> copies = [&](std::size_t q, int got) -> i64 {
      if (q < text.size() && is_space(text[q]) && text.substr(q + 1).starts_with(group)) {
        const i64 end = copies(q + 1 + period, got + 1);
        if (end >= 0) return end;
      }
      if (text.substr(q).starts_with(group)) {
        const i64 end = copies(q + period, got + 1);
        if (end >= 0) return end;
      }
      return got >= 3 ? static_cast<i64>(q) : -1;
    };
    const i64 end = copies(at + period, 0);
    if (end >= 0) return {end, static_cast<i64>(period)};
  }
  return {-1, 0};
}

Spans repetitions_slowly(std::string_view text, std::size_t most) {
  Spans out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [end, period] = match_slowly(text, at, most);
    if (end < 0) {
      ++at;
      continue;
    }
    const std::string_view match = text.substr(at, usize(end) - at);
    f64 count = 0;
    for (std::size_t i = 0;
         (i = match.find(match.substr(0, usize(period)), i)) != std::string_view::npos;
         i += usize(period))
      ++count;
    out.push_back({static_cast<i64>(at), end, count});
    at = usize(end);
  }
  return out;
}

}  // namespace

TEST_CASE("lengths by hand", "[tag]") {
  const std::string text = " \xC3\xA9t\xC3\xA9, n'est\n\n \nok\xE2\x80\xA6 ";
  CHECK(value(found("bytes_length_v1", text), "bytes") == static_cast<f64>(text.size()));
  CHECK(value(found("char_length_v1", text), "length") == 19);
  CHECK(value(found("char_length_strip_ws_v1", text), "length_no_ws") == 17);
  CHECK(value(found("doc_count_v1", text), "docs") == 1);
  const auto paragraphs = found("char_length_with_paragraphs_v1", text);
  CHECK(paragraphs.at("paragraph") == Spans{{0, 12, 12}, {15, 19, 4}});
  CHECK(paragraphs.at("document") == Spans{{0, 19, 19}});
  for (const char* tagger : {"bytes_length_v1", "char_length_v1", "char_length_strip_ws_v1",
                             "whitespace_tokenizer_v1"}) {
    const auto empty = found(tagger, "");
    CHECK(empty.begin()->second == Spans{{0, 0, 0}});
  }
}

TEST_CASE("whitespace_tokenizer: pieces, and with --compat dolma one more (D-07)", "[tag]") {
  const auto pieces = [](std::string_view text, const TagSettings& settings = {}) {
    return value(found("whitespace_tokenizer_v1", text, settings), "length");
  };
  CHECK(pieces("one two three") == 3);
  CHECK(pieces("one two three", dolma()) == 4);
  CHECK(pieces("", dolma()) == 1);
  CHECK(pieces("n'est... _x") == 5);  // n ' est ... _x
  CHECK(pieces("a\x1C"
               "b\xC2\xA0"
               "c") == 4);  // 1C is a mark here, U+00A0 white space
  const auto both = found("whitespace_tokenizer_with_paragraphs_v1", "a b\n\nc.", dolma());
  CHECK(both.at("paragraph") == Spans{{0, 4, 3}, {5, 7, 3}});
  CHECK(value(both, "document") == 6);
  CHECK(value(found("whitespace_tokenizer_with_paragraphs_v1", "a b\n\nc."), "document") == 4);
}

TEST_CASE("not_alphanum: paragraphs of marks, symbols and emoji", "[tag]") {
  const auto spans = [](std::string_view text) {
    return found("not_alphanum_paragraph_v1", text).at("all_punct");
  };
  CHECK(spans("---\nabc\n\n \xF0\x9F\x98\x80 +\n") == Spans{{0, 4, 1}, {9, 14, 1}});
  CHECK(spans("abc") == Spans{{0, 3, 0}});
  CHECK(spans("") == Spans{{0, 0, 0}});
  CHECK(spans("\n \n") == Spans{{0, 3, 0}});
  // A letter of another script is neither letter nor mark for the rule; a circled letter is both.
  CHECK(spans("\xD0\xB6!") == Spans{{0, 2, 0}});
  CHECK(spans("\xE2\x92\xB6") == Spans{{0, 1, 0}});
  CHECK(spans("\x1C!") == Spans{{0, 2, 0}});
}

TEST_CASE("random numbers depend on seed, source and id alone (D-15)", "[tag]") {
  const auto draw = [](const std::string& more, u64 seed = 0) {
    TagSettings settings;
    settings.seed = seed;
    return value(found("random_number_v1", "x", settings, more), "random");
  };
  const f64 a = draw(",\"id\":\"a\"");
  CHECK(a ==
        static_cast<f64>(xxh3_64(std::string_view("random\0\0a", 9)) >> 11) / 9007199254740992);
  CHECK(draw(",\"id\":\"a\",\"source\":\"s\"") != a);
  CHECK(draw(",\"id\":\"a\"", 1) != a);
  CHECK(draw(",\"id\":12.50") == static_cast<f64>(xxh3_64(std::string_view("random\0\0"
                                                                           "12.50",
                                                                           13)) >>
                                                  11) /
                                     9007199254740992);
  f64 sum = 0;
  for (int i = 0; i < 1000; ++i)
    sum += draw(cat(",\"id\":", i));
  CHECK(sum / 1000 == Approx(0.5).margin(0.03));  // 3 standard deviations
  CHECK(fault_of("random_number_v1", "x", {}) == "missing");
}

TEST_CASE("repetitions by hand", "[tag]") {
  const auto all = found("repetitions_v1", "x abab abab\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
  CHECK(all.at("repetition") == Spans{{2, 11, 4}, {11, 15, 4}});
  CHECK(value(all, "doc_max_score_repetition") == 4);
  CHECK(value(all, "doc_max_length_repetition") == 9);
  CHECK(value(all, "doc_frac_repetition") == Approx(13.0 / 15));
  // Copies may stand on lines of their own, a group may not.
  CHECK(found("repetitions_v1", "ab\nab\nab\nab").at("repetition") == Spans{{0, 11, 4}});
  CHECK(found("repetitions_v1", "\n\n\n\n\n\n").count("repetition") == 0);
  CHECK(found("repetitions_v1", "abcabcabc").count("repetition") == 0);
  const auto empty = found("repetitions_v1", "");
  CHECK(empty.size() == 3);
  CHECK(value(empty, "doc_frac_repetition") == 0);

  CHECK(found("paragraph_repetitions_v1", "ab\nab\nab\nab").count("repetition") == 0);
  CHECK(found("paragraph_repetitions_v1", "\xC3\xA9\nababababc\n").at("repetition") ==
        Spans{{2, 10, 4}});
}

TEST_CASE("repetitions: groups have a longest size", "[tag]") {
  TagSettings settings;
  settings.max_period = 5;
  const std::string five = "abcdeabcdeabcdeabcde";
  CHECK(found("repetitions_v1", five, settings).at("repetition") == Spans{{0, 20, 4}});
  const std::string six = "abcdefabcdefabcdefabcdef";
  CHECK(found("repetitions_v1", six, settings).count("repetition") == 0);
  CHECK(found("repetitions_v1", six).at("repetition") == Spans{{0, 24, 4}});
  // Characters, not bytes; and a wide space between copies.
  std::string wide;
  for (int i = 0; i < 4; ++i)
    wide += "\xC3\xA9\xC3\xA8\xC3\xAA\xC3\xAB\xC3\xA0\xE3\x80\x80";
  CHECK(found("repetitions_v1", wide, settings).at("repetition") == Spans{{0, 23, 4}});
}

TEST_CASE("repetitions: the search equals the expression on random texts", "[tag]") {
  i64 matches = 0;
  for (u64 seed = 0; seed < 6000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    const std::string_view letters = seed % 3 == 0 ? "ab" : seed % 3 == 1 ? "a \n" : "ab c\n";
    std::string text;
    const u64 blocks = 1 + draws.below(0, 6);
    for (u64 b = 0; b < blocks; ++b) {
      std::string group;
      const u64 size = 1 + draws.below(100 * b + 1, 9);
      for (u64 i = 0; i < size; ++i)
        group += letters[draws.below(100 * b + 2 + i, letters.size())];
      const u64 times = 1 + draws.below(100 * b + 50, 7);
      for (u64 i = 0; i < times; ++i)
        append(text, group, draws.below(100 * b + 60 + i, 3) == 0 ? " " : "");
    }
    INFO("seed " << seed << ": " << quote(text));
    const Spans expected = repetitions_slowly(text, 256);
    matches += isize(expected);
    const auto all = found("repetitions_v1", text);
    REQUIRE((all.count("repetition") == 1 ? all.at("repetition") : Spans{}) == expected);
  }
  CHECK(matches > 3000);
}

TEST_CASE("repetitions: long lines", "[tag]") {
  CHECK(found("repetitions_v1", std::string(1000000, 'x')).at("repetition") ==
        Spans{{0, 1000000, 1000000}});
  // The Thue-Morse word has no four copies of anything side by side.
  std::string word;
  for (u32 i = 0; i < 200000; ++i)
    word += __builtin_parity(i) == 0 ? 'a' : 'b';
  CHECK(found("repetitions_v1", word).count("repetition") == 0);
}
