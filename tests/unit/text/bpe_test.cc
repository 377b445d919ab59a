#include "text/bpe.h"

#include <algorithm>

#include "catch.h"
#include "core/random.h"
#include "text/utf8.h"

namespace {

using lm::i32;
using lm::i64;
using lm::u64;
namespace text = lm::text;
using Ids = std::vector<i32>;

/// A byte-level model over few letters: bytes are ids 0..255, merges follow from 256.
text::BpeModel make_model(const std::vector<std::pair<std::string, std::string>>& merges,
                          text::BpeOptions options = {}) {
  options.byte_level = true;
  text::Vocab vocab;
  for (int b = 0; b < 256; ++b)
    vocab.add(std::string(1, static_cast<char>(b)), b);
  std::vector<text::BpeMerge> list;
  for (const auto& [a, b] : merges) {
    if (vocab.find(a + b) < 0) vocab.add(a + b, vocab.id_limit());
    list.push_back({vocab.find(a), vocab.find(b), vocab.find(a + b)});
  }
  return text::BpeModel(std::move(vocab), list, std::move(options));
}

Ids encode(const text::BpeModel& model, const std::string& s, i64 cache = 0) {
  text::BpeScratch scratch(cache);
  Ids ids;
  model.encode(s, scratch, ids);
  return ids;
}

/// The definition: merge the lowest-ranked pair, leftmost first, until none is left.
Ids slow_bpe(const std::vector<std::pair<std::string, std::string>>& merges,
             const text::Vocab& vocab, const std::string& s) {
  std::vector<std::string> parts;
  for (const char c : s)
    parts.emplace_back(1, c);
  while (true) {
    std::size_t best_rank = merges.size();
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      for (std::size_t r = 0; r < best_rank; ++r) {
        if (merges[r].first == parts[i] && merges[r].second == parts[i + 1]) {
          best_rank = r;
          best_at = i;
        }
      }
    }
    if (best_rank == merges.size()) break;
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + static_cast<i64>(best_at) + 1);
  }
  Ids ids;
  for (const std::string& p : parts)
    ids.push_back(vocab.find(p));
  return ids;
}

std::vector<std::pair<std::string, std::string>> random_merges(const lm::RandomStream& random,
                                                               u64& draw,
                                                               const std::string& letters,
                                                               int count) {
  std::vector<std::string> tokens;
  for (const char c : letters)
    tokens.emplace_back(1, c);
  std::vector<std::pair<std::string, std::string>> merges;
  while (static_cast<int>(merges.size()) < count) {
    const std::string a = tokens[random.below(draw++, tokens.size())];
    const std::string b = tokens[random.below(draw++, tokens.size())];
    if (std::find(merges.begin(), merges.end(), std::pair(a, b)) != merges.end()) continue;
    merges.emplace_back(a, b);
    tokens.push_back(a + b);
  }
  return merges;
}

}  // namespace

TEST_CASE("the lowest rank merges first, then the leftmost", "[text]") {
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"b", "c"}, {"a", "b"}, {"a", "a"}};
  const text::BpeModel model = make_model(merges);
  // bc (256) has rank 0 and beats ab (257), though ab stands to the left.
  CHECK(encode(model, "abc") == Ids{'a', 256});
  CHECK(encode(model, "abab") == Ids{257, 257});
  CHECK(encode(model, "aaa") == Ids{258, 'a'});
  CHECK(encode(model, "").empty());
  CHECK(encode(model, std::string("\0z", 2)) == Ids{0, 'z'});
}

