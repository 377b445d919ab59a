// Prefix linear attention: the operator by its definition, the engine by the graph of a batch.

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "model/build.h"
#include "model/engine.h"
#include "model/layer.h"
#include "unit/model/engine_rows.h"

using namespace lm;
using namespace lm::model;
using test::chain;
using test::copy;
using test::Logits;
using test::random_tokens;
using test::same_bits;

namespace {

constexpr LinearAttentionAttr kHeads = {2, 4, 5};

/// Rows of queries or keys (8 numbers), or values (10), drawn.
std::vector<f32> drawn(i64 rows, i64 cols, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<f32> out;
  for (i64 i = 0; i < rows * cols; ++i)
    out.push_back(static_cast<f32>(random.uniform(static_cast<u64>(i)) * 4 - 2));
  return out;
}

/// What the operator is given: rows of one text.
struct Rows {
  i64 count = 0;
  std::vector<f32> q, k, v, prefix_k, prefix_v;
  explicit Rows(i64 n)
      : count(n),
        q(drawn(n, 8, 1)),
        k(drawn(n, 8, 2)),
        v(drawn(n, 10, 3)),
        prefix_k(drawn(n, 8, 4)),
        prefix_v(drawn(n, 10, 5)) {}
};

/// The operator over the rows, `before` rows of no text in front and as many behind; prefix -1:
/// without one at all.
std::vector<f32> attended(Rows rows, i64 prefix, i64 before = 0) {
  const i64 n = rows.count + 2 * before;
  Graph graph(ops());
  Executor* executor = nullptr;
  std::vector<std::pair<Value, std::vector<f32>>> data;
  const auto input = [&](const char* name, std::vector<f32> numbers, i64 cols) {
    std::vector<f32> all(usize(n * cols), 7.0f);
    std::copy(numbers.begin(), numbers.end(), all.begin() + before * cols);
    data.emplace_back(graph.input(name, {n, cols}), std::move(all));
    return data.back().first;
  };
  LinearAttentionInputs in;
  in.q = input("q", rows.q, 8);
  in.k = input("k", rows.k, 8);
  in.v = input("v", rows.v, 10);
  std::vector<i32> ends(usize(n), static_cast<i32>(before + std::max<i64>(0, prefix)));
  std::vector<RowSpan> spans(usize(n), RowSpan{});
  for (i64 i = before; i < before + rows.count; ++i)
    spans[usize(i)] = {static_cast<i32>(before), static_cast<i32>(i + 1), 0, 0, 0, 0};
  if (prefix >= 0) {
    in.prefix_k = input("prefix_k", rows.prefix_k, 8);
    in.prefix_v = input("prefix_v", rows.prefix_v, 10);
    in.prefix_end = graph.input("ends", {n}, DType::kI32);
  }
  const Value seen = graph.input("spans", {n, kSpanInts}, DType::kI32);
  const Value y = linear_attention(graph, in, seen, kHeads);
  graph.keep(y);
  Executor run(graph, cpu_backend());
  executor = &run;
  for (auto& [value, numbers] : data)
    executor->bind(value, make_tensor(numbers.data(), graph.shape(value)));
  executor->bind(seen, span_tensor(spans));
  if (in.prefix_end) executor->bind(in.prefix_end, make_tensor(ends.data(), {n}, DType::kI32));
  executor->run({});
  const f32* const out = executor->tensor(y).f32_data();
  for (i64 i = 0; i < before * 10; ++i)
    CHECK(out[i] == 0.0f);
  return {out + before * 10, out + (before + rows.count) * 10};
}

f64 distance(std::span<const f32> a, std::span<const f32> b) {
  f64 most = a.size() == b.size() ? 0 : 1e9;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(static_cast<f64>(a[i]) - static_cast<f64>(b[i])));
  return most;
}

const char* const kPure =
    "family=based,layers=2,width=24,heads=3,ffn=40,vocab=50,context=700,mixers=pla:4";
const char* const kMixed =
    "family=based,layers=4,width=24,heads=3,ffn=40,vocab=50,context=700,mixers=conv:3@0,pla:4@1,"
    "window:19@2,linear:3@3";

