#include "decode/draft.h"

#include "../../tiny_model.h"
#include "catch.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "decode/draft_aded.h"
#include "decode/draft_ngram.h"
#include "decode/draft_ngram_model.h"
#include "decode/draft_suffix.h"
#include "decode/generate.h"
#include "ngram_of_texts.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::vector<i32> guess(PromptLookup& lookup, const std::vector<i32>& history, i64 most = 3) {
  DraftTree tree;
  lookup.propose(history, most, tree);
  CHECK(is_chain(tree));
  std::vector<i32> out;
  for (const DraftNode& node : tree)
    out.push_back(node.token);
  return out;
}

/// Guesses what a plain run drew, but for every `wrong`-th token (0: none; 1: all of them).
class Oracle : public Drafter {
 public:
  Oracle(const std::vector<std::vector<i32>>* texts, i64 wrong) : texts_(texts), wrong_(wrong) {}
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override {
    for (const std::vector<i32>& text : *texts_) {
      if (isize(text) < isize(history) || !std::equal(history.begin(), history.end(), text.begin()))
        continue;
      for (i64 i = isize(history); i < isize(text) && isize(out) < most; ++i)
        out.push_back({wrong_ > 0 && i % wrong_ == 0 ? (text[usize(i)] + 1) % 256 : text[usize(i)],
                       static_cast<i32>(isize(out) - 1), 1});
      return;
    }
  }

 private:
  const std::vector<std::vector<i32>>* texts_;
  i64 wrong_;
};

/// What a plain run drew as one path of a tree whose other nodes are made up.
class Forest : public Drafter {
 public:
  explicit Forest(const std::vector<std::vector<i32>>* texts) : texts_(texts) {}
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override {
    const std::vector<i32>* whole = nullptr;
    for (const std::vector<i32>& text : *texts_)
      if (isize(text) >= isize(history) && std::equal(history.begin(), history.end(), text.begin()))
        whole = &text;
    i64 at = isize(history);
    i32 tip = -1;  // of the right path
    while (isize(out) < most) {
      const u64 pick = mix64(draws_++);
      i32 parent = static_cast<i32>(pick % static_cast<u64>(isize(out) + 1)) - 1;
      i32 token = static_cast<i32>(pick >> 32 & 255);
      const bool right = whole != nullptr && at < isize(*whole) && (pick >> 40) % 2 == 0;
      if (right) {
        parent = tip;
        token = (*whole)[usize(at)];
      }
      i64 found = child_of(out, parent, token);
      if (found < 0) {
        out.push_back({token, parent, 1});
        found = isize(out) - 1;
      }
      if (!right) continue;
      tip = static_cast<i32>(found);
      ++at;
    }
  }

 private:
  const std::vector<std::vector<i32>>* texts_;
  u64 draws_ = 0;
};

struct Run {
  std::vector<Generated> results;
  GenerateStats stats;
};

Run run(const model::Model& model, const text::Tokenizer& tokenizer,
        const std::vector<GenerateRequest>& requests, i64 batch, i64 chunk,
        std::function<std::unique_ptr<Drafter>(const DraftSubject&)> drafter) {
  model::EngineOptions engine_options;
  engine_options.max_rows = std::max(batch, chunk);
  engine_options.max_logit_rows = 8;  // some passes are cut inside a draft
  engine_options.cache_tokens = 17 * 96;
  model::Engine engine(model, engine_options);
  GenerateOptions options{batch, chunk, model.cfg.end_ids};
  options.drafter = std::move(drafter);
  options.draft_auto = false;  // what is checked does not depend on the clock
  Generator generator(engine, tokenizer, options);
  for (const GenerateRequest& request : requests)
    generator.add(request);
  Run out;
  while (generator.step()) {
    while (std::optional<Generated> done = generator.take())
      out.results.push_back(std::move(*done));
  }
  while (std::optional<Generated> done = generator.take())
    out.results.push_back(std::move(*done));
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  out.stats = generator.stats();
  return out;
}

bool same(const Completion& a, const Completion& b) {
  return a.text == b.text && a.tokens == b.tokens && a.logprobs == b.logprobs && a.top == b.top &&
         a.finish_reason == b.finish_reason;
}

std::vector<GenerateRequest> requests() {
  std::vector<GenerateRequest> out;
  for (i64 i = 0; i < 16; ++i) {
    GenerateRequest r;
    r.id = cat("r", i);
    r.prompt = {test::kTinyBos, static_cast<i32>('a' + i % 3), 'b', 'c', 'a', 'b'};
    r.params.max_tokens = 1 + i * 4;  // the last ones reach the context
    r.params.n = 1 + i % 3;
    r.logprobs = i % 2 == 0;
    r.top_logprobs = i % 4;
    r.processed = i % 5 == 0;
    if (i % 4 == 0) r.params.temperature = 0;
    if (i % 4 == 1) r.params.top_k = 5;
    if (i % 4 == 2) r.params.repetition_penalty = 1.3;
    if (i % 4 == 3) r.params.logit_bias = {{'b', 4}, {'c', 4}};
    if (i % 5 == 2) r.params.stop = {"cb", "bc"};
    if (i % 5 == 3) r.params.loop_size = 2;
    out.push_back(r);
  }
  return out;
}

}  // namespace

TEST_CASE("prompt lookup continues the most recent place of the longest suffix", "[decode]") {
  PromptLookup lookup;
  CHECK(guess(lookup, {1}).empty());
  CHECK(guess(lookup, {1, 2, 3}).empty());
  CHECK(guess(lookup, {1, 2, 3, 1}) == std::vector<i32>{2, 3, 1});
  CHECK(guess(lookup, {1, 2, 3, 1, 9, 1}) == std::vector<i32>{9, 1, 9});  // the later place, round
  CHECK(guess(lookup, {1, 2, 3, 1, 9, 1, 2}) == std::vector<i32>{3, 1, 9});  // two tokens
  CHECK(guess(lookup, {1, 2, 3, 1, 9, 1, 2, 3}, 1) == std::vector<i32>{1});
  PromptLookup same_tokens;
  CHECK(guess(same_tokens, {5, 5, 5, 5}) == std::vector<i32>{5, 5, 5});
}

