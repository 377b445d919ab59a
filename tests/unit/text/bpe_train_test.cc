#include "text/bpe_train.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "text/token_decoder.h"

namespace lm::text {
namespace {

using Counts = std::map<std::string, i64>;

// Each word is a document of its own, counted by weight.
WordCounts count_words(const Counts& counts, const Context& ctx, i64 max_word_bytes = 4096) {
  WordCounter counter(pattern_splitter(PatternId::kOther), max_word_bytes, ctx);
  std::vector<std::string_view> words;
  std::vector<i64> weights;
  for (const auto& [word, count] : counts) {
    words.push_back(word);
    weights.push_back(count);
  }
  counter.add(words, weights);
  return counter.finish();
}

// The definition, with nothing clever: before every merge all pairs of all words are counted anew.
TrainedBpe obvious_trainer(const Counts& counts, const BpeTrainOptions& options) {
  TrainedBpe model;
  std::map<std::string, i32> ids;
  const auto add_token = [&](const std::string& bytes) {
    ids[bytes] = static_cast<i32>(model.tokens.size());
    model.tokens.push_back(bytes);
  };
  for (const std::string& special : options.specials)
    add_token(special);
  model.specials = isize(model.tokens);
  // The byte-level alphabet by code point: printable Latin-1, then the stand-ins U+0100...
  for (int pass = 0; pass < 2; ++pass) {
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      if (printable == (pass == 0)) add_token(std::string(1, static_cast<char>(b)));
    }
  }
  std::vector<std::pair<std::vector<i32>, i64>> words;
  for (const auto& [word, count] : counts) {
    words.emplace_back();
    words.back().second = count;
    for (const char c : word)
      words.back().first.push_back(ids[std::string(1, c)]);
  }
  while (isize(model.tokens) < options.vocab_size) {
    std::map<std::pair<i32, i32>, i64> pairs;
    for (const auto& [word, count] : words) {
      for (std::size_t i = 1; i < word.size(); ++i)
        pairs[{word[i - 1], word[i]}] += count;
    }
    std::optional<std::pair<i32, i32>> best;
    const auto text = [&](i32 id) { return model.tokens[static_cast<std::size_t>(id)]; };
    const auto wins = [&](std::pair<i32, i32> a, std::pair<i32, i32> b) {
      const std::string ab = text(a.first) + text(a.second);
      const std::string bb = text(b.first) + text(b.second);
      if (options.ties == BpeTies::kBytes) {
        return std::pair(text(a.first), text(a.second)) < std::pair(text(b.first), text(b.second));
      }
      if (options.ties == BpeTies::kSp) {
        return std::tuple(ab.size(), ab, text(a.first).size()) <
               std::tuple(bb.size(), bb, text(b.first).size());
      }
      return a < b;
    };
    for (const auto& [pair, count] : pairs) {
      const std::string bytes = text(pair.first) + text(pair.second);
      if (count < std::max<i64>(1, options.min_frequency)) continue;
      if (options.max_token_bytes > 0 && isize(bytes) > options.max_token_bytes) continue;
      if (std::count(options.specials.begin(), options.specials.end(), bytes) > 0) continue;
      if (!best || count > pairs[*best] || (count == pairs[*best] && wins(pair, *best)))
        best = pair;
    }
    if (!best) break;
    const std::string bytes = text(best->first) + text(best->second);
    REQUIRE(ids.find(bytes) == ids.end());  // a string has one derivation: see bpe_train.h
    add_token(bytes);
    const TrainedMerge merge{best->first, best->second, ids[bytes]};
    model.merges.push_back(merge);
    for (auto& [word, count] : words) {
      std::vector<i32> out;
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (i + 1 < word.size() && word[i] == best->first && word[i + 1] == best->second) {
          out.push_back(merge.result);
          ++i;
        } else {
          out.push_back(word[i]);
        }
      }
      word = out;
    }
  }
  return model;
}