TEST_CASE("every merge loop equals the definition on random models", "[text]") {
  const lm::RandomStream random(3, lm::RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 60; ++round) {
    const auto merges = random_merges(random, draw, "abc ", 25);
    const text::BpeModel model = make_model(merges);
    text::BpeScratch small_cache(20000);  // a few hundred entries: it overflows and is cleared
    text::BpeScratch large_cache(i64{1} << 22);
    for (int k = 0; k < 40; ++k) {
      std::string s;
      const u64 n = random.below(draw++, k % 4 == 0 ? 120 : 20);
      for (u64 i = 0; i < n; ++i)
        s.push_back("abc d"[random.below(draw++, 5)]);
      const Ids want = slow_bpe(merges, model.vocab(), s);
      REQUIRE(encode(model, s) == want);
      for (int again = 0; again < 2; ++again) {
        for (text::BpeScratch* scratch : {&small_cache, &large_cache}) {
          Ids got;
          model.encode(s, *scratch, got);
          REQUIRE(got == want);
        }
      }
    }
    CHECK(small_cache.cache.used_bytes() <= 80000);
  }
}

TEST_CASE("cutting at impossible joins changes nothing, parts of characters included", "[text]") {
  // Merges over the bytes of two- and three-byte characters make tokens that begin and end inside
  // characters; a long string exercises the cut path, its halves the uncut one.
  const lm::RandomStream random(4, lm::RandomPurpose::kOther);
  const std::vector<std::string> characters = {
      "a",           "\xC3\xA9", "\xC3\xA8", "\xE4\xB8\xAD", "\xE4\xB8\xAE", "\xF0\x9F\x98\x80",
      "\xE4\xB9\xAD"};
  u64 draw = 0;
  for (int round = 0; round < 80; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i)
      text += characters[random.below(draw++, characters.size())];
    // Merges taken from the text itself, so that they apply.
    std::vector<std::pair<std::string, std::string>> merges;
    for (int i = 0; i < 30; ++i) {
      const u64 at = random.below(draw++, text.size() - 4);
      const std::string a = text.substr(at, 1 + random.below(draw++, 2));
      const std::string b = text.substr(at + a.size(), 1);
      const auto known = [&](const std::string& s) {
        return s.size() == 1 || std::any_of(merges.begin(), merges.end(),
                                            [&](const auto& m) { return m.first + m.second == s; });
      };
      if (known(a) && std::find(merges.begin(), merges.end(), std::pair(a, b)) == merges.end()) {
        merges.emplace_back(a, b);
      }
    }
    const text::BpeModel model = make_model(merges);
    REQUIRE(encode(model, text) == slow_bpe(merges, model.vocab(), text));
  }
}

TEST_CASE("ignore_merges takes a whole piece that is a token", "[text]") {
  // "abc" is a token that no merge makes: a+b and b+c exist, ab+c does not.
  text::Vocab vocab;
  for (int b = 0; b < 256; ++b)
    vocab.add(std::string(1, static_cast<char>(b)), b);
  vocab.add("ab", 256);
  vocab.add("abc", 257);
  text::BpeOptions options;
  options.byte_level = true;
  CHECK(encode(text::BpeModel(vocab, {{'a', 'b', 256}}, options), "abc") == Ids{256, 'c'});
  options.ignore_merges = true;
  const text::BpeModel model(vocab, {{'a', 'b', 256}}, options);
  CHECK(encode(model, "abc") == Ids{257});
  // Inside a longer piece the token must not appear, whatever was cached before.
  text::BpeScratch scratch(1 << 20);
  Ids ids;
  model.encode("abc", scratch, ids);
  model.encode("zzzzzzzzzzzzzzzzabczzz", scratch, ids);
  CHECK(std::count(ids.begin() + 1, ids.end(), 257) == 0);
}

TEST_CASE("characters without a token fall back to bytes, become unk, or vanish", "[text]") {
  text::Vocab vocab;
  vocab.add("<unk>", 0);
  vocab.add("a", 1);
  text::BpeOptions options;
  options.unk = 0;
  CHECK(encode(text::BpeModel(vocab, {}, options),
               "a\xC3\xA9zz"
               "a") == Ids{1, 0, 0, 0, 1});
  options.fuse_unk = true;
  CHECK(encode(text::BpeModel(vocab, {}, options),
               "a\xC3\xA9zz"
               "a") == Ids{1, 0, 1});
  options.unk.reset();
  CHECK(encode(text::BpeModel(vocab, {}, options),
               "a\xC3\xA9zz"
               "a") == Ids{1, 1});
  vocab.add("<0xC3>", 2);
  vocab.add("<0xA9>", 3);
  options.unk = 0;
  options.byte_fallback = true;
  CHECK(encode(text::BpeModel(vocab, {}, options), "a\xC3\xA9z") == Ids{1, 2, 3, 0});
}

