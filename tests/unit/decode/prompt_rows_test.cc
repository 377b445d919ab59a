// Prompts whose rows have positions of their own and do not all see each other.

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "decode/generate.h"
#include "decode/score.h"
#include "unit/model/reference.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::vector<i32> letters(i64 n, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<i32> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 256)));
  return out;
}

/// A head, segments that stand side by side and do not see each other, and a tail that sees all.
std::vector<PromptRow> side_by_side(const std::vector<std::vector<i32>>& segments, i64 head,
                                    i64 tail) {
  std::vector<PromptRow> out = prompt_rows(letters(head, 1));
  out[0] = test::kTinyBos;
  i32 longest = 0;
  for (const std::vector<i32>& segment : segments) {
    const i32 begin = static_cast<i32>(out.size());
    for (const i32 token : segment) {
      PromptRow& row = out.emplace_back(token);
      row.position = static_cast<i32>(head + isize(out) - 1 - begin);
      row.hole_begin = static_cast<i32>(head);
      row.hole_end = begin;
    }
    longest = std::max(longest, static_cast<i32>(segment.size()));
  }
  const std::vector<i32> last = letters(tail, 2);
  out.insert(out.end(), last.begin(), last.end());
  if (tail > 0) out[usize(isize(out) - tail)].position = static_cast<i32>(head) + longest;
  return out;
}

const std::vector<std::vector<i32>> kSegments = {{1, 2, 3, 4, 5}, {9, 8}, {7, 7, 3, 200, 31, 4}};

/// Log-probabilities of the tokens from the second on, under the rows' own masks, in double
/// precision.
std::vector<f64> slow(const model::Model& model, std::vector<PromptRow> rows) {
  set_positions(rows, 0, 0);
  std::vector<i32> positions;
  std::vector<RowSpan> spans;
  for (i32 i = 0; i < isize(rows); ++i) {
    const PromptRow& row = rows[usize(i)];
    positions.push_back(row.position);
    spans.push_back({0, row.hole_begin, row.hole_end, i + 1, 0, row.hole_begin});
  }
  const std::vector<i32> tokens = tokens_of(rows);
  const std::vector<std::vector<f64>> all = test::slow_logprobs(model, tokens, positions, spans);
  std::vector<f64> out;
  for (i64 i = 1; i < isize(rows); ++i)
    out.push_back(all[usize(i - 1)][usize(tokens[usize(i)])]);
  return out;
}

void check_close(std::span<const f32> got, std::span<const f64> expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(static_cast<f64>(got[i]) == Approx(expected[i]).epsilon(1e-3).margin(1e-3));
}

struct Tiny {
  Tiny() {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
  }
  test::TempDir dir;
  std::unique_ptr<text::Tokenizer> tokenizer;
  model::Model model = test::make_tiny_model();
};

std::vector<Generated> generate(const Tiny& tiny, const std::vector<GenerateRequest>& requests,
                                i64 batch = 16, i64 chunk = 512, bool drafts = false) {
  model::EngineOptions size;
  size.max_rows = std::max(batch, chunk);
  size.cache_tokens = 17 * 96;
  model::Engine engine(tiny.model, size);
  GenerateOptions options{batch, chunk, tiny.model.cfg.end_ids};
  if (drafts)
    options.drafter = [](const DraftSubject&) { return std::make_unique<PromptLookup>(); };
  Generator generator(engine, *tiny.tokenizer, options);
  for (const GenerateRequest& request : requests)
    generator.add(request);
  std::vector<Generated> out;
  for (bool more = true; more;) {
    more = generator.step();
    while (std::optional<Generated> done = generator.take())
      out.push_back(std::move(*done));
  }
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  return out;
}

GenerateRequest request(std::vector<PromptRow> prompt) {
  GenerateRequest r;
  r.id = "r";
  r.prompt = std::move(prompt);
  r.params.n = 3;
  r.params.max_tokens = 20;
  r.params.logit_bias = {{7, 3}, {9, 3}};  // texts repeat themselves: drafts are right at times
  r.logprobs = true;
  r.prompt_logprobs = true;
  return r;
}

