// What drafters guess, against slow versions of them.

#include <algorithm>
#include <cmath>
#include <map>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "decode/draft_aded.h"
#include "decode/draft_ngram.h"
#include "decode/draft_ngram_model.h"
#include "decode/draft_suffix.h"
#include "ngram/image_writer.h"
#include "ngram_of_texts.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::vector<i32> random_text(u64 seed, u64 size, u64 letters) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<i32> out;
  for (u64 i = 0; i < size; ++i)
    out.push_back(static_cast<i32>(random.below(i, letters)));
  return out;
}

/// Parents before children, at most `most`, siblings different, chances falling.
void check_tree(const DraftTree& tree, i64 most) {
  REQUIRE(isize(tree) <= most);
  for (i64 i = 0; i < isize(tree); ++i) {
    const DraftNode& node = tree[usize(i)];
    REQUIRE(node.parent < i);
    REQUIRE(node.parent >= -1);
    REQUIRE(child_of(tree, node.parent, node.token) == i);
    REQUIRE(node.chance <= (node.parent < 0 ? 1.0001f : tree[usize(node.parent)].chance * 1.0001f));
    REQUIRE(node.chance > 0);
  }
}

bool same(const DraftTree& a, const DraftTree& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.token == y.token && x.parent == y.parent && x.chance == y.chance;
  });
}

std::vector<i32> path(const DraftTree& tree) {
  DraftTree chain = tree;
  keep_chain(chain);
  std::vector<i32> out;
  for (const DraftNode& node : chain)
    out.push_back(node.token);
  return out;
}

/// The first tokens of the likeliest path.
std::vector<i32> path_of(const DraftTree& tree, i64 tokens) {
  std::vector<i32> out = path(tree);
  out.resize(usize(std::min(tokens, isize(out))));
  return out;
}

/// How often each token follows `end` in a text.
std::map<i32, i64> followers(std::span<const i32> in, std::span<const i32> end) {
  std::map<i32, i64> out;
  for (std::size_t i = 0; i + end.size() < in.size(); ++i)
    if (std::equal(end.begin(), end.end(), in.begin() + static_cast<i64>(i)))
      ++out[in[i + end.size()]];
  return out;
}

}  // namespace

TEST_CASE("the automaton finds the longest end that stood before", "[decode]") {
  for (u64 seed = 0; seed < 60; ++seed) {
    const std::vector<i32> all = random_text(seed, 120, 2 + seed % 4);
    SuffixAutomaton automaton;
    for (std::size_t n = 0; n < all.size(); ++n) {
      automaton.add(all[n]);
      const std::span<const i32> so_far(all.data(), n + 1);
      i64 longest = 0;
      for (std::size_t size = 1; size <= n; ++size)
        if (!followers(so_far.first(n), so_far.last(size)).empty() ||
            std::equal(so_far.end() - static_cast<i64>(size), so_far.end(),
                       so_far.begin() + static_cast<i64>(n - size)))
          longest = static_cast<i64>(size);
      REQUIRE(automaton.repeated().length == longest);
    }
  }
}

TEST_CASE("the automaton follows another text through several", "[decode]") {
  for (u64 seed = 0; seed < 40; ++seed) {
    std::vector<std::vector<i32>> texts;
    SuffixAutomaton automaton;
    SuffixAutomaton::Match match;
    const std::vector<i32> read = random_text(seed + 1000, 150, 3);
    for (std::size_t n = 0; n < read.size(); ++n) {
      if (n % 30 == 0) {  // the list grows while a text is matched
        texts.push_back(random_text(seed * 10 + n, 40, 3));
        automaton.separate();
        for (const i32 token : texts.back())
          automaton.add(token);
      }
      const std::span<const i32> so_far(read.data(), n + 1);
      const i64 before = match.length;
      match = automaton.follow(match, read[n]);
      i64 longest = 0;
      for (std::size_t size = 1; size <= n + 1; ++size) {
        const std::span<const i32> end = so_far.last(size);
        bool found = false;
        for (const std::vector<i32>& one : texts)
          found = found || std::search(one.begin(), one.end(), end.begin(), end.end()) != one.end();
        if (found) longest = static_cast<i64>(size);
      }
      // A match that was cut short before a text came stays so.
      REQUIRE(match.length <= longest);
      if (n < 30) REQUIRE(match.length == longest);
      REQUIRE(match.length <= before + 1);
    }
  }
}

