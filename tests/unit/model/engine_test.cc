#include "model/engine.h"

#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "model/build.h"
#include "model/state_cache.h"
#include "unit/model/engine_rows.h"
#include "unit/model/reference.h"
#include "unit/model/stiff_cache.h"

using namespace lm;
using namespace lm::model;
using test::chain;
using test::copy;
using test::Logits;
using test::mutual;
using test::random_tokens;
using test::same_bits;

namespace {

const char* const kShapes[] = {
    "family=gpt2,layers=2,width=24,heads=3,vocab=50,context=700",
    "family=llama,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=700",
    // A window within an attention tile, and one across.
    "family=mistral,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=700,window=19",
    "family=qwen3,layers=2,width=24,heads=6,kv_heads=2,head_dim=8,ffn=40,vocab=50,context=700,"
    "window=300",
};
const char* const kRecurrent = "family=qlstm,layers=2,width=24,heads=3,vocab=50,context=700";
const char* const kLstm = "family=lstm,layers=2,width=24,heads=3,vocab=50,context=700";
const char* const kHybrid =
    "family=based,layers=3,width=24,heads=3,ffn=40,vocab=50,context=700,mixers=conv:3@0,linear:4@1,"
    "window:19@2";

const char* const kSparse =
    "family=llama,layers=3,width=24,heads=6,kv_heads=3,ffn=40,vocab=50,context=700,"
    "attn=alternating,sparse=fixed:block=16,local=4,global=1,patterns=4";

const char* const kExperts[] = {
    "family=mixtral,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=700,moe=n=5",
    "family=qwen2_moe,layers=2,width=24,heads=6,kv_heads=2,ffn=20,vocab=50,context=700,"
    "moe=n=7,router=topk:3,every=2",
    "family=moe,layers=2,width=24,heads=6,kv_heads=2,ffn=20,vocab=50,context=700,"
    "moe=n=4,router=hash",
};

std::vector<const char*> attending_shapes() {
  std::vector<const char*> out(std::begin(kShapes), std::end(kShapes));
  out.push_back(kSparse);
  out.insert(out.end(), std::begin(kExperts), std::end(kExperts));
  return out;
}

std::vector<const char*> all_shapes() {
  std::vector<const char*> out = attending_shapes();
  out.push_back(kRecurrent);
  out.push_back(kLstm);
  out.push_back(kHybrid);
  return out;
}

Model make(const std::string& shape) {
  return test::scaled_model(shape, 8.0f);
}

/// Logits after every token, evaluated one by one: the reference.
Logits one_by_one(const Model& model, std::span<const i32> tokens) {
  Engine engine(model);
  const i32 seq = engine.create();
  Logits out;
  for (const i32 token : tokens)
    out.push_back(copy(engine.step(seq, token)));
  return out;
}

}  // namespace

TEST_CASE("logits do not depend on how a prompt is cut into chunks", "[model]") {
  for (const char* const shape : all_shapes()) {
    CAPTURE(shape);
    const Model model = make(shape);
    const std::vector<i32> tokens = random_tokens(600, 1);  // more than two attention tiles
    const Logits expected = one_by_one(model, tokens);
    for (const i64 size : {1000, 300, 64, 17}) {
      CAPTURE(size);
      EngineOptions options;
      options.max_rows = size == 1000 ? 600 : 100;
      options.max_logit_rows = size == 64 ? 5 : 64;
      Engine engine(model, options);
      const i32 seq = engine.create();
      for (i64 begin = 0; begin < 600; begin += size) {
        const i64 count = std::min<i64>(size, 600 - begin);
        engine.eval(chain(seq, std::span(tokens).subspan(usize(begin), usize(count))));
        for (i64 i = 0; i < count; ++i)
          REQUIRE(same_bits(copy(engine.logits(i)), expected[usize(begin + i)]));
        engine.commit(seq);
      }
    }
  }
}