/// Logits of texts of a batch whose first prefixes[t] tokens are a prefix.
std::vector<f32> batch_logits(const Model& model, std::vector<i32> tokens,
                              const std::vector<i64>& lengths, const std::vector<i64>& prefixes) {
  const i64 n = isize(tokens);
  Graph graph(ops());
  GraphModel whole(graph, model.cfg, *model.params, {});
  const Value ids = graph.input("tokens", {n}, DType::kI32);
  const Value positions = graph.input("positions", {n}, DType::kI32);
  const Value spans = graph.input("spans", {n, kSpanInts}, DType::kI32);
  const Value ends = graph.input("ends", {n}, DType::kI32);
  whole.use_prefixes(ends);
  const Value logit =
      lm::logits(graph, whole.hidden(ids, positions, spans), whole.head(), model.cfg.vocab);
  graph.keep(logit);
  Executor executor(graph, cpu_backend());
  whole.bind(executor, model.weights);
  PackedRows rows = causal_rows(lengths, n);
  std::vector<i32> end_rows;
  i64 first = 0;
  for (std::size_t t = 0; t < lengths.size(); ++t) {
    end_rows.insert(end_rows.end(), usize(lengths[t]), static_cast<i32>(first + prefixes[t]));
    first += lengths[t];
  }
  end_rows.resize(usize(n));
  executor.bind(ids, make_tensor(tokens.data(), {n}, DType::kI32));
  executor.bind(positions, make_tensor(rows.positions.data(), {n}, DType::kI32));
  executor.bind(spans, span_tensor(rows.spans));
  executor.bind(ends, make_tensor(end_rows.data(), {n}, DType::kI32));
  executor.run({});
  const f32* const out = executor.tensor(logit).f32_data();
  return {out, out + n * model.cfg.vocab};
}

std::vector<EvalRow> with_prefix(i32 seq, std::span<const i32> tokens, i64 prefix) {
  std::vector<EvalRow> rows = chain(seq, tokens);
  for (i64 i = 0; i < prefix; ++i)
    rows[usize(i)].prefix = true;
  return rows;
}

/// Logits of a text by the engine: its prefix in one call, then `step` tokens at a time.
Logits engine_logits(const Model& model, std::span<const i32> tokens, i64 prefix, i64 step,
                     const EngineOptions& options = {}) {
  Engine engine(model, options);
  const i32 seq = engine.create();
  Logits out;
  for (i64 begin = 0; begin < isize(tokens);) {
    const i64 count =
        std::min(begin == 0 && prefix > 0 ? std::max(prefix, step) : step, isize(tokens) - begin);
    engine.eval(
        with_prefix(seq, tokens.subspan(usize(begin), usize(count)), begin == 0 ? prefix : 0));
    for (i64 i = 0; i < count; ++i)
      out.push_back(copy(engine.logits(i)));
    engine.commit(seq);
    begin += count;
  }
  return out;
}

}  // namespace

TEST_CASE("a prefix of no rows is none", "[model]") {
  const Rows rows(23);
  CHECK(same_bits(attended(rows, 0), attended(rows, -1)));
}

TEST_CASE("with the projections of the text a prefix counts twice behind itself", "[model]") {
  // The same as a text that has the prefix twice: it is read twice.
  constexpr i64 kPrefix = 9;
  Rows rows(23);
  rows.prefix_k = rows.k;
  rows.prefix_v = rows.v;
  Rows twice(23 + kPrefix);
  const auto repeat = [](const std::vector<f32>& x, i64 cols) {
    std::vector<f32> out(x.begin(), x.begin() + kPrefix * cols);
    out.insert(out.end(), x.begin(), x.end());
    return out;
  };
  twice.q = repeat(rows.q, 8);
  twice.k = repeat(rows.k, 8);
  twice.v = repeat(rows.v, 10);
  const std::vector<f32> prefixed = attended(rows, kPrefix);
  const std::vector<f32> repeated = attended(twice, -1);
  CHECK(distance(std::span(prefixed), std::span(repeated).subspan(kPrefix * 10)) < 1e-5);
}

TEST_CASE("the order of a prefix's further keys does not matter", "[model]") {
  constexpr i64 kPrefix = 9;
  const Rows rows(23);
  Rows turned = rows;
  for (i64 i = 0; i < kPrefix; ++i) {
    std::copy_n(rows.prefix_k.begin() + i * 8, 8, turned.prefix_k.begin() + (kPrefix - 1 - i) * 8);
    std::copy_n(rows.prefix_v.begin() + i * 10, 10,
                turned.prefix_v.begin() + (kPrefix - 1 - i) * 10);
  }
  CHECK(distance(attended(rows, kPrefix), attended(turned, kPrefix)) < 1e-5);
  CHECK(distance(attended(rows, kPrefix), attended(turned, kPrefix - 1)) > 1e-3);
}