TEST_CASE("guesses form a tree", "[decode]") {
  //   -1 - 5 - 6 - 7
  //     \ 9   \ 8
  const DraftTree tree = {{5, -1, 1}, {6, 0, 1}, {9, -1, 1}, {7, 1, 1}, {8, 0, 1}};
  CHECK(!is_chain(tree));
  CHECK(is_chain(std::span(tree).first(2)));
  CHECK(is_chain({}));
  CHECK(child_of(tree, -1, 9) == 2);
  CHECK(child_of(tree, 0, 8) == 4);
  CHECK(child_of(tree, 0, 7) == -1);
  CHECK(child_of({}, -1, 0) == -1);
  CHECK(draft_ancestors(tree, 0) == 0b1);
  CHECK(draft_ancestors(tree, 2) == 0b1);
  CHECK(draft_ancestors(tree, 3) == 0b111);
  CHECK(draft_ancestors(tree, 4) == 0b11);
  DraftTree known = tree;
  drop_unknown(known, 9);
  REQUIRE(isize(known) == 4);
  CHECK(child_of(known, -1, 9) == -1);
  CHECK(child_of(known, 1, 7) == 2);
  known[0].token = -1;
  drop_unknown(known, 9);
  CHECK(known.empty());
  DraftTree path = tree;
  path[4].chance = 0.5f;
  keep_chain(path);
  CHECK(is_chain(path));
  REQUIRE(isize(path) == 3);
  CHECK(path[2].token == 7);
}

TEST_CASE("a drafted text is the plain one, whatever is guessed", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(dir.path().string(), options);
  const model::Model model = test::make_tiny_model();
  const std::vector<GenerateRequest> all = requests();
  const Run plain = run(model, *tokenizer, all, 16, 512, nullptr);
  CHECK(plain.stats.draft_rows == 0);
  std::vector<std::vector<i32>> texts;  // as the drafters know them
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const Completion& c : plain.results[i].completions) {
      texts.push_back(tokens_of(all[i].prompt));
      texts.back().insert(texts.back().end(), c.tokens.begin(), c.tokens.end());
    }
  }
  const auto oracle = [&](i64 wrong) {
    return [&texts, wrong](const DraftSubject&) { return std::make_unique<Oracle>(&texts, wrong); };
  };
  const model::Model other = test::make_tiny_model(2);
  model::Engine small(other);
  model::Engine twin(model);
  const LocalContext ctx;
  const std::string ngrams_path = (dir.path() / "m.arpa").string();
  std::ofstream(ngrams_path) << test::arpa_of_texts(ctx, *tokenizer, texts);
  const std::shared_ptr<TokenNgrams> ngrams = std::make_shared<TokenNgrams>(ctx, ngrams_path);
  ngrams->set_tokens(*tokenizer);
  const std::vector<std::function<std::unique_ptr<Drafter>(const DraftSubject&)>> drafters = {
      [](const DraftSubject&) { return std::make_unique<PromptLookup>(); }, oracle(0), oracle(1),
      oracle(3), [&](const DraftSubject&) { return std::make_unique<Forest>(&texts); },
      [](const DraftSubject&) { return std::make_unique<NgramTree>(); },
      [](const DraftSubject&) { return std::make_unique<Aded>(); },
      [](const DraftSubject&) { return std::make_unique<SuffixDrafter>(); },
      // A smaller model: here one that is half right, and the model itself.
      [&](const DraftSubject& subject) { return std::make_unique<ModelDrafter>(small, subject); },
      [&](const DraftSubject& subject) { return std::make_unique<ModelDrafter>(twin, subject); },
      [&](const DraftSubject&) { return std::make_unique<NgramModelDrafter>(ngrams); }};
  for (std::size_t d = 0; d < drafters.size(); ++d) {
    for (const auto& [batch, chunk] : {std::pair<i64, i64>{1, 64}, {4, 16}, {16, 512}}) {
      for (const int threads : {1, 2}) {
        CAPTURE(d, batch, chunk, threads);
        set_threads(threads);
        const Run drafted = run(model, *tokenizer, all, batch, chunk, drafters[d]);
        REQUIRE(drafted.results.size() == plain.results.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
          REQUIRE(drafted.results[i].completions.size() == plain.results[i].completions.size());
          for (std::size_t s = 0; s < plain.results[i].completions.size(); ++s)
            REQUIRE(same(drafted.results[i].completions[s], plain.results[i].completions[s]));
        }
        CHECK(drafted.stats.drawn_tokens == plain.stats.drawn_tokens);
        if (d == 1) CHECK(drafted.stats.draft_tokens > drafted.stats.drawn_tokens / 2);
        if (d == 2) CHECK(drafted.stats.draft_tokens == 0);
        if (d == 9) CHECK(drafted.stats.draft_tokens > drafted.stats.drawn_tokens / 2);
        if (d == 10) CHECK(drafted.stats.draft_tokens > drafted.stats.drawn_tokens / 4);
        if (d == 4) CHECK(drafted.stats.draft_tokens > drafted.stats.drawn_tokens / 4);
        if (d == 1 && batch == 1) {  // passes are saved
          const Run alone = run(model, *tokenizer, all, 1, 64, nullptr);
          CHECK(drafted.stats.steps < alone.stats.steps / 2);
        }
      }
    }
  }
  set_threads(1);
}
