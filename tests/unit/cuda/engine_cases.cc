#include "unit/cuda/engine_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "catch.h"
#include "model/engine.h"
#include "unit/model/engine_rows.h"

namespace lm::test {

using namespace model;

namespace {

const char* const kShapes[] = {
    "family=gpt2,layers=2,width=24,heads=3,vocab=50,context=300",
    "family=llama,layers=2,width=32,heads=4,kv_heads=2,ffn=40,vocab=50,context=300",
};

Model make(const std::string& shape) {
  return test::scaled_model(shape, 4.0f);
}

EngineOptions options_of(DType activation = DType::kF32) {
  EngineOptions options;
  options.max_rows = 40;
  options.max_logit_rows = 16;
  options.cache_tokens = 1200;
  options.activation = activation;
  return options;
}

i32 likeliest(std::span<const f32> logits) {
  return static_cast<i32>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Largest difference relative to the largest logit.
f64 distance(std::span<const f32> a, std::span<const f32> b) {
  REQUIRE(a.size() == b.size());
  f64 worst = 0;
  f64 top = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const f64 d = std::abs(static_cast<f64>(a[i]) - static_cast<f64>(b[i]));
    worst = d <= worst ? worst : d;
    top = std::max(top, std::abs(static_cast<f64>(b[i])));
  }
  return worst / top;
}

/// The same calls on two engines, with equal sequence handles; compares the logits of every eval.
class Both {
 public:
  Both(const Model& model, const Backend& backend, f64 tolerance, DType activation = DType::kF32)
      : device_(model, options_of(activation), backend),
        cpu_(model, options_of()),
        most_(tolerance) {}

  i32 create() {
    const i32 seq = device_.create();
    REQUIRE(cpu_.create() == seq);
    return seq;
  }
  i32 fork(i32 seq) {
    const i32 copy = device_.fork(seq);
    REQUIRE(cpu_.fork(seq) == copy);
    return copy;
  }
  void release(i32 seq) {
    device_.release(seq);
    cpu_.release(seq);
  }
  void truncate(i32 seq, i64 n) {
    REQUIRE(device_.truncate(seq, n));
    REQUIRE(cpu_.truncate(seq, n));
  }
  void commit(i32 seq, std::span<const i32> rows) {
    device_.commit(seq, rows);
    cpu_.commit(seq, rows);
  }
  void commit(i32 seq) {
    device_.commit(seq);
    cpu_.commit(seq);
  }
  void eval(const std::vector<EvalRow>& rows) {
    device_.eval(rows);
    cpu_.eval(rows);
    for (i64 i = 0; i < isize(rows); ++i) {
      INFO("row " << i);
      if (rows[usize(i)].want_logits) REQUIRE(distance(device_.logits(i), cpu_.logits(i)) <= most_);
      if (rows[usize(i)].want_hidden) REQUIRE(distance(device_.hidden(i), cpu_.hidden(i)) <= most_);
    }
  }
  /// Both decode `count` tokens from the CPU's last choice; tokens must be equal.
  void greedy(i32 seq, i32 token, i64 count) {
    for (i64 i = 0; i < count; ++i) {
      eval(chain(seq, {&token, 1}));
      const i32 next = likeliest(cpu_.logits(0));
      REQUIRE(likeliest(device_.logits(0)) == next);
      commit(seq);
      token = next;
    }
  }
  Engine& device() { return device_; }