TEST_CASE("rows of no text change nothing, nor do further keys behind the prefix", "[model]") {
  const Rows rows(23);
  CHECK(same_bits(attended(rows, 9), attended(rows, 9, 6)));
  Rows other = rows;
  std::fill(other.prefix_k.begin() + 9 * 8, other.prefix_k.end(), 3.0f);
  std::fill(other.prefix_v.begin() + 9 * 10, other.prefix_v.end(), 3.0f);
  CHECK(same_bits(attended(rows, 9), attended(other, 9)));
}

TEST_CASE("a prefix read in one call and a text read on give the bits of a batch", "[model]") {
  for (const char* const shape : {kPure, kMixed}) {
    CAPTURE(shape);
    const Model model = test::scaled_model(shape, 8.0f);
    const std::vector<i32> tokens = random_tokens(120, 3);
    for (const i64 prefix : {0, 1, 50, 120}) {
      CAPTURE(prefix);
      const std::vector<f32> expected = batch_logits(model, tokens, {120}, {prefix});
      for (const i64 step : {1, 13, 120}) {
        CAPTURE(step);
        EngineOptions options;
        options.max_rows = step == 13 ? 16 : 512;  // less than the prefix: one pass all the same
        options.max_logit_rows = step == 13 ? 5 : 64;
        const Logits got = engine_logits(model, tokens, prefix, step, options);
        for (i64 i = 0; i < 120; ++i)
          REQUIRE(same_bits(got[usize(i)], std::vector<f32>(expected.begin() + i * 50,
                                                            expected.begin() + (i + 1) * 50)));
      }
    }
  }
}

TEST_CASE("a prefix is its text's own, in a batch and in the engine's passes", "[model]") {
  const Model model = test::scaled_model(kMixed, 8.0f);
  const std::vector<i32> tokens = random_tokens(120, 4);
  const std::span<const i32> all(tokens);
  const std::vector<f32> batch = batch_logits(model, tokens, {70, 50}, {30, 0});
  const Logits first = engine_logits(model, all.first(70), 30, 70);
  const Logits second = engine_logits(model, all.subspan(70), 0, 50);
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    EngineOptions options;
    options.max_rows = 40;
    Engine engine(model, options);
    const i32 a = engine.create();
    const i32 b = engine.create();
    std::vector<EvalRow> rows = with_prefix(a, all.first(70), 30);
    const std::vector<EvalRow> others = chain(b, all.subspan(70));
    rows.insert(rows.begin() + 40, others.begin(), others.begin() + 20);  // runs of both take turns
    rows.insert(rows.end(), others.begin() + 20, others.end());
    engine.eval(rows);
    i64 of_a = 0;
    i64 of_b = 0;
    for (i64 i = 0; i < isize(rows); ++i) {
      const bool is_a = rows[usize(i)].seq == a;
      const i64 at = is_a ? of_a++ : of_b++;
      REQUIRE(same_bits(copy(engine.logits(i)), is_a ? first[usize(at)] : second[usize(at)]));
      const auto from = batch.begin() + (is_a ? at : 70 + at) * 50;
      REQUIRE(same_bits(copy(engine.logits(i)), std::vector<f32>(from, from + 50)));
    }
    engine.commit(a);
    const i32 fork = engine.fork(a);
    const std::vector<f32> once = copy(engine.step(a, 7));
    CHECK(same_bits(copy(engine.step(fork, 7)), once));
  }
  set_threads(1);
}

TEST_CASE("without a prefix a model is the one of plain linear attention", "[model]") {
  const Model model = test::scaled_model(kPure, 8.0f);
  std::string plain = kPure;
  plain.replace(plain.find("pla:4"), 5, "linear:4");
  Model other = test::scaled_model(plain, 8.0f);
  for (i32 i = 0; i < other.params->set.size(); ++i) {
    const i32 from = model.params->set.find(other.params->set[i].name);
    REQUIRE(from >= 0);
    const Tensor a = model.weights[from];
    std::copy_n(a.f32_data(), a.count(), other.weights[i].f32_data());
  }
  const std::vector<i32> tokens = random_tokens(60, 5);
  const Logits expected = engine_logits(other, tokens, 0, 7);
  const Logits got = engine_logits(model, tokens, 0, 7);
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(same_bits(got[i], expected[i]));
  CHECK_FALSE(same_bits(engine_logits(model, tokens, 20, 7)[59], expected[59]));
}