TEST_CASE("logits do not depend on threads or on the other sequences of a pass", "[model]") {
  for (const char* const shape : all_shapes()) {
    CAPTURE(shape);
    const Model model = make(shape);
    std::vector<std::vector<i32>> texts;
    std::vector<Logits> expected;
    for (u64 s = 0; s < 13; ++s) {
      texts.push_back(random_tokens(5 + static_cast<i64>(7 * s % 40), 100 + s));
      expected.push_back(one_by_one(model, texts.back()));
    }
    for (const int threads : {1, 2, 7}) {
      set_threads(threads);
      Engine engine(model);
      std::vector<i32> seqs;
      for (u64 s = 0; s < texts.size(); ++s)
        seqs.push_back(engine.create());
      for (i64 step = 0; step < 50; ++step) {  // each pass: the next token of every unfinished text
        std::vector<EvalRow> rows;
        std::vector<u64> who;
        for (u64 s = 0; s < texts.size(); ++s) {
          if (step >= isize(texts[s])) continue;
          rows.push_back(chain(seqs[s], std::span(texts[s]).subspan(usize(step), 1))[0]);
          who.push_back(s);
        }
        if (rows.empty()) break;
        engine.eval(rows);
        for (i64 i = 0; i < isize(rows); ++i)
          REQUIRE(same_bits(copy(engine.logits(i)), expected[who[usize(i)]][usize(step)]));
        for (const u64 s : who)
          engine.commit(seqs[s]);
      }
    }
    set_threads(2);
  }
}

TEST_CASE("whole prompts of several sequences share a pass, in any row order", "[model]") {
  const Model model = make(GENERATE(kShapes[1], kExperts[0], kRecurrent, kLstm, kHybrid));
  const std::vector<i32> a = random_tokens(40, 1);
  const std::vector<i32> b = random_tokens(33, 2);
  const Logits expect_a = one_by_one(model, a);
  const Logits expect_b = one_by_one(model, b);
  Engine engine(model);
  const i32 first = engine.create();
  const i32 second = engine.create();
  std::vector<EvalRow> rows;
  for (u64 i = 0; i < 40; ++i) {  // interleaved
    rows.push_back(chain(first, std::span(a).subspan(i, 1))[0]);
    if (i < 33) rows.push_back(chain(second, std::span(b).subspan(i, 1))[0]);
  }
  engine.eval(rows);
  u64 at_a = 0;
  u64 at_b = 0;
  for (i64 i = 0; i < isize(rows); ++i) {
    const bool mine = rows[usize(i)].seq == first;
    REQUIRE(same_bits(copy(engine.logits(i)), mine ? expect_a[at_a] : expect_b[at_b]));
    (mine ? at_a : at_b) += 1;
  }
}

TEST_CASE("forks continue independently from a shared prompt", "[model]") {
  const Model model = make(GENERATE(kShapes[1], kExperts[1], kRecurrent, kLstm, kHybrid));
  const std::vector<i32> prompt = random_tokens(37, 3);
  Engine engine(model);
  const i32 root = engine.create();
  engine.prefill(root, prompt);
  std::vector<i32> forks;
  for (i64 i = 0; i < 5; ++i)
    forks.push_back(engine.fork(root));
  engine.release(root);
  for (u64 i = 0; i < 5; ++i) {
    std::vector<i32> whole = prompt;
    const std::vector<i32> own = random_tokens(20, 50 + i);
    whole.insert(whole.end(), own.begin(), own.end());
    const Logits expected = one_by_one(model, whole);
    for (u64 k = 0; k < 20; ++k)
      REQUIRE(same_bits(copy(engine.step(forks[i], own[k])), expected[37 + k]));
  }
}

TEST_CASE("truncated and dropped rows leave no trace", "[model]") {
  const Model model = make(kShapes[0]);
  const std::vector<i32> text = random_tokens(50, 4);
  const Logits expected = one_by_one(model, text);
  Engine engine(model);
  const i32 seq = engine.create();
  engine.prefill(seq, std::span(text).first(30));
  engine.prefill(seq, random_tokens(20, 9));
  REQUIRE(engine.truncate(seq, 30));
  engine.eval(chain(seq, random_tokens(9, 10)));  // never committed
  engine.eval(chain(seq, std::span(text).subspan(30, 12)));
  engine.commit(seq, 7);  // of twelve
  CHECK(engine.length(seq) == 37);
  const std::span<const f32> last = engine.prefill(seq, std::span(text).subspan(37));
  CHECK(same_bits(copy(last), expected.back()));
}