Counts random_words(u64 seed, i64 count, u64 letters, u64 longest) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  u64 next = 0;
  Counts words;
  for (i64 w = 0; w < count; ++w) {
    std::string word;
    const u64 size = 1 + draws.below(next++, longest);
    for (u64 i = 0; i < size; ++i)
      word.push_back(static_cast<char>('a' + draws.below(next++, letters)));
    words[word] += 1 + static_cast<i64>(draws.below(next++, 4));
  }
  return words;
}

void check_same(const TrainedBpe& a, const TrainedBpe& b) {
  CHECK(a.merges == b.merges);
  CHECK(a.tokens == b.tokens);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a worked example merges in the order counted by hand", "[text]") {
  // hug 10, pug 5, pun 12, bun 4, hugs 5.
  // u-g 20, u-n 16, h-u 15, ...: "ug"; then u-n 16: "un"; then h-ug 15: "hug"; p-un 12: "pun";
  // then p-ug 5 and hug-s 5 tie. Ids: bytes 0x21.. from 0, so p = 79; ug 256, un 257, hug 258, and
  // (79, 256) < (258, 82): "pug", then "hugs"; b-un 4 is last.
  const LocalContext ctx;
  const WordCounts words =
      count_words({{"hug", 10}, {"pug", 5}, {"pun", 12}, {"bun", 4}, {"hugs", 5}}, ctx);
  BpeTrainOptions options;
  options.vocab_size = 262;
  const TrainedBpe model = train_bpe(words, options, ctx);
  CHECK(std::vector<std::string>(model.tokens.begin() + 256, model.tokens.end()) ==
        std::vector<std::string>{"ug", "un", "hug", "pun", "pug", "hugs"});
  CHECK(model.tokens[0] == "!");
  CHECK(model.tokens[188] == std::string(1, '\0'));  // 94 + 12 + 82 printable bytes come first
  options.min_frequency = 5;
  options.vocab_size = 1000;
  CHECK(train_bpe(words, options, ctx).merges.size() == 6);
  options.min_frequency = 4;
  CHECK(train_bpe(words, options, ctx).tokens.back() == "bun");
  options.max_token_bytes = 2;
  CHECK(train_bpe(words, options, ctx).merges.size() == 2);
}

TEST_CASE("repeated letters merge from the left", "[text]") {
  const LocalContext ctx;
  BpeTrainOptions options;
  options.min_frequency = 1;
  options.vocab_size = 258;
  // aaaaa: a-a occurs 4 times -> aa aa a; then aa-a and aa-aa once each; (aa, a) has the smaller id
  const TrainedBpe model = train_bpe(count_words({{"aaaaa", 1}}, ctx), options, ctx);
  CHECK(model.tokens[256] == "aa");
  CHECK(model.tokens[257] == "aaa");
}

TEST_CASE("the trainer agrees with recounting everything before each merge", "[text]") {
  for (u64 seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    const Counts counts =
        random_words(seed, 5 + static_cast<i64>(seed), 1 + seed % 4, 1 + seed % 23);
    const LocalContext ctx;
    const WordCounts words = count_words(counts, ctx);
    for (const BpeTies ties : {BpeTies::kHf, BpeTies::kBytes, BpeTies::kSp}) {
      BpeTrainOptions options;
      options.ties = ties;
      options.vocab_size = 257 + static_cast<i64>(seed % 3) * 40;
      options.min_frequency = static_cast<i64>(seed % 4);
      options.max_token_bytes = seed % 5 == 0 ? 4 : 0;
      if (seed % 6 == 0) options.specials = {"ab", "<s>", "aab"};
      options.vocab_size += isize(options.specials);
      const TrainedBpe model = train_bpe(words, options, ctx);
      check_same(model, obvious_trainer(counts, options));
      for (i64 id = 0; id < isize(model.tokens); ++id) {
        for (i64 s = 0; s < model.specials; ++s) {
          CHECK((id == s || model.tokens[usize(id)] != model.tokens[usize(s)]));
        }
      }
    }
  }
}