 private:
  Engine device_;
  Engine cpu_;
  f64 most_;
};

void check_calls(Both& both) {
  const std::vector<i32> prompt = random_tokens(90, 5);
  const i32 seq = both.create();
  std::vector<EvalRow> rows = chain(seq, prompt);
  rows[89].want_hidden = true;
  both.eval(rows);  // three passes
  both.commit(seq);
  both.greedy(seq, 7, 4);
  // Two forks and a fresh sequence in one batch; the forks share a page with a tail.
  const i32 a = both.fork(seq);
  const i32 b = both.fork(seq);
  const i32 fresh = both.create();
  for (i64 step = 0; step < 3; ++step) {
    const std::vector<i32> tokens = random_tokens(3, 60 + static_cast<u64>(step));
    rows.clear();
    for (const auto& [of, token] : {std::pair{a, tokens[0]}, {fresh, tokens[1]}, {b, tokens[2]}})
      rows.push_back(chain(of, {&token, 1})[0]);
    both.eval(rows);
    for (const i32 of : {a, b, fresh})
      both.commit(of);
  }
  // A tree of drafts behind one, then a branch of it kept.
  const std::vector<i32> drafts = random_tokens(6, 6);
  rows = chain(a, drafts);
  const std::vector<u64> ancestors = {0, 1, 3, 1, 9, 3};
  const std::vector<i32> depth = {0, 1, 2, 1, 2, 2};
  const i64 length = both.device().length(a);
  for (u64 i = 0; i < 6; ++i) {
    rows[i].see = EvalRow::See::kTree;
    rows[i].ancestors = ancestors[i];
    rows[i].position = static_cast<i32>(length) + depth[i];
  }
  rows.push_back(chain(b, {drafts.data(), 1})[0]);
  both.eval(rows);
  const std::vector<i32> keep = {0, 3, 4};
  both.commit(a, keep);
  both.commit(b);
  both.greedy(a, 3, 3);
  // A hole, and rows that see their whole span.
  rows = chain(seq, random_tokens(5, 8));
  for (EvalRow& row : rows) {
    row.hole_begin = 20;
    row.hole_end = 39;
  }
  both.eval(rows);
  for (const i64 n : {7, 50}) {  // the longer one takes a pass of its own size, logits in slices
    rows = chain(b, random_tokens(n, 9));
    for (EvalRow& row : rows)
      row.see = EvalRow::See::kAll;
    rows[5].want_hidden = true;
    both.eval(rows);
  }
  both.truncate(seq, 30);
  both.release(a);
  both.greedy(seq, 11, 3);
  both.greedy(b, 4, 2);
}

}  // namespace

void check_engine_values(const Backend& backend) {
  for (const char* const shape : kShapes) {
    INFO(shape);
    Model model = make(shape);
    Both both(model, backend, 1e-5);
    check_calls(both);
    for (i64 i = 0; i < model.weights.elements(); ++i)
      model.weights.data()[i] *= 0.5f;
    both.device().weights_changed();
    Both again(model, backend, 1e-5);  // the copy above read the same weights as a new one does
    const i32 one = again.create();
    again.greedy(one, 3, 2);
    const i32 two = both.device().create();
    const std::span<const f32> changed = both.device().step(two, 3);
    const i32 three = again.device().create();
    CHECK(std::ranges::equal(changed, again.device().step(three, 3)));
  }
}

void check_engine_bits(const Backend& backend) {
  for (const char* const shape : kShapes) {
    INFO(shape);
    const Model model = make(shape);
    const std::vector<i32> tokens = random_tokens(160, 1);
    EngineOptions options = options_of();
    options.max_rows = 8;  // all by the layers on a few rows
    Engine engine(model, options, backend);
    const i32 whole = engine.create();
    engine.prefill(whole, std::span(tokens).first(120));
    std::vector<std::vector<f32>> expected;
    for (const i32 token : std::span(tokens).subspan(120)) {
      const std::span<const f32> logits = engine.step(whole, token);
      expected.emplace_back(logits.begin(), logits.end());
    }
    engine.release(whole);
    const i32 seq = engine.create();
    const i32 other = engine.create();
    for (i64 begin = 0; begin < 160; begin += 5) {
      const i64 end = std::min<i64>(160, begin + 5);
      std::vector<EvalRow> rows =
          chain(seq, std::span(tokens).subspan(usize(begin), usize(end - begin)));
      rows.push_back(chain(other, {tokens.data() + begin, 1})[0]);
      engine.eval(rows);
      for (i64 i = std::max<i64>(begin, 120); i < end; ++i) {
        INFO("token " << i);
        REQUIRE(std::memcmp(engine.logits(i - begin).data(), expected[usize(i - 120)].data(),
                            50 * sizeof(f32)) == 0);
      }
      engine.commit(seq);
      engine.commit(other);
    }
  }
}

void check_engine_bf16(const Backend& backend) {
  for (const char* const shape : kShapes) {
    INFO(shape);
    Model model = make(shape);
    Engine device(model, options_of(DType::kBf16), backend);
    Engine cpu(model, options_of());
    const std::vector<i32> tokens = random_tokens(70, 2);
    const i32 seq = device.create();
    const i32 same = cpu.create();
    for (const i32 token : tokens)
      REQUIRE(distance(device.step(seq, token), cpu.step(same, token)) <= 0.1);
    std::vector<i32> first;
    for (int round = 0; round < 2; ++round) {
      const i32 of = device.create();
      std::vector<i32> out = {likeliest(device.prefill(of, tokens))};
      for (i64 i = 0; i < 6; ++i)
        out.push_back(likeliest(device.step(of, out.back())));
      if (round == 0) first = out;
      CHECK(out == first);
    }
  }
}

}  // namespace lm::test