TEST_CASE("a tree of drafts gives every branch the bits of its own chain", "[model]") {
  for (const char* const shape : attending_shapes()) {
    CAPTURE(shape);
    const Model model = make(shape);
    const std::vector<i32> prompt = random_tokens(251, 5);  // the tree crosses an attention tile
    // Row:    0 (root) - 1 - 2 - 5
    //                  \ 3 - 4 - 6 - 7
    const std::vector<i32> parent = {-1, 0, 1, 0, 3, 2, 4, 6};
    const std::vector<i32> tokens = random_tokens(8, 6);
    Engine engine(model);
    const i32 seq = engine.create();
    engine.prefill(seq, prompt);
    std::vector<EvalRow> rows = chain(seq, tokens);
    std::vector<std::vector<i32>> path(8);
    for (u64 i = 0; i < 8; ++i) {
      rows[i].see = EvalRow::See::kTree;
      if (parent[i] >= 0) {
        const u64 p = static_cast<u64>(parent[i]);
        rows[i].ancestors = rows[p].ancestors | u64{1} << p;
        path[i] = path[p];
      }
      path[i].push_back(tokens[i]);
      rows[i].position = static_cast<i32>(250 + path[i].size());
    }
    engine.eval(rows);
    for (u64 i = 0; i < 8; ++i) {
      CAPTURE(i);
      std::vector<i32> whole = prompt;
      whole.insert(whole.end(), path[i].begin(), path[i].end());
      REQUIRE(same_bits(copy(engine.logits(static_cast<i64>(i))), one_by_one(model, whole).back()));
    }
    // Keep branch 0-3-4-6 and go on as if it had been decoded plainly.
    const std::vector<i32> keep = {0, 3, 4, 6};
    engine.commit(seq, keep);
    std::vector<i32> whole = prompt;
    whole.insert(whole.end(), path[6].begin(), path[6].end());
    whole.push_back(17);
    CHECK(same_bits(copy(engine.step(seq, 17)), one_by_one(model, whole).back()));
  }
}

TEST_CASE("a hole in the cache equals a sequence without those tokens", "[model]") {
  const Model model = make(GENERATE(kShapes[1], kShapes[2], kSparse));
  const std::vector<i32> prefix = random_tokens(20, 7);
  const std::vector<i32> other = random_tokens(19, 8);
  const std::vector<i32> own = random_tokens(12, 9);
  // Plain: prefix then own at positions 20...
  std::vector<i32> plain = prefix;
  plain.insert(plain.end(), own.begin(), own.end());
  const Logits expected = one_by_one(model, plain);
  Engine engine(model);
  const i32 seq = engine.create();
  engine.prefill(seq, prefix);
  engine.prefill(seq, other);
  std::vector<EvalRow> rows = chain(seq, own);
  for (u64 i = 0; i < rows.size(); ++i) {
    rows[i].hole_begin = 20;
    rows[i].hole_end = 39;
    rows[i].position = static_cast<i32>(20 + i);
  }
  engine.eval(rows);
  for (u64 i = 0; i < rows.size(); ++i)
    CHECK(same_bits(copy(engine.logits(static_cast<i64>(i))), expected[20 + i]));
  // The same rows beside a tree in one pass: holes then go through the key list.
  const i32 tree = engine.create();
  EvalRow lone;
  lone.seq = tree;
  lone.token = prefix[0];
  lone.see = EvalRow::See::kTree;
  lone.want_logits = true;
  rows.push_back(lone);
  engine.eval(rows);
  for (u64 i = 0; i + 1 < rows.size(); ++i)
    CHECK(same_bits(copy(engine.logits(static_cast<i64>(i))), expected[20 + i]));
  CHECK(same_bits(copy(engine.logits(static_cast<i64>(own.size()))), expected[0]));
}