TEST_CASE("threads, document order and batches do not change the model", "[text]") {
  std::vector<std::string> documents;
  for (u64 seed = 0; seed < 40; ++seed) {
    std::string text;
    for (const auto& [word, count] : random_words(seed, 400, 20, 7)) {
      for (i64 i = 0; i < count; ++i)
        text += word + " ";
    }
    documents.push_back(text);
  }
  BpeTrainOptions options;
  options.vocab_size = 600;
  std::vector<TrainedBpe> models;
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    const LocalContext ctx(threads);
    WordCounter counter(pattern_splitter(PatternId::kR50k), 4096, ctx);
    std::vector<std::string_view> views(documents.begin(), documents.end());
    if (threads == 2) std::reverse(views.begin(), views.end());
    const std::size_t batch = threads == 7 ? 11 : 40;
    for (std::size_t i = 0; i < views.size(); i += batch) {
      counter.add(std::span(views).subspan(i, std::min(batch, views.size() - i)));
    }
    const WordCounts words = counter.finish();
    CHECK(words.documents == 40);
    CHECK(words.words.size() > 4096);  // so that the parallel rewriting takes part
    models.push_back(train_bpe(words, options, ctx));
  }
  set_threads(1);
  CHECK(models[0].merges.size() == 344);
  check_same(models[0], models[1]);
  check_same(models[0], models[2]);
}

TEST_CASE("weights count a document as often as they say", "[text]") {
  const LocalContext ctx;
  const auto counts_of = [&](const std::vector<std::string_view>& documents,
                             const std::vector<i64>& weights) {
    WordCounter counter(pattern_splitter(PatternId::kR50k), 4096, ctx);
    counter.add(documents, weights);
    Counts counts;
    const WordCounts words = counter.finish();
    for (const WordCounts::Word& word : words.words)
      counts[std::string(word.bytes)] = word.count;
    return counts;
  };
  CHECK(counts_of({"a b", "b c"}, {1, 3}) == counts_of({"a b", "b c", "b c", "b c"}, {}));
  CHECK(counts_of({"a b", "b c"}, {1, 3}) == Counts{{"a", 1}, {" b", 1}, {"b", 3}, {" c", 3}});
  CHECK_THROWS_AS(counts_of({"a"}, {0}), Error);
}

TEST_CASE("rare words are dropped and long ones cut, with counts", "[text]") {
  const LocalContext ctx;
  WordCounter counter(pattern_splitter(PatternId::kOther), 4, ctx);
  const std::vector<std::string_view> documents = {"abcdefghij", "abcd", "zz", ""};
  counter.add(documents);
  const WordCounts words = counter.finish(2);
  REQUIRE(words.words.size() == 1);  // abcd twice; efgh, ij and zz once
  CHECK(words.words[0].bytes == "abcd");
  CHECK(words.words[0].count == 2);
  CHECK(words.cut == 1);
  CHECK(words.pretokens == 3);
  CHECK(words.bytes == 16);
  CHECK_THROWS_AS(WordCounter(pattern_splitter(PatternId::kOther), 1, ctx), Error);
}

TEST_CASE("counts beyond 32 bits keep their order", "[text]") {
  const LocalContext ctx;
  const i64 big = i64{3} << 31;  // an i32 counter would see these as negative or small
  BpeTrainOptions options;
  options.vocab_size = 258;
  const TrainedBpe model =
      train_bpe(count_words({{"the", big}, {"ab", 1000}, {"xyz", big - 1}}, ctx), options, ctx);
  CHECK(model.tokens[256] == "he");
  CHECK(model.tokens[257] == "the");
}