TEST_CASE("a million equal letters take n log n", "[text]") {
  const text::BpeModel model = make_model({{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}});
  const Ids ids = encode(model, std::string(1'000'000, 'a'));
  CHECK(ids.size() == 125000);
  CHECK(ids[0] == 258);
  CHECK(encode(make_model({}), std::string(1'000'000, '^')).size() == 1'000'000);
}

TEST_CASE("offsets tile the piece and survive unknown characters", "[text]") {
  const text::BpeModel model = make_model({{"a", "b"}});
  std::vector<std::pair<i64, i64>> offsets;
  model.locate("abcab", encode(model, "abcab"), 10, offsets);
  CHECK(offsets == std::vector<std::pair<i64, i64>>{{10, 12}, {12, 13}, {13, 15}});
  text::Vocab vocab;
  vocab.add("<unk>", 0);
  vocab.add("a", 1);
  text::BpeOptions options;
  options.unk = 0;
  options.fuse_unk = true;
  const text::BpeModel unknowns(vocab, {}, options);
  offsets.clear();
  unknowns.locate(
      "\xC3\xA9z"
      "a",
      encode(unknowns,
             "\xC3\xA9z"
             "a"),
      0, offsets);
  CHECK(offsets == std::vector<std::pair<i64, i64>>{{0, 3}, {3, 4}});
}

TEST_CASE("the cache keeps what fits, forgets in bounds and never mixes keys", "[text]") {
  text::BpeCache cache(200'000);
  Ids out;
  CHECK_FALSE(cache.append("x", 0, out));
  const lm::RandomStream random(9, lm::RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 30000; ++round) {
    // Keys that differ in length only through NUL bytes, short and long.
    const u64 length = 1 + random.below(draw++, 40);
    const std::string key(length, "\0a"[random.below(draw++, 2)]);
    const int variant = static_cast<int>(random.below(draw++, 2));
    const std::string tail = std::to_string(random.below(draw++, 3000));
    const std::string piece = key + tail;
    Ids want;
    for (std::size_t i = 0; i < piece.size() % 7; ++i)
      want.push_back(static_cast<i32>(piece.size() * 8 + i) * 2 + variant);
    out.clear();
    if (cache.append(piece, variant, out)) {
      REQUIRE(out == want);
    } else {
      cache.insert(piece, variant, want);
      out.clear();
      REQUIRE(cache.append(piece, variant, out));
      REQUIRE(out == want);
    }
    REQUIRE(cache.used_bytes() <= 200'000);
  }
  text::BpeCache off(0);
  off.insert("a", 0, Ids{1});
  CHECK_FALSE(off.append("a", 0, out));
}

TEST_CASE("a vocabulary reports every kind of clash", "[text]") {
  text::Vocab vocab;
  CHECK(vocab.find("a") == -1);
  CHECK(vocab.add("a", 5) == text::Vocab::Added::kNew);
  CHECK(vocab.add("a", 5) == text::Vocab::Added::kSame);
  CHECK(vocab.add("a", 6) == text::Vocab::Added::kDuplicateToken);
  CHECK(vocab.add("b", 5) == text::Vocab::Added::kDuplicateId);
  CHECK(vocab.id_limit() == 6);
  CHECK_FALSE(vocab.has_id(4));
  for (int i = 100; i < 5000; ++i)
    CHECK(vocab.add("t" + std::to_string(i), i) == text::Vocab::Added::kNew);
  CHECK(vocab.find("t4999") == 4999);
  CHECK(vocab.token(100) == "t100");
}