TEST_CASE("rows see what is behind them inside the prefix alone", "[model]") {
  for (const char* const shape : {kPure, kMixed}) {
    CAPTURE(shape);
    const Model model = test::scaled_model(shape, 8.0f);
    const std::vector<i32> tokens = random_tokens(60, 6);
    const Logits before = engine_logits(model, tokens, 30, 60);
    const auto changed = [&](i64 at) {
      std::vector<i32> other = tokens;
      other[usize(at)] = (other[usize(at)] + 1) % 50;
      return engine_logits(model, other, 30, 60);
    };
    const Logits behind = changed(40);
    for (i64 i = 0; i < 60; ++i)
      CHECK(same_bits(behind[usize(i)], before[usize(i)]) == (i < 40));
    const Logits inside = changed(20);
    for (i64 i = 0; i < 60; ++i)
      CHECK_FALSE(same_bits(inside[usize(i)], before[usize(i)]));
  }
}

TEST_CASE("prefixes that are none are refused", "[model]") {
  const Model model = test::scaled_model(kMixed, 1.0f);
  CHECK(reads_prefixes(model.cfg));
  const std::vector<i32> tokens = random_tokens(10, 7);
  const auto refused = [&](const Model& of,
                           const std::function<void(std::vector<EvalRow>&)>& change) {
    Engine engine(of);
    std::vector<EvalRow> rows = chain(engine.create(), tokens);
    change(rows);
    CHECK_THROWS_WITH(engine.eval(rows), Catch::Matchers::ContainsSubstring("a prefix is what"));
  };
  refused(model, [](std::vector<EvalRow>& rows) { rows[1].prefix = true; });
  refused(model, [](std::vector<EvalRow>& rows) { rows[0].prefix = rows[2].prefix = true; });
  const Model plain = test::scaled_model("llama-nano,vocab=50", 1.0f);
  CHECK_FALSE(reads_prefixes(plain.cfg));
  refused(plain, [](std::vector<EvalRow>& rows) { rows[0].prefix = true; });
  Engine engine(model);
  const i32 seq = engine.create();
  engine.eval(chain(seq, tokens));
  engine.commit(seq);
  std::vector<EvalRow> later = chain(seq, tokens);
  later[0].prefix = true;
  CHECK_THROWS_WITH(engine.eval(later), Catch::Matchers::ContainsSubstring("a prefix is what"));
  EngineOptions narrow;
  narrow.max_rows = 4;
  narrow.span_bytes = 100;
  Engine small(model, narrow);
  CHECK_THROWS_WITH(small.eval(with_prefix(small.create(), tokens, 8)),
                    Catch::Matchers::ContainsSubstring("needs"));
}

TEST_CASE("what prefix linear attention takes", "[model]") {
  const ModelCfg cfg = make_config(parse_shape(kPure));
  const LayerCfg& layer = cfg.layers[0];
  CHECK(describe(std::get<LinearAttentionCfg>(layer.mixer)) ==
        "prefix linear attention of 3 x 4 to 8");
  // States as of plain linear attention: 3 heads of 15 features times 8 values and a sum.
  CHECK(state_numbers(cfg) == 2 * 3 * 15 * 9);
  std::string plain = kPure;
  plain.replace(plain.find("pla:4"), 5, "linear:4");
  const ModelCfg other = make_config(parse_shape(plain));
  // Further keys and values are a matrix of 24 x 3 (4 + 8), and a state's worth of sums.
  CHECK(layer_flops(layer, 24, 64) - layer_flops(other.layers[0], 24, 64) ==
        6 * (24 * 3 * 12) + 6 * 3 * 15 * 9);
  const auto numbers = [](const ModelCfg& of) {
    const ModelParams params = make_params(of);
    i64 sum = 0;
    for (i32 i = 0; i < params.set.size(); ++i)
      sum += params.set[i].count;
    return sum;
  };
  CHECK(numbers(cfg) - numbers(other) == 2 * 24 * 3 * 12);
}