TEST_CASE("tokenizer.json has the parts a reader needs", "[text]") {
  const LocalContext ctx;
  BpeTrainOptions options;
  options.vocab_size = 260;
  options.specials = {"<|end|>"};
  const WordCounts words =
      count_words({{" he said \"\\\"", 9}, {" he", 5}, {"\xC3\xA9t\xC3\xA9", 3}}, ctx);
  const TrainedBpe model = train_bpe(words, options, ctx);
  const nlohmann::json root = nlohmann::json::parse(bpe_tokenizer_json(model, PatternId::kR50k));
  CHECK(root["model"]["type"] == "BPE");
  CHECK(root["model"]["vocab"].size() == 260);
  CHECK(root["model"]["vocab"]["<|end|>"] == 0);
  CHECK(root["model"]["vocab"]["!"] == 1);
  CHECK(root["model"]["vocab"]["\xC4\xA0"] ==
        1 + 188 + 32);  // the blank is the 33rd unprintable byte
  CHECK(root["model"]["merges"].size() == 3);
  CHECK(root["added_tokens"][0]["content"] == "<|end|>");
  CHECK(root["added_tokens"][0]["special"] == true);
  CHECK(root["pre_tokenizer"]["type"] == "ByteLevel");
  CHECK(root["pre_tokenizer"]["use_regex"] == true);
  CHECK(root["decoder"]["type"] == "ByteLevel");
  for (const auto& merge : root["model"]["merges"]) {
    const std::string text = merge.get<std::string>();
    std::string joined = text;
    joined.erase(joined.find(' '), 1);
    CHECK(root["model"]["vocab"].contains(joined));
  }
  const nlohmann::json other =
      nlohmann::json::parse(bpe_tokenizer_json(model, PatternId::kCl100kHf));
  CHECK(other["pre_tokenizer"]["type"] == "Sequence");
  CHECK(other["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] ==
        std::string(pattern_text(PatternId::kCl100kHf)));
  CHECK(other["pre_tokenizer"]["pretokenizers"][1]["use_regex"] == false);
}

TEST_CASE("the tiktoken file lists bytes in base64 with the same ids", "[text]") {
  const LocalContext ctx;
  BpeTrainOptions options;
  options.vocab_size = 259;
  options.specials = {"<s>"};
  const TrainedBpe model = train_bpe(count_words({{"abc", 9}}, ctx), options, ctx);
  const std::string file = bpe_tiktoken_file(model);
  CHECK(file.starts_with("IQ== 1\nIg== 2\n"));    // "!" and the double quote
  CHECK(file.ends_with("YWI= 257\nYWJj 258\n"));  // ab, abc
  CHECK(std::count(file.begin(), file.end(), '\n') == 258);
}

TEST_CASE("impossible BPE training is refused with the reason", "[text]") {
  const LocalContext ctx;
  const WordCounts words = count_words({{"abc", 9}}, ctx);
  BpeTrainOptions options;
  const auto message = [&] { return message_of([&] { train_bpe(words, options, ctx); }); };
  using Catch::Matchers::ContainsSubstring;
  options.vocab_size = 255;
  CHECK_THAT(message(), ContainsSubstring("expected at least 256"));
  options.vocab_size = 300;
  options.specials = {"a"};
  CHECK_THAT(message(), ContainsSubstring("two or more bytes"));
  options.specials = {"<s>", "<s>"};
  CHECK_THAT(message(), ContainsSubstring("twice"));
  options.specials = {"\xFF\xFE"};
  CHECK_THAT(message(), ContainsSubstring("UTF-8"));
  CHECK(parse_bpe_ties("sp") == BpeTies::kSp);
  CHECK_THROWS_AS(parse_bpe_ties("no"), Error);
  options.specials.clear();
  const LocalContext stopped;
  stopped->stop->request();
  CHECK_THROWS_AS(train_bpe(words, options, stopped), Error);
}

TEST_CASE("BPE training refuses to grow over the memory budget and gives its memory back",
          "[text]") {
  std::string text;
  for (const auto& [word, count] : random_words(1, 20000, 26, 12))
    text += word + " ";
  const std::vector<std::string_view> documents = {text};
  const LocalContext small(1, 1 << 20);
  CHECK_THAT(message_of([&] {
               WordCounter counter(pattern_splitter(PatternId::kR50k), 4096, small);
               counter.add(documents);
             }),
             Catch::Matchers::ContainsSubstring("distinct pretokens"));
  CHECK(small->memory->used() == 0);
  const LocalContext large;
  {
    WordCounter counter(pattern_splitter(PatternId::kR50k), 4096, large);
    counter.add(documents);
    const WordCounts words = counter.finish();
    CHECK(large->memory->used() > 0);
    CHECK_THROWS_AS(train_bpe(words, {}, small), Error);
    CHECK(small->memory->used() == 0);
  }
  CHECK(large->memory->used() == 0);
}

}  // namespace lm::text