namespace {

/// Against the reference in double precision.
void check_close(const std::vector<f64>& logprobs, std::span<const f32> logits) {
  f64 sum = 0;
  for (const f32 x : logits)
    sum += std::exp(static_cast<f64>(x));
  for (std::size_t v = 0; v < logits.size(); ++v)
    REQUIRE(static_cast<f64>(logits[v]) - std::log(sum) ==
            Approx(logprobs[v]).epsilon(1e-3).margin(1e-3));
}

std::vector<i32> counted(i64 n) {
  std::vector<i32> out(usize(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

TEST_CASE("rows that see their whole span equal the full forward, in one pass or beyond",
          "[model]") {
  for (const char* const shape : kShapes) {
    const Model model = make(shape);
    for (const i64 n : {21, 120, 121}) {
      CAPTURE(shape, n);
      const std::vector<i32> tokens = random_tokens(n, 12);
      const std::vector<std::vector<f64>> expected = test::slow_logprobs(
          model, tokens, counted(n),
          std::vector<RowSpan>(usize(n), RowSpan{0, static_cast<i32>(n), 0, 0, 0, 0}));
      EngineOptions options;
      options.max_rows = 200;
      options.max_logit_rows = 200;
      Engine whole(model, options);  // one pass, all logits in its graph
      std::vector<EvalRow> rows = mutual(whole.create(), tokens);
      rows[4].want_hidden = true;
      whole.eval(rows);
      const std::vector<f32> hidden = copy(whole.hidden(4));
      Logits logits;
      for (i64 i = 0; i < n; ++i) {
        logits.push_back(copy(whole.logits(i)));
        check_close(expected[usize(i)], logits.back());
      }
      whole.commit(0);
      const std::vector<f32> behind = copy(whole.step(0, 9));
      options.max_rows = 40;  // a third of the longest spans
      for (const i64 logit_rows : {1, 7, 40, 200}) {
        CAPTURE(logit_rows);
        options.max_logit_rows = logit_rows;
        Engine engine(model, options);
        const i32 seq = engine.create();
        rows = mutual(seq, tokens);
        rows[3].want_logits = false;
        rows[4].want_hidden = true;
        for (int round = 0; round < 2; ++round) {
          engine.eval(rows);
          for (i64 i = 0; i < n; ++i)
            if (i != 3) REQUIRE(same_bits(copy(engine.logits(i)), logits[usize(i)]));
          CHECK(same_bits(copy(engine.hidden(4)), hidden));
        }
        engine.commit(seq);  // and decoding goes on behind it
        CHECK(same_bits(copy(engine.step(seq, 9)), behind));
      }
    }
  }
}

TEST_CASE("whole spans share calls with chains, whatever has to be one pass", "[model]") {
  const Model model = make(kShapes[1]);
  EngineOptions options;
  options.max_rows = 16;
  options.max_logit_rows = 5;
  Engine engine(model, options);
  std::vector<i32> seqs;
  std::vector<std::vector<i32>> texts;
  std::vector<std::vector<EvalRow>> alone;
  for (u64 s = 0; s < 5; ++s) {  // chains of 3, 19, 7; spans of 33 and 9
    const i64 n = std::vector<i64>{3, 33, 19, 9, 7}[s];
    seqs.push_back(engine.create());
    texts.push_back(random_tokens(n, 30 + s));
    alone.push_back(s == 1 || s == 3 ? mutual(seqs[s], texts[s]) : chain(seqs[s], texts[s]));
  }
  std::vector<std::vector<f32>> expected;
  for (u64 s = 0; s < 5; ++s) {
    engine.eval(alone[s]);
    for (i64 i = 0; i < isize(alone[s]); ++i)
      expected.push_back(copy(engine.logits(i)));
  }
  std::vector<EvalRow> rows;
  for (const std::vector<EvalRow>& part : alone)
    rows.insert(rows.end(), part.begin(), part.end());
  engine.eval(rows);
  for (i64 i = 0; i < isize(rows); ++i)
    REQUIRE(same_bits(copy(engine.logits(i)), expected[usize(i)]));
  // Spans of two sequences, row by row in turn: one pass must hold both.
  rows.clear();
  std::vector<i64> from;
  for (u64 i = 0; i < 33; ++i) {
    rows.push_back(alone[1][i]);
    from.push_back(static_cast<i64>(3 + i));
    if (i >= 9) continue;
    rows.push_back(alone[3][i]);
    from.push_back(static_cast<i64>(55 + i));
  }
  engine.eval(rows);
  for (i64 i = 0; i < isize(rows); ++i)
    REQUIRE(same_bits(copy(engine.logits(i)), expected[usize(from[usize(i)])]));
}

TEST_CASE("logits that are given away are those that are kept", "[model]") {
  const Model model = make(kShapes[1]);
  EngineOptions options;
  options.max_rows = 16;
  options.max_logit_rows = 5;
  Engine engine(model, options);
  const i32 seq = engine.create();
  const i32 spanned = engine.create();
  std::vector<EvalRow> rows = chain(seq, random_tokens(41, 5));
  for (i64 i = 0; i < 41; ++i)
    rows[usize(i)].want_logits = i % 3 != 1;
  // Seen as a whole: more logits than a pass has.
  for (EvalRow& row : mutual(spanned, random_tokens(13, 6))) {
    row.want_logits = true;
    rows.push_back(row);
  }
  engine.eval(rows);
  std::vector<i64> wanted;
  Logits expected;
  for (i64 i = 0; i < isize(rows); ++i) {
    if (!rows[usize(i)].want_logits) continue;
    wanted.push_back(i);
    expected.push_back(copy(engine.logits(i)));
  }
  std::vector<i64> given;
  Logits found;
  engine.eval(rows, [&](std::span<const i64> of, std::span<const f32> logits) {
    REQUIRE(isize(of) <= options.max_logit_rows);
    const std::size_t vocab = logits.size() / of.size();
    for (std::size_t i = 0; i < of.size(); ++i) {
      given.push_back(of[i]);
      found.push_back(copy(logits.subspan(i * vocab, vocab)));
    }
  });
  CHECK(given == wanted);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    REQUIRE(same_bits(found[i], expected[i]));
  // Nothing is left of them.
  CHECK_THROWS_AS(engine.logits(wanted[0]), Error);
}

TEST_CASE("a span that needs too large a pass is refused with the need", "[model]") {
  const Model model = make(kShapes[1]);
  EngineOptions options;
  options.max_rows = 16;
  options.span_bytes = 1 << 16;
  Engine engine(model, options);
  const i32 seq = engine.create();
  engine.prefill(seq, random_tokens(5, 1));
  engine.eval(mutual(seq, random_tokens(16, 2)));  // an ordinary pass
  try {
    engine.eval(mutual(seq, random_tokens(600, 3)));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kOs);
    CHECK(error.message().starts_with("a text of 600 tokens that see each other needs "));
    CHECK(error.message().ends_with(" for one pass, 64.0 KiB are allowed"));
  }
  CHECK(engine.length(seq) == 5);
  engine.eval(chain(seq, random_tokens(100, 3)));  // chains are cut as ever
}

TEST_CASE("holes among the rows of one call are those of a committed sequence", "[model]") {
  for (const char* const shape : kShapes) {
    CAPTURE(shape);
    const Model model = make(shape);
    const i64 n = 60;
    const std::vector<i32> tokens = random_tokens(n, 18);
    std::vector<i32> positions = counted(n);
    std::vector<RowSpan> spans;
    Engine probe(model);
    std::vector<EvalRow> rows = chain(probe.create(), tokens);
    for (i32 i = 0; i < n; ++i) {  // from row 20 on in groups of ten that do not see each other
      const i32 group = 20 + (i - 20) / 10 * 10;
      if (i >= 30 && i < 50) {
        rows[usize(i)].hole_begin = 20;
        rows[usize(i)].hole_end = group;
        positions[usize(i)] = 20 + (i - group);
        spans.push_back({0, 20, group, i + 1, 0, 20});
      } else {
        if (i >= 50) positions[usize(i)] = i - 20;
        spans.push_back({0, i + 1, 0, 0, 0, 0});
      }
      rows[usize(i)].position = positions[usize(i)];
    }
    const std::vector<std::vector<f64>> expected =
        test::slow_logprobs(model, tokens, positions, spans);
    probe.eval(rows);
    std::vector<std::vector<f32>> whole;
    for (i64 i = 0; i < n; ++i) {
      whole.push_back(copy(probe.logits(i)));
      check_close(expected[usize(i)], whole.back());
    }
    for (const i64 chunk : {1, 7, 25}) {
      CAPTURE(chunk);
      EngineOptions options;
      options.max_rows = 11;
      Engine engine(model, options);
      const i32 seq = engine.create();
      for (i64 begin = 0; begin < n; begin += chunk) {
        const i64 end = std::min(n, begin + chunk);
        std::vector<EvalRow> part(rows.begin() + begin, rows.begin() + end);
        if (begin == 35) {  // beside a tree holes go through the key list
          EvalRow lone = chain(engine.create(), std::vector<i32>{3})[0];
          lone.see = EvalRow::See::kTree;
          part.push_back(lone);
        }
        engine.eval(part);
        for (i64 i = begin; i < end; ++i)
          REQUIRE(same_bits(copy(engine.logits(i - begin)), whole[usize(i)]));
        engine.commit(seq);
      }
    }
  }
}

TEST_CASE("a memory that takes nothing back is served and its refusals are passed on", "[model]") {
  const bool own = GENERATE(false, true);
  const Model model = make(own ? kRecurrent : kShapes[1]);
  EngineOptions options;
  if (!own) options.make_cache = test::StiffCache::make;
  Engine engine(model, options);
  const std::vector<i32> text = random_tokens(30, 19);
  const Logits expected = one_by_one(model, text);
  const i32 seq = engine.create();
  engine.prefill(seq, std::span(text).first(20));
  CHECK_FALSE(engine.truncate(seq, 10));
  CHECK(engine.truncate(seq, 20));
  const auto kind_of = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  std::vector<EvalRow> rows = chain(seq, std::span(text).subspan(20, 4));
  rows[3].see = EvalRow::See::kTree;
  rows[3].ancestors = 1;
  CHECK(kind_of([&] { engine.eval(rows); }) == ErrorKind::kUsage);
  CHECK(engine.length(seq) == 20);
  rows[3].see = EvalRow::See::kPast;
  engine.eval(rows);
  CHECK(kind_of([&] { engine.commit(seq, 2); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { engine.commit(seq, std::vector<i32>{0, 2}); }) == ErrorKind::kUsage);
  CHECK(engine.length(seq) == 20);
  engine.commit(seq, 0);  // none of them
  const i32 fork = engine.fork(seq);
  for (const i32 each : {seq, fork}) {
    const std::vector<f32> last = copy(engine.prefill(each, std::span(text).subspan(20)));
    CHECK(same_bits(last, expected.back()));
  }
}

TEST_CASE("the engine gives the bits of a pass over the whole text", "[model]") {
  for (const char* const shape : all_shapes()) {
    CAPTURE(shape);
    const Model model = make(shape);
    constexpr i64 kRows = 400;
    std::vector<i32> tokens = random_tokens(kRows, 21);
    Graph graph(ops());
    GraphModel whole(graph, model.cfg, *model.params, {});
    const Value ids = graph.input("tokens", {kRows}, DType::kI32);
    const Value positions = graph.input("positions", {kRows}, DType::kI32);
    const Value spans = graph.input("spans", {kRows, kSpanInts}, DType::kI32);
    const Value hidden = whole.hidden(ids, positions, spans);
    const Value logit = lm::logits(graph, hidden, whole.head(), model.cfg.vocab);
    graph.keep(logit);
    Executor executor(graph, cpu_backend());
    whole.bind(executor, model.weights);
    PackedRows rows = causal_rows(std::vector<i64>{130, 270}, kRows);
    executor.bind(ids, make_tensor(tokens.data(), {kRows}, DType::kI32));
    executor.bind(positions, make_tensor(rows.positions.data(), {kRows}, DType::kI32));
    executor.bind(spans, span_tensor(rows.spans));
    executor.run({});
    const f32* const expected = executor.tensor(logit).f32_data();

    Engine engine(model);
    i64 at = 0;
    for (const i64 length : {130, 270}) {  // two texts of the batch
      const i32 seq = engine.create();
      for (i64 begin = 0; begin < length; begin += 37) {
        const i64 count = std::min<i64>(37, length - begin);
        engine.eval(chain(seq, std::span(tokens).subspan(usize(at + begin), usize(count))));
        for (i64 i = 0; i < count; ++i) {
          const f32* const row = expected + (at + begin + i) * 50;
          REQUIRE(same_bits(copy(engine.logits(i)), std::vector<f32>(row, row + 50)));
        }
        engine.commit(seq);
      }
      at += length;
    }
  }
}

TEST_CASE("a model with recurrent layers reads texts in order", "[model]") {
  const Model model = make(kRecurrent);
  Engine engine(model);
  const i32 seq = engine.create();
  const auto message = [&](const std::function<void(EvalRow&)>& change) {
    std::vector<EvalRow> rows = chain(seq, std::vector<i32>{1, 2, 3});
    change(rows[2]);
    try {
      engine.eval(rows);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
      return error.message();
    }
    return std::string();
  };
  CHECK(message([](EvalRow&) {}).empty());
  const auto refused = Catch::Matchers::ContainsSubstring("token by token");
  CHECK_THAT(message([](EvalRow& row) { row.see = EvalRow::See::kAll; }), refused);
  CHECK_THAT(message([](EvalRow& row) { row.hole_end = 1; }), refused);
  CHECK_THAT(message([](EvalRow& row) { row.position = 7; }), refused);
  EngineOptions options;
  options.projections = {1};
  CHECK_THROWS_AS(Engine(model, options), Error);
}

TEST_CASE("states of recurrent layers are counted in pages and shared by forks", "[model]") {
  const Model model = make(kRecurrent);
  StateCache cache(model.cfg, 5);
  CHECK(cache.page_bytes() == 2 * 24 * 4);  // layers, numbers, bytes
  CHECK(cache.pages_of(1000) == 2);
  const i32 seq = cache.create();
  CHECK(cache.pages_needed(seq, 100) == 1);
  REQUIRE(cache.reserve(seq, 100));
  CHECK(cache.pending_state(seq)[47] == 0);
  cache.pending_state(seq)[47] = 3;
  std::vector<i32> rows(100);
  std::iota(rows.begin(), rows.end(), 0);
  cache.commit(seq, rows);
  CHECK(cache.free_pages() == 4);
  const i32 fork = cache.fork(seq);
  CHECK(cache.free_pages() == 4);
  REQUIRE(cache.reserve(fork, 1));
  CHECK(cache.pending_state(fork)[47] == 3);
  cache.pending_state(fork)[47] = 5;
  cache.commit(fork, {});  // dropped
  REQUIRE(cache.reserve(fork, 1));
  CHECK(cache.pending_state(fork)[47] == 3);
  cache.commit(fork, std::vector<i32>{0});
  CHECK(cache.free_pages() == 3);
  CHECK_FALSE(cache.truncate(seq, 50));
  CHECK(cache.truncate(seq, 0));
  CHECK(cache.length(seq) == 0);
  cache.release(seq);
  CHECK(cache.free_pages() == 4);
  std::vector<i32> more;
  while (cache.free_pages() > 0) {
    more.push_back(cache.create());
    REQUIRE(cache.reserve(more.back(), 1));
  }
  CHECK(isize(more) == 4);
  CHECK_FALSE(cache.reserve(cache.create(), 1));
}

TEST_CASE("a window hides tokens, and only those before it", "[model]") {
  const Model model =
      make("family=mistral,layers=1,width=24,heads=6,kv_heads=2,vocab=50,context=100,window=7");
  std::vector<i32> text = random_tokens(30, 22);
  const std::vector<f32> last = one_by_one(model, text).back();
  std::vector<i32> other = text;
  for (i64 i = 0; i < 23; ++i)  // row 29 sees 23 to 29
    other[usize(i)] = (other[usize(i)] + 1) % 50;
  CHECK(same_bits(one_by_one(model, other).back(), last));
  other = text;
  other[23] = (other[23] + 1) % 50;
  CHECK_FALSE(same_bits(one_by_one(model, other).back(), last));
}

TEST_CASE("sparse layers refuse rows that see what is behind them", "[model]") {
  const Model model = make(kSparse);
  Engine engine(model);
  std::vector<EvalRow> rows = chain(engine.create(), std::vector<i32>{1, 2, 3});
  rows[1].see = EvalRow::See::kAll;
  CHECK_THROWS_WITH(engine.eval(rows), Catch::Matchers::ContainsSubstring("lm_sparse"));
  CHECK_THROWS_WITH(require_whole_sight(model.cfg, "blocks"),
                    "blocks need layers without sparse attention (lm_sparse in config.json)");
  CHECK_THROWS_WITH(require_whole_sight(make(kShapes[2]).cfg, "blocks"),
                    "blocks need layers without a window of attention");
  CHECK_NOTHROW(require_whole_sight(make(kShapes[0]).cfg, "blocks"));
}

TEST_CASE("hidden states are those the head reads", "[model]") {
  const Model model = make(kShapes[1]);
  Engine engine(model);
  const i32 seq = engine.create();
  std::vector<EvalRow> rows = chain(seq, random_tokens(9, 13));
  rows[4].want_hidden = true;
  rows[7].want_hidden = true;
  rows[7].want_logits = false;
  engine.eval(rows);
  const Tensor head = model.weights[model.params->set.find("head.weight")];
  for (i64 v = 0; v < 50; ++v) {
    f64 dot = 0;
    for (i64 c = 0; c < 24; ++c)
      dot += static_cast<f64>(engine.hidden(4)[usize(c)]) *
             static_cast<f64>(head.f32_data()[v * 24 + c]);
    CHECK(static_cast<f64>(engine.logits(4)[usize(v)]) == Approx(dot).epsilon(1e-4).margin(1e-4));
  }
  CHECK(engine.hidden(7).size() == 24);
  CHECK_THROWS_AS(engine.logits(7), Error);
  CHECK_THROWS_AS(engine.hidden(0), Error);
}

TEST_CASE("changed weights are seen after weights_changed", "[model]") {
  Model model = make(GENERATE(kShapes[1], kRecurrent, kLstm, kHybrid));
  Engine engine(model);
  const std::vector<i32> text = random_tokens(12, 16);
  const i32 seq = engine.create();
  const std::vector<f32> before = copy(engine.prefill(seq, text));
  for (i64 i = 0; i < model.weights.elements(); ++i)
    model.weights.data()[i] *= 0.5f;
  engine.weights_changed();
  REQUIRE(engine.truncate(seq, 0));
  const std::vector<f32> after = copy(engine.prefill(seq, text));
  CHECK_FALSE(same_bits(before, after));
  CHECK(same_bits(after, one_by_one(model, text).back()));
}

TEST_CASE("bad rows are refused and change nothing", "[model]") {
  const Model model = make(kShapes[0]);
  EngineOptions options;
  options.cache_tokens = 64;
  Engine engine(model, options);
  const i32 seq = engine.create();
  const std::vector<i32> text = random_tokens(40, 14);
  engine.prefill(seq, text);
  const auto kind_of = [&](std::vector<EvalRow> rows) {
    try {
      engine.eval(rows);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kUsage;
  };
  std::vector<EvalRow> rows = chain(seq, std::vector<i32>{1, 50});
  CHECK(kind_of(rows) == ErrorKind::kData);  // vocabulary of 50
  rows[1].token = -1;
  CHECK(kind_of(rows) == ErrorKind::kData);
  rows[1].token = 1;
  rows[1].position = 700;
  CHECK(kind_of(rows) == ErrorKind::kData);
  CHECK(kind_of(chain(seq, random_tokens(25, 15))) == ErrorKind::kOs);  // 65 tokens into 64
  rows = chain(seq, std::vector<i32>{1, 2});
  rows[0].see = EvalRow::See::kTree;
  rows[0].ancestors = 2;  // its own successor
  CHECK(kind_of(rows) == ErrorKind::kInternal);
  CHECK(engine.length(seq) == 40);
  std::vector<i32> longer = text;
  longer.push_back(5);
  CHECK(same_bits(copy(engine.step(seq, 5)), one_by_one(model, longer).back()));
  options.positions = 701;
  CHECK_THROWS_AS(Engine(model, options), Error);  // a learned table has 700
}