bool same(const Generated& a, const Generated& b) {
  if (a.prompt_logprobs != b.prompt_logprobs || a.completions.size() != b.completions.size())
    return false;
  for (std::size_t i = 0; i < a.completions.size(); ++i) {
    const Completion& x = a.completions[i];
    const Completion& y = b.completions[i];
    if (x.text != y.text || x.tokens != y.tokens || x.logprobs != y.logprobs ||
        x.finish_reason != y.finish_reason)
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a prompt with holes is read and continued under its exact mask", "[decode]") {
  const Tiny tiny;
  for (const i64 tail : {5, 1}) {
    const GenerateRequest r = request(side_by_side(kSegments, 4, tail));
    const Generated expected = generate(tiny, {r})[0];
    check_close(expected.prompt_logprobs, slow(tiny.model, r.prompt));
    for (const Completion& c : expected.completions) {
      std::vector<PromptRow> whole = r.prompt;
      whole.insert(whole.end(), c.tokens.begin(), c.tokens.end());
      const std::vector<f64> all = slow(tiny.model, whole);
      check_close(c.logprobs, std::span(all).subspan(r.prompt.size() - 1));
    }
    for (const auto& [batch, chunk] : {std::pair<i64, i64>{1, 3}, {2, 7}, {16, 512}}) {
      for (const bool drafts : {false, true}) {
        CAPTURE(tail, batch, chunk, drafts);
        CHECK(same(generate(tiny, {r, r}, batch, chunk, drafts)[1], expected));
      }
    }
  }
}

TEST_CASE("rows with the positions of plain tokens are plain tokens", "[decode]") {
  const Tiny tiny;
  const GenerateRequest plain = request(prompt_rows(letters(20, 5)));
  GenerateRequest numbered = plain;
  for (i32 i = 0; i < 20; ++i)
    numbered.prompt[usize(i)].position = i;
  const std::vector<Generated> got = generate(tiny, {plain, numbered});
  CHECK(same(got[0], got[1]));
}

TEST_CASE("branches behind rows with holes score under their exact mask", "[decode]") {
  const Tiny tiny;
  std::vector<PromptRow> rows = side_by_side(kSegments, 4, 7);
  for (const i64 cut : {2, 8, 17, 21}) {  // in the head, in a segment, before the tail, in it
    ScoreRequest request;
    request.prefix.assign(rows.begin(), rows.begin() + cut);
    request.branches.resize(2);
    request.branches[0].rows.assign(rows.begin() + cut, rows.end());
    request.branches[1].rows = prompt_rows(letters(3, 8));
    std::vector<f32> first;
    for (const i64 chunk : {3, 512}) {
      CAPTURE(cut, chunk);
      model::Engine engine(tiny.model, {.max_rows = chunk, .cache_tokens = 17 * 96});
      TokenScorer scorer(engine, {4, chunk});
      scorer.add(request);
      while (scorer.step()) {
      }
      const std::vector<BranchScore> got = *scorer.take();
      const std::vector<f64> expected = slow(tiny.model, rows);
      check_close(got[0].logprobs, std::span(expected).subspan(usize(cut - 1)));
      if (!first.empty()) CHECK(got[0].logprobs == first);
      first = got[0].logprobs;
    }
  }
}

TEST_CASE("positions count against the context, and so do rows", "[decode]") {
  const Tiny tiny;  // a context of 64
  GenerateRequest far = request(prompt_rows(letters(4, 1)));
  far.prompt[3].position = 60;
  far.params.max_tokens = 30;
  far.params.ignore_eos = true;
  GenerateRequest beyond = far;
  beyond.prompt[3].position = 64;
  GenerateRequest full = far;
  full.prompt[3].position = 63;
  GenerateRequest dense = far;  // 62 rows at 32 positions
  dense.prompt = prompt_rows(letters(62, 1));
  for (i32 i = 0; i < 62; ++i)
    dense.prompt[usize(i)].position = i / 2;
  const std::vector<Generated> got = generate(tiny, {far, beyond, full, dense});
  CHECK(got[0].completions[0].tokens.size() == 3);
  CHECK(got[0].completions[0].finish_reason == "context");
  REQUIRE(got[1].fault);
  CHECK(got[1].fault->code == "context");
  CHECK(got[1].fault->detail == "the prompt has position 64, the model's context 64");
  CHECK(got[2].completions[0].tokens.empty());
  CHECK(got[2].completions[0].finish_reason == "context");
  CHECK(got[3].completions[0].tokens.size() == 2);
  std::vector<PromptRow> ahead = prompt_rows(letters(4, 1));
  ahead[1].hole_end = 2;  // itself
  CHECK_THROWS_AS(set_positions(ahead, 0, 0), Error);
}