TEST_CASE("a suffix drafter continues what it has seen", "[decode]") {
  SuffixDrafter own;
  DraftTree out;
  const std::vector<i32> once = {1, 2, 3, 4, 5, 6, 1, 2, 3};
  own.propose(once, 8, out);
  check_tree(out, 8);
  CHECK(path(out) == std::vector<i32>{4, 5, 6, 1, 2, 3});  // twice as far as it agrees
  SuffixDrafter periodic;
  out.clear();
  periodic.propose(std::vector<i32>{7, 8, 7, 8, 7, 8}, 6, out);
  CHECK(path(out) == std::vector<i32>{7, 8, 7, 8, 7, 8});
  const std::shared_ptr<SuffixAutomaton> earlier = std::make_shared<SuffixAutomaton>();
  SuffixDrafter writer(earlier);
  writer.finish(once);
  SuffixDrafter reader(earlier);
  out.clear();
  const std::vector<i32> begin = {9, 2, 3};
  reader.propose(begin, 8, out);
  CHECK(path(out) == std::vector<i32>{4, 5, 6, 1});
  out.clear();
  SuffixDrafter stranger;
  stranger.propose(begin, 8, out);
  CHECK(out.empty());
}

TEST_CASE("counts of n-grams are those of the text", "[decode]") {
  const std::vector<i32> all = random_text(7, 400, 5);
  NgramCounts counts;
  counts.add(all);
  for (std::size_t n = 4; n < all.size(); n += 7) {
    for (i64 size = 1; size <= NgramCounts::kLongest; ++size) {
      const std::span<const i32> context(all.data(), n);
      const std::map<i32, i64> expected = followers(all, context.last(usize(size)));
      const NgramCounts::Row* const row = counts.find(context, size);
      REQUIRE(row != nullptr);
      std::map<i32, i64> got;
      i64 total = 0;
      for (const auto& [token, count] : row->counts) {
        got[token] = count;
        total += count;
      }
      CHECK(got == expected);
      CHECK(row->total == total);
    }
  }
  CHECK(counts.find(std::vector<i32>{77}, 1) == nullptr);
  CHECK(counts.find(std::vector<i32>{1}, 2) == nullptr);
}

TEST_CASE("an n-gram tree holds the likeliest guesses, and learns from other texts", "[decode]") {
  NgramTree own;
  DraftTree out;
  own.propose(std::vector<i32>{1, 2, 3, 7, 1, 2, 4, 8, 1, 2, 3, 9, 1, 2}, 6, out);
  check_tree(out, 6);
  REQUIRE(!out.empty());
  CHECK(out[0].token == 3);          // twice of three times behind 1 2
  CHECK(child_of(out, -1, 4) >= 0);  // the other one too
  CHECK(child_of(out, 0, 7) >= 0);
  for (u64 seed = 0; seed < 30; ++seed) {
    const std::vector<i32> history = random_text(seed, 90, 2 + seed % 5);
    NgramTree a;
    NgramTree b;
    DraftTree first;
    DraftTree second;
    a.propose(history, 16, first);
    b.propose(std::span(history).first(40), 16, second);  // in two steps
    second.clear();
    b.propose(history, 16, second);
    check_tree(first, 16);
    CHECK(same(first, second));
  }
  const std::shared_ptr<NgramCounts> earlier = std::make_shared<NgramCounts>();
  NgramTree writer(earlier);
  writer.finish(std::vector<i32>{5, 6, 7, 8});
  NgramTree reader(earlier);
  out.clear();
  reader.propose(std::vector<i32>{6}, 4, out);
  CHECK(path(out) == std::vector<i32>{7, 8});
}

