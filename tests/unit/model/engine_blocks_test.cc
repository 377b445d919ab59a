// The inference engine on texts that a model of block diffusion reads.

#include "catch.h"
#include "cpu/backend.h"
#include "model/build.h"
#include "model/engine.h"
#include "unit/model/engine_rows.h"
#include "unit/model/reference.h"

using namespace lm;
using namespace lm::model;
using test::copy;
using test::Logits;
using test::mutual;
using test::random_tokens;
using test::same_bits;

namespace {

/// Logits of both halves of a text for block diffusion, the noisy half first.
Logits both_halves(const Model& model, std::span<const i32> noisy, std::span<const i32> clean,
                   i64 block) {
  const i64 n = isize(clean);
  Graph graph(ops());
  GraphModel whole(graph, model.cfg, *model.params, {});
  const Value ids = graph.input("tokens", {2 * n}, DType::kI32);
  const Value at = graph.input("positions", {2 * n}, DType::kI32);
  const Value seen = graph.input("spans", {2 * n, kSpanInts}, DType::kI32);
  const Value logit = lm::logits(graph, whole.hidden(ids, at, seen), whole.head(), model.cfg.vocab);
  graph.keep(logit);
  Executor executor(graph, cpu_backend());
  whole.bind(executor, model.weights);
  std::vector<i32> tokens(noisy.begin(), noisy.end()), positions;
  tokens.insert(tokens.end(), clean.begin(), clean.end());
  std::vector<RowSpan> spans;
  for (i64 i = 0; i < 2 * n; ++i) {
    positions.push_back(static_cast<i32>(i % n));
    spans.push_back(i < n ? noisy_span(0, n, i, block, n) : clean_span(n, i - n, block, n));
  }
  executor.bind(ids, make_tensor(tokens.data(), {2 * n}, DType::kI32));
  executor.bind(at, make_tensor(positions.data(), {2 * n}, DType::kI32));
  executor.bind(seen, span_tensor(spans));
  executor.run({});
  const f32* const out = executor.tensor(logit).f32_data();
  Logits rows;
  for (i64 i = 0; i < 2 * n; ++i)
    rows.emplace_back(out + i * model.cfg.vocab, out + (i + 1) * model.cfg.vocab);
  return rows;
}

}  // namespace

TEST_CASE("block diffusion: decoding gives the bits of both halves of training", "[model]") {
  for (const i64 block : {1, 7, 16, 300, 400}) {
    CAPTURE(block);
    const Model model = test::scaled_model(
        "family=llama,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=700", 8.0f);
    constexpr i64 kTokens = 300;  // more than an attention tile, the last block is short
    const std::vector<i32> clean = random_tokens(kTokens, 31);
    const std::vector<i32> noisy = random_tokens(kTokens, 32);
    const Logits expected = both_halves(model, noisy, clean, block);
    Engine engine(model, {.max_rows = 400, .max_logit_rows = 400});
    const i32 seq = engine.create();
    for (i64 begin = 0; begin < kTokens; begin += block) {
      const i64 count = std::min(block, kTokens - begin);
      for (const bool last : {false, true}) {  // the noisy block is seen, the clean one kept
        engine.eval(
            mutual(seq, std::span(last ? clean : noisy).subspan(usize(begin), usize(count))));
        for (i64 i = 0; i < count; ++i)
          REQUIRE(
              same_bits(copy(engine.logits(i)), expected[usize((last ? kTokens : 0) + begin + i)]));
      }
      engine.commit(seq);
    }
    // The same clean blocks in one call.
    std::vector<EvalRow> rows = mutual(engine.create(), clean);
    for (i64 i = 0; i < kTokens; ++i)
      rows[usize(i)].until = static_cast<i32>((i / block + 1) * block);
    engine.eval(rows);
    for (i64 i = 0; i < kTokens; ++i)
      REQUIRE(same_bits(copy(engine.logits(i)), expected[usize(kTokens + i)]));
  }
}

TEST_CASE("block diffusion: a noisy token sees earlier clean blocks and its own noisy one",
          "[model]") {
  // Weights of attention that are far from zero: a change of any key is seen.
  const Model model =
      test::scaled_model("family=llama,layers=1,width=24,heads=3,vocab=50,context=100", 2.0f);
  const std::vector<i32> clean = random_tokens(12, 33), noisy = random_tokens(12, 34);
  const Logits plain = both_halves(model, noisy, clean, 4);
  for (i64 changed = 0; changed < 24; ++changed) {
    std::vector<i32> a = noisy, b = clean;
    i32& token = changed < 12 ? a[usize(changed)] : b[usize(changed - 12)];
    token = (token + 1) % 50;
    const Logits other = both_halves(model, a, b, 4);
    for (i64 row = 0; row < 24; ++row) {
      CAPTURE(changed, row);
      const bool of_noisy = row < 12, by_noisy = changed < 12;
      const i64 q = row % 12 / 4, k = changed % 12 / 4;
      const bool sees = of_noisy ? (by_noisy ? q == k : k < q) : !by_noisy && k <= q;
      CHECK(same_bits(plain[usize(row)], other[usize(row)]) != sees);
    }
  }
}