TEST_CASE("trigram weights grow by steps up to three and keep the heaviest twelve", "[decode]") {
  TrigramMatrix matrix;
  CHECK(matrix.find(1, 2) == nullptr);
  matrix.index(std::vector<i32>{1, 2, 3, 1, 2, 4, 1, 2, 3});
  const TrigramMatrix::Row& row = *matrix.find(1, 2);
  CHECK(row == TrigramMatrix::Row{{3, 2.0f / 3}, {4, 1.0f / 3}});
  CHECK(*matrix.find(3, 1) == TrigramMatrix::Row{{2, 1}});
  matrix.raise(1, 2, 4, 0.5f);
  CHECK(row[0].first == 4);
  for (int i = 0; i < 100; ++i)
    matrix.raise(1, 2, 4, 0.04f);
  CHECK(row[0].second == 3);
  for (i32 token = 100; token < 120; ++token)
    matrix.raise(1, 2, token, 0.04f);
  CHECK(row.size() == 12);
  CHECK(row[0].first == 4);
  CHECK(row[1].first == 3);
  CHECK(row[2].first == 100);   // of equal ones the smaller first
  CHECK(row[11].first == 119);  // what is written now stands before what was lightest
  std::vector<i32> many;        // thirteen successors, the smaller twice
  for (i32 token = 0; token < 13; ++token)
    for (i32 i = 0; i < 1 + (token < 6 ? 1 : 0); ++i)
      many.insert(many.end(), {50, 51, 60 + token});
  TrigramMatrix pruned;
  pruned.index(many);
  REQUIRE(pruned.find(50, 51)->size() == 12);
  for (std::size_t i = 0; i < 12; ++i)
    CHECK((*pruned.find(50, 51))[i].first == 60 + static_cast<i32>(i));
}

TEST_CASE("the published matrix sees the last sixteen tokens, again at every step", "[decode]") {
  AdedOptions published;
  published.prompt = false;
  const std::shared_ptr<TrigramMatrix> matrix = std::make_shared<TrigramMatrix>();
  Aded drafter(published, matrix);
  DraftTree out;
  // Six tokens: (1,2)->3 twice, (2,3)->1 once in a step, (3,1)->2 once.
  const std::vector<i32> six = {1, 2, 3, 1, 2, 3};
  drafter.propose(six, 64, out);
  CHECK(matrix->find(1, 2)->front().second == Approx(0.08f));
  CHECK(matrix->find(2, 3)->front().second == Approx(0.04f));
  CHECK(matrix->find(3, 1)->front().second == Approx(0.04f));
  out.clear();
  drafter.propose(six, 64, out);
  CHECK(matrix->find(1, 2)->front().second == Approx(0.16f));
  check_tree(out, 64);
  CHECK(path(out) == std::vector<i32>{1, 2, 3, 1});  // three pairs behind the text's, and one token
  // What is further back is not seen, but by the corrected form.
  std::vector<i32> far = {70, 71, 72};
  const std::vector<i32> filler = random_text(3, 20, 5);
  far.insert(far.end(), filler.begin(), filler.end());
  far.insert(far.end(), {70, 71});
  Aded blind(published);
  out.clear();
  blind.propose(far, 64, out);
  CHECK(out.empty());
  Aded sighted;
  sighted.propose(far, 64, out);
  REQUIRE(!out.empty());
  CHECK(out[0].token == 72);
}

TEST_CASE("the tree search is the same at every run and within its bounds", "[decode]") {
  for (u64 seed = 0; seed < 20; ++seed) {
    const std::vector<i32> history = random_text(seed, 300, 3 + seed % 9);
    AdedOptions options;
    options.prompt = seed % 2 == 0;
    Aded first(options);
    Aded second(options);
    for (std::size_t n = 200; n < history.size(); n += 11) {
      DraftTree a;
      DraftTree b;
      first.propose(std::span(history).first(n), 64, a);
      second.propose(std::span(history).first(n), 64, b);
      check_tree(a, 64);
      CHECK(same(a, b));
      DraftTree few;
      Aded third(options);
      third.propose(std::span(history).first(n), 3, few);
      check_tree(few, 3);
      std::vector<i64> depth;
      for (const DraftNode& node : a)
        depth.push_back(node.parent < 0 ? 1 : depth[usize(node.parent)] + 1);
      for (const i64 d : depth)
        CHECK(d <= 4);
    }
  }
}

TEST_CASE("an n-gram model guesses the tokens that it holds likeliest", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(dir.path().string());
  const auto encoded = [&](std::string_view of) {
    const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
    std::vector<i32> ids;
    tokenizer->encode(of, *state, ids);
    return ids;
  };
  const LocalContext ctx;
  const std::string path = (dir.path() / "m.arpa").string();
  std::vector<std::vector<i32>> texts;
  for (int i = 0; i < 6; ++i)
    texts.push_back(encoded(i % 3 == 2 ? "the cat ran" : "the cat sat in the hat"));
  std::ofstream(path) << test::arpa_of_texts(ctx, *tokenizer, texts);
  const std::shared_ptr<TokenNgrams> model = std::make_shared<TokenNgrams>(ctx, path);
  model->set_tokens(*tokenizer);
  NgramModelDrafter drafter(model);
  DraftTree out;
  std::vector<i32> history = {test::kTinyBos};
  drafter.propose(history, 12, out);
  check_tree(out, 12);
  const std::vector<i32> expected = encoded("the cat sat");
  const std::vector<i32> got = path_of(out, isize(expected));
  CHECK(got == expected);
  // A tree: after "the cat " both goes on.
  for (const i32 token : encoded("the cat "))
    history.push_back(token);
  out.clear();
  drafter.propose(history, 12, out);
  check_tree(out, 12);
  CHECK(child_of(out, -1, 's') >= 0);
  CHECK(child_of(out, -1, 'r') >= 0);
  // The same in two steps as at once, and each chance is the product of the model's.
  NgramModelDrafter fresh(model);
  DraftTree again;
  fresh.propose(history, 12, again);
  CHECK(same(out, again));
  ngram::Model plain = ngram::Model::load(ctx, path);
  for (i64 i = 0; i < isize(out); ++i) {
    std::vector<i32> way;
    for (i64 j = i; j >= 0; j = out[usize(j)].parent)
      way.push_back(out[usize(j)].token);
    std::reverse(way.begin(), way.end());
    ngram::State state = plain.begin_sentence();
    f64 log10_p = 0;
    for (std::size_t j = 1; j < history.size() + way.size(); ++j) {
      const i32 token = j < history.size() ? history[j] : way[j - history.size()];
      const f32 p = plain.score_word(
          state, plain.find(ngram::spell_piece(tokenizer->token_bytes(token))), state);
      if (j >= history.size()) log10_p += static_cast<f64>(p);
    }
    CHECK(static_cast<f64>(out[usize(i)].chance) == Approx(std::pow(10, log10_p)).epsilon(1e-4));
  }
  // Tokens that the model has not seen begin a sentence.
  out.clear();
  NgramModelDrafter other(model);
  other.propose(std::vector<i32>{test::kTinyBos, 'q'}, 4, out);
  CHECK(path_of(out, 1) == encoded("the"));
}

TEST_CASE("an n-gram model of other words is refused", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(dir.path().string());
  const LocalContext ctx;
  const auto message = [&](const std::string& path) {
    try {
      TokenNgrams(ctx, path).set_tokens(*tokenizer);
    } catch (const Error& error) {
      return std::string(error.message());
    }
    return std::string();
  };
  ngram::EstimateOptions options;
  options.order = 2;
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  const std::string arpa = test::train_arpa(ctx, {"hello there", "there you are"}, options);
  const std::string path = (dir.path() / "words.arpa").string();
  std::ofstream(path) << arpa;
  CHECK(message(path) == cat(path, ": none of its words is a token of the model"));
  ngram::Model model = ngram::Model::load(ctx, path);
  for (const auto& [words, of] :
       {std::pair<ngram::WordKind, std::string>{ngram::WordKind::kBlanks, ""},
        {ngram::WordKind::kPieces, std::string(64, '0')}}) {
    ngram::TextForm form;
    form.words = words;
    form.tokenizer = of;
    ngram::ImageView view = model.view();
    const std::string stored = ngram::form_text(form);
    view.form = stored;
    const std::string image = (dir.path() / "m.lmng").string();
    ngram::write_image(view, image);
    CHECK(message(image).find("the model was trained on ") != std::string::npos);
  }
  // Ids in decimal need no tokenizer.
  const std::string ids = (dir.path() / "ids.arpa").string();
  std::vector<std::string> lines(12, "97 98 99");
  lines.resize(15, "97 98 100");
  std::ofstream(ids) << test::train_arpa(ctx, lines, options);
  ngram::Model of_ids = ngram::Model::load(ctx, ids);
  ngram::TextForm form;
  form.words = ngram::WordKind::kIds;
  ngram::ImageView view = of_ids.view();
  const std::string stored = ngram::form_text(form);
  view.form = stored;
  const std::string image = (dir.path() / "ids.lmng").string();
  ngram::write_image(view, image);
  const std::shared_ptr<TokenNgrams> tokens = std::make_shared<TokenNgrams>(ctx, image);
  tokens->set_tokens(*tokenizer);
  NgramModelDrafter drafter(tokens);
  DraftTree out;
  drafter.propose(std::vector<i32>{'a'}, 4, out);
  CHECK(path_of(out, 2) == std::vector<i32>{'b', 'c'});
}
