#include "train/sequence_objective.h"

#include <cmath>
#include <numbers>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "cpu/backend.h"
#include "probe.h"
#include "tiny.h"
#include "train/objective_table.h"
#include "train/packed_source.h"
#include "train/state.h"

using namespace lm;
using train::Example;
using train::Examples;
using train::ObjectiveDef;
using train::ObjectiveOptions;
using train::RecordForm;

namespace {

constexpr i64 kSeqLen = 12;

ObjectiveOptions options_of(const std::string& name) {
  const ObjectiveDef& def = *train::find_objective(name);
  ObjectiveOptions out;
  out.name = name;
  out.beta = def.beta;
  out.gamma = def.gamma;
  out.lambda = def.lambda;
  return out;
}

/// The objectives over sequences, and the forms that need options.
struct Case {
  std::string name;
  ObjectiveOptions options;
};
std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (const ObjectiveDef& def : train::objectives())
    if (def.form != RecordForm::kDocuments && def.form != RecordForm::kCompletion)
      out.push_back({def.name, options_of(def.name)});
  ObjectiveOptions dpo = options_of("dpo");
  dpo.label_smoothing = 0.2f;
  out.push_back({"dpo, smoothed", dpo});
  dpo.robust = true;
  out.push_back({"dpo, robust", dpo});
  ObjectiveOptions kto = options_of("kto");
  kto.others = true;
  kto.undesirable = 1.5;
  out.push_back({"kto with mismatched completions", kto});
  ObjectiveOptions grpo = options_of("grpo");
  grpo.kl = 0.05;
  out.push_back({"grpo with a divergence", grpo});
  ObjectiveOptions hinge = options_of("hinge");
  hinge.beta = 0.01;  // on the slope
  out.push_back({"hinge, small beta", hinge});
  return out;
}

bool is_policy(const ObjectiveOptions& options) {
  return train::find_objective(options.name)->form == RecordForm::kRollout;
}

/// These, and completions with drawn embeddings, whose tables are a row's own.
std::vector<Case> cases_by_row() {
  std::vector<Case> out = all_cases();
  for (const char* const embed : {"gaussian", "semi:0.4"}) {
    ObjectiveOptions options = options_of("sft");
    options.drawn = {model::parse_embed(embed), 64, 32};
    options.label_smoothing = 0.1f;
    options.z_loss = 0.01f;
    out.push_back({cat("sft, embeddings ", embed), options});
  }
  for (const i32 end : {-1, 9}) {
    ObjectiveOptions options = options_of("llada-sft");
    options.masked.mask = 64;  // behind the records' tokens
    options.masked.end = end;
    out.push_back({end < 0 ? "llada-sft" : "llada-sft, padded", options});
  }
  return out;
}

i64 sequences_of(const ObjectiveOptions& options) {
  return train::find_objective(options.name)->form == RecordForm::kPair || options.others ? 2 : 1;
}

/// Records, and the numbers of their tokens where a policy is what learns.
struct Records {
  train::RecordStore store;
  std::vector<std::vector<f32>> scalars;
};

/// Records with prompts of 1 to 4 and completions of 1 to 5 tokens, with numbers near what a fresh
/// model of 64 tokens gives.
Records records_for(const ObjectiveOptions& options, i64 count, u64 seed = 1) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  u64 at = 0;
  const auto below = [&](u64 bound) { return static_cast<i64>(draw.below(at++, bound)); };
  const RecordForm form = train::find_objective(options.name)->form;
  const bool pair = form == RecordForm::kPair;
  const bool policy = is_policy(options);
  Records out;
  train::RecordStore& store = out.store = {sequences_of(options), policy ? 0 : 3};
  for (i64 r = 0; r < count; ++r) {
    const i64 prompt = 1 + below(4);
    std::vector<i32> tokens;
    for (i64 j = 0; j < prompt; ++j)
      tokens.push_back(static_cast<i32>(below(64)));
    std::vector<f32> scalars = {pair ? 0.25f * static_cast<f32>(below(3))
                                     : static_cast<f32>(below(form == RecordForm::kClass ? 3 : 2))};
    for (i64 q = 0; q < sequences_of(options); ++q) {
      const i64 length = 1 + below(5);
      std::vector<i32> sequence = tokens;
      for (i64 j = 0; j < length; ++j)
        sequence.push_back(static_cast<i32>(below(64)));
      std::vector<u8> loss(sequence.size(), 1);
      std::fill_n(loss.begin(), prompt, u8{0});
      store.add(sequence, loss);
      scalars.push_back(static_cast<f32>(-4.2 * static_cast<f64>(length) + draw.normal(at++)));
      // old, reference, advantage, return and old value
      std::vector<f32>& tokens_scalars = out.scalars.emplace_back();
      const f64 advantage = draw.normal(at++);
      for (i64 t = 0; policy && t < length; ++t)
        for (const f64 number : {-4.2 + 0.3 * draw.normal(at++), -4.2 + 0.3 * draw.normal(at++),
                                 advantage, draw.normal(at++), 0.5 * draw.normal(at++)})
          tokens_scalars.push_back(static_cast<f32>(number));
    }
    scalars.resize(policy ? 0 : 3);
    store.add_scalars(scalars);
  }
  return out;
}

Examples rows_of(const train::Objective& objective, Records records, i64 count, bool pack = true) {
  const i64 n = records.store.count();
  train::PackedSource source(
      std::move(records.store),
      {.seq_len = kSeqLen, .seed = 0, .shuffle = false, .pack = pack, .objective = &objective});
  Examples out;
  source.next(count, out);
  for (Example& row : out) {
    for (i64 r = row.number; row.scalars.empty() || r < row.number + isize(row.starts) + 1; ++r) {
      const std::vector<f32>& more = records.scalars[usize(r % n)];
      if (more.empty()) break;
      row.scalars.insert(row.scalars.end(), more.begin(), more.end());
    }
  }
  return out;
}

model::ModelCfg config_for(const ObjectiveOptions& options, i64 width = 32) {
  model::ModelShape shape;
  shape.family = "llama";
  shape.layers = 2;
  shape.width = width;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.ffn = 3 * width;
  const ObjectiveDef& def = *train::find_objective(options.name);
  shape.vocab = def.masked ? 65 : 64;
  shape.context = kSeqLen + 1;
  model::ModelCfg cfg = model::make_config(shape);
  cfg.init_std = 0.2;  // so that log-probabilities differ
  if (def.scores) cfg.scores = def.form == RecordForm::kClass ? 3 : 1;
  cfg.value = options.name == "ppo";
  cfg.embed = options.drawn.embed;
  return cfg;
}

struct Probe : test::Probe {
  explicit Probe(ObjectiveOptions options, i64 slots, i64 seq_len = kSeqLen, i64 width = 32)
      : test::Probe((options.drawn.width = width, train::make_objective(options)),
                    config_for(options, width), shape(slots, seq_len)) {}

  static train::TrainGraph::Options shape(i64 slots, i64 seq_len) {
    train::TrainGraph::Options out;
    out.slots = slots;
    out.seq_len = seq_len;
    out.build.trainable = true;
    return out;
  }
};

/// A pair behind a prompt of two tokens.
Example pair_of(std::vector<i32> chosen, std::vector<i32> rejected,
                std::vector<f32> scalars = {0, 0, 0}) {
  Example out;
  for (const std::vector<i32>* part : {&chosen, &rejected}) {
    if (part == &rejected) out.starts = {static_cast<i32>(out.tokens.size())};
    out.tokens.insert(out.tokens.end(), {5, 9});
    out.tokens.insert(out.tokens.end(), part->begin(), part->end());
    out.loss.insert(out.loss.end(), {0, 0});
    out.loss.insert(out.loss.end(), part->size(), 1);
  }
  out.scalars = std::move(scalars);
  return out;
}

Example labelled(std::vector<i32> completion, f32 label, f32 reference) {
  Example out;
  out.tokens = {5, 9};
  out.tokens.insert(out.tokens.end(), completion.begin(), completion.end());
  out.loss.assign(out.tokens.size(), 1);
  out.loss[0] = out.loss[1] = 0;
  out.scalars = {label, reference, 0};
  return out;
}

/// The pair with the log-probabilities that the model itself gives as reference.
Example at_reference(const ObjectiveOptions& options, Example pair) {
  Probe probe(options, 1);
  probe.run(std::span(&pair, 1));
  pair.scalars = {0, static_cast<f32>(probe.metric("chosen_logp")),
                  static_cast<f32>(probe.metric("rejected_logp"))};
  return pair;
}

std::vector<f64> gradient(const Probe& probe) {
  return {probe.grads.data(), probe.grads.data() + probe.grads.elements()};
}

f64 distance(const std::vector<f64>& a, const std::vector<f64>& b) {
  f64 difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

train::TrainOptions step_options(const ObjectiveOptions& objective, i64 batch, i64 micro) {
  train::TrainOptions out = test::tiny_options();
  out.objective = objective;
  out.seq_len = kSeqLen;
  out.batch = batch;
  out.micro_batch = micro;
  return out;
}

}  // namespace

TEST_CASE("sequences lie in rows of their own and keep their targets", "[train]") {
  const std::unique_ptr<train::Objective> dpo = train::make_objective(options_of("dpo"));
  CHECK(dpo->tokens_per_sequence(4) == 5);
  CHECK(dpo->slot_rows(4) == 8);
  CHECK(dpo->room_of(std::vector<i64>{5, 3}) == 6);
  train::RowInputs inputs(1, 8);
  const Example pair = pair_of({20, 21}, {30});
  CHECK(dpo->fill(std::span(&pair, 1), {}, inputs) == 1);
  CHECK(inputs.tokens == std::vector<i32>{5, 9, 20, 5, 9, 0, 0, 0});
  CHECK(inputs.targets == std::vector<i32>{-100, 20, 21, -100, 30, -100, -100, -100});
  CHECK(inputs.positions == std::vector<i32>{0, 1, 2, 0, 1, 0, 0, 0});
  CHECK(inputs.spans[4].a0 == 3);
  CHECK(inputs.spans[4].a1 == 5);
  CHECK(dpo->tokens_read(pair) == 5);
  // A reward model reads the last token too.
  const std::unique_ptr<train::Objective> reward = train::make_objective(options_of("reward"));
  CHECK(reward->tokens_per_sequence(4) == 4);
  CHECK(reward->room_of(std::vector<i64>{4, 3}) == 7);
  reward->fill(std::span(&pair, 1), {}, inputs);
  CHECK(inputs.tokens == std::vector<i32>{5, 9, 20, 21, 5, 9, 30, 0});
  CHECK(reward->tokens_read(pair) == 7);
}

TEST_CASE("a row takes whole records as long as they fit", "[train]") {
  const ObjectiveOptions options = options_of("dpo");
  const std::unique_ptr<train::Objective> dpo = train::make_objective(options);
  const Examples packed = rows_of(*dpo, records_for(options, 40), 6);
  i64 records = 0;
  for (const Example& row : packed) {
    CHECK((isize(row.starts) + 1) % 2 == 0);
    CHECK(isize(row.tokens) - isize(row.starts) - 1 <= dpo->slot_rows(kSeqLen));
    CHECK(isize(row.scalars) == 3 * (isize(row.starts) + 1) / 2);
    CHECK(row.number == records);
    records += (isize(row.starts) + 1) / 2;
  }
  CHECK(records > 6);
  for (const Example& row : rows_of(*dpo, records_for(options, 40), 6, false))
    CHECK(row.starts.size() == 1);
}

TEST_CASE("at the reference losses and gradients are those of the formulas", "[train]") {
  const Example pair = pair_of({20, 21, 22}, {30, 31});
  // The gradients of the two log-probabilities, from fine-tuning on one at a time.
  const auto slope = [](const std::vector<i32>& completion) {
    ObjectiveOptions sft;
    sft.name = "sft";
    Probe probe(sft, 1);
    Example one;
    one.tokens = {5, 9};
    one.tokens.insert(one.tokens.end(), completion.begin(), completion.end());
    one.loss.assign(one.tokens.size(), 1);
    one.loss[0] = one.loss[1] = 0;
    probe.run(std::span(&one, 1));
    return gradient(probe);
  };
  const std::vector<f64> chosen = slope({20, 21, 22}), rejected = slope({30, 31});
  std::vector<f64> plain, per_token;  // of the differences of log-probabilities
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    plain.push_back(rejected[i] - chosen[i]);
    per_token.push_back(rejected[i] / 2 - chosen[i] / 3);
  }
  const auto scaled = [](std::vector<f64> x, f64 by) {
    for (f64& v : x)
      v *= by;
    return x;
  };
  const auto check = [&](const ObjectiveOptions& options, f64 loss, const std::vector<f64>& grad) {
    INFO(options.name);
    Probe probe(options, 1);
    const Example same = at_reference(options, pair);
    CHECK(probe.run(std::span(&same, 1)) == Approx(loss).epsilon(1e-4));
    CHECK(distance(gradient(probe), grad) < 1e-4);
    CHECK(probe.metric("kl") == Approx(0).margin(1e-4));
  };
  const f64 beta = 0.1;
  check(options_of("dpo"), std::numbers::ln2, scaled(plain, -beta / 2));
  ObjectiveOptions smoothed = options_of("dpo");
  smoothed.label_smoothing = 0.2f;
  check(smoothed, std::numbers::ln2, scaled(plain, -beta / 2 * 0.6));
  smoothed.robust = true;
  check(smoothed, std::numbers::ln2, scaled(plain, -beta / 2 / 0.6));
  check(options_of("ipo"), 1 / (4 * beta * beta), scaled(per_token, -1 / beta));
  check(options_of("hinge"), 1, scaled(plain, -beta));
}

TEST_CASE("kto at the reference is half its weight, z is a constant", "[train]") {
  ObjectiveOptions options = options_of("kto");
  options.desirable = 1.25;
  options.undesirable = 0.75;
  for (const f32 label : {0.0f, 1.0f}) {
    Probe probe(options, 1);
    Example one = labelled({20, 21}, label, 0);
    probe.run(std::span(&one, 1));
    const char* const name = label > 0 ? "desirable_logp" : "undesirable_logp";
    one.scalars[1] = static_cast<f32>(probe.metric(name));
    const f64 weight = label > 0 ? 1.25 : 0.75;
    CHECK(probe.run(std::span(&one, 1)) == Approx(weight / 2).epsilon(1e-5));
    CHECK(probe.metric(label > 0 ? "desirable_reward" : "undesirable_reward") ==
          Approx(0).margin(1e-5));
    // Of a divergence of 3 nats: sigmoid(+-0.3); a negative one counts as 0.
    const f64 far = 1 / (1 + std::exp(label > 0 ? -0.3 : 0.3));
    CHECK(probe.run(std::span(&one, 1), 3) == Approx(weight * far).epsilon(1e-5));
    CHECK(probe.run(std::span(&one, 1), -3) == Approx(weight / 2).epsilon(1e-5));
  }
}

TEST_CASE("orpo, simpo and unlikelihood are what their formulas say", "[train]") {
  const Example pair = pair_of({20, 21, 22}, {30, 31});
  Probe simpo(options_of("simpo"), 1);
  const f64 loss = simpo.run(std::span(&pair, 1));
  const f64 mean_w = simpo.metric("chosen_logp") / 3, mean_l = simpo.metric("rejected_logp") / 2;
  CHECK(simpo.metric("reward_margin") == Approx(2 * (mean_w - mean_l)).epsilon(1e-5));
  CHECK(loss == Approx(std::log1p(std::exp(1 - 2 * (mean_w - mean_l)))).epsilon(1e-5));
  Probe orpo(options_of("orpo"), 1);
  const auto odds = [](f64 mean) { return mean - std::log(-std::expm1(mean)); };
  const f64 ratio = odds(mean_w) - odds(mean_l);
  CHECK(orpo.run(std::span(&pair, 1)) ==
        Approx(-mean_w + 0.1 * std::log1p(std::exp(-ratio))).epsilon(1e-5));
  // The same completion twice has equal odds.
  const Example equal = pair_of({20, 21}, {20, 21});
  const f64 twice = orpo.run(std::span(&equal, 1));
  CHECK(twice == Approx(-orpo.metric("chosen_logp") / 2 + 0.1 * std::numbers::ln2).epsilon(1e-5));
  // One token, bad: -alpha log(1 - p).
  ObjectiveOptions options = options_of("unlikelihood");
  options.alpha = 0.5;
  Probe unlikely(options, 1);
  const Example bad = labelled({20}, 0, 0);
  const f64 nats = unlikely.run(std::span(&bad, 1));
  CHECK(nats ==
        Approx(-0.5 * std::log(-std::expm1(-unlikely.metric("unlikely_nats")))).epsilon(1e-5));
  const Example good = labelled({20}, 1, 0);
  const f64 other = unlikely.run(std::span(&good, 1));
  CHECK(other == Approx(unlikely.metric("likely_nats")).epsilon(1e-6));
}

TEST_CASE("a classifier's loss is the label's cross entropy under scores of the last state",
          "[train]") {
  Probe probe(options_of("classify"), 2);
  const Example first = labelled({20, 21}, 2, 0);
  f64 nats = probe.run(std::span(&first, 1));
  CHECK(nats == Approx(-std::log(probe.metric("label_probability"))).epsilon(1e-5));
  // Of all labels the probabilities sum to one; what is before the last token counts too.
  f64 sum = 0;
  for (const f32 label : {0.0f, 1.0f, 2.0f}) {
    const Example one = labelled({20, 21}, label, 0);
    sum += std::exp(-probe.run(std::span(&one, 1)));
  }
  CHECK(sum == Approx(1).epsilon(1e-5));
  const Example other = labelled({19, 21}, 2, 0);
  CHECK(std::abs(probe.run(std::span(&other, 1)) - nats) > 1e-4);
  CHECK(probe.objective->tokens_read(first) == 4);
}

TEST_CASE("a certain token has finite odds and slopes", "[train]") {
  for (const char* name : {"orpo", "unlikelihood"}) {
    Probe probe(options_of(name), 1);
    for (i64 i = 0; i < probe.model.weights.elements(); ++i)
      probe.model.weights.data()[i] *= 300;  // logits of hundreds
    const Example pair = pair_of({20}, {30});
    const Example one = labelled({20}, 0, 0);
    const Example& example = name == std::string("orpo") ? pair : one;
    CHECK(std::isfinite(probe.run(std::span(&example, 1))));
    for (const f64 g : gradient(probe))
      REQUIRE(std::isfinite(g));
  }
}

TEST_CASE("swapping the completions flips the sign of the margin", "[train]") {
  for (const Case& entry : all_cases()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    if (sequences_of(options) != 2 || options.others) continue;
    INFO(name);
    Probe probe(options, 1);
    const Example one = pair_of({20, 21, 22}, {30, 31}, {0, -9, -11});
    const Example other = pair_of({30, 31}, {20, 21, 22}, {0, -11, -9});
    probe.run(std::span(&one, 1));
    const f64 margin = probe.metric("reward_margin"), right = probe.metric("reward_accuracy");
    probe.run(std::span(&other, 1));
    CHECK(probe.metric("reward_margin") == Approx(-margin).epsilon(1e-5));
    CHECK(probe.metric("reward_accuracy") == 1 - right);
    CHECK(right == (margin > 0 ? 1 : 0));
  }
}

TEST_CASE("padding, packing and the other records of a batch change nothing", "[train]") {
  for (const Case& entry : all_cases()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    INFO(name);
    const std::unique_ptr<train::Objective> objective = train::make_objective(options);
    const Examples apart = rows_of(*objective, records_for(options, 6), 6, false);
    const Examples packed = rows_of(*objective, records_for(options, 6), 2);
    Probe one(options, 1), six(options, 6), wide(options, 6, 2 * kSeqLen);
    f64 sum = 0, share = 0;
    std::vector<f64> slope(usize(one.grads.elements()));
    for (const Example& example : apart) {
      sum += one.run(std::span(&example, 1), 0.5);
      share += one.share;
      for (i64 i = 0; i < one.grads.elements(); ++i)
        slope[usize(i)] += static_cast<f64>(one.grads.data()[i]);
    }
    CHECK(six.run(apart, 0.5) == Approx(sum).epsilon(2e-6));
    CHECK(six.share == share);
    CHECK(distance(gradient(six), slope) < 1e-5);
    CHECK(wide.run(apart, 0.5) == Approx(sum).epsilon(2e-6));
    i64 records = 0;
    for (const Example& row : packed)
      records += (isize(row.starts) + 1) / sequences_of(options);
    if (records == 6) CHECK(six.run(packed, 0.5) == Approx(sum).epsilon(2e-6));
  }
}

TEST_CASE("a sequence's log-probability does not see the others, nor what comes behind",
          "[train]") {
  Probe probe(options_of("dpo"), 1);
  const auto chosen = [&](const Example& pair) {
    probe.run(std::span(&pair, 1));
    return probe.metric("chosen_logp");
  };
  const f64 whole = chosen(pair_of({20, 21, 22}, {30, 31}));
  CHECK(chosen(pair_of({20, 21, 22}, {63, 31, 7, 8})) == whole);
  CHECK(chosen(pair_of({20, 21, 23}, {30, 31})) != whole);
  // Row by row: a token changes the losses of its own row and of those behind it.
  ObjectiveOptions unlikely = options_of("unlikelihood");
  Probe tokens(unlikely, 1);
  const auto losses = [&](const Example& one) {
    tokens.run(std::span(&one, 1));
    std::vector<f32> out(usize(tokens.graph->inputs.rows()));
    tokens.executor->read(tokens.graph->loss.rows, out);
    return out;
  };
  const std::vector<f32> before = losses(labelled({20, 21, 22}, 1, 0));
  const std::vector<f32> after = losses(labelled({20, 40, 22}, 1, 0));
  CHECK(before[1] == after[1]);
  CHECK(before[2] != after[2]);
  CHECK(before[3] != after[3]);
}

TEST_CASE("gradients of all objectives agree with finite differences in f64", "[train]") {
  for (const Case& entry : cases_by_row()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    INFO(name);
    Probe probe(options, 2, kSeqLen, 8);
    probe.run(rows_of(*probe.objective, records_for(options, 5), 2), 0.5);
    test::check_gradients(probe);
  }
}

TEST_CASE("gradients of rows with prefixes agree with finite differences in f64", "[train]") {
  ObjectiveOptions sft;
  sft.name = "sft";
  Probe probe(sft, 2, kSeqLen, 8);
  Examples rows(2);
  rows[0].tokens = {5, 9, 20, 21, 22, 7, 8, 30, 31};
  rows[0].starts = {5};
  rows[0].prefixes = {3, 2};
  rows[1].tokens = {40, 41, 42, 43, 44, 45, 46};
  rows[1].prefixes = {5};
  const f64 loss = probe.run(rows);
  CHECK(probe.share == 6);
  test::check_gradients(probe);
  for (Example& row : rows)
    row.prefixes.clear();
  rows[0].loss = {0, 0, 0, 1, 1, 0, 0, 1, 1};
  rows[1].loss = {0, 0, 0, 0, 0, 1, 1};
  CHECK(probe.run(rows) != loss);  // of the same targets: the mask is not the causal one
  CHECK(probe.share == 6);
}

TEST_CASE("accumulated micro-batches of sequences equal the whole batch", "[train]") {
  for (const Case& entry : cases_by_row()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    INFO(name);
    const std::unique_ptr<train::Objective> objective = train::make_objective(options);
    const Examples batch = rows_of(*objective, records_for(options, 400), 64);
    const auto step = [&](i64 micro) {
      test::Bench bench(config_for(options), step_options(options, 64, micro));
      return bench.trainer.step(batch);
    };
    const train::StepResult whole = step(64), parts = step(8);
    CHECK(parts.targets == whole.targets);
    CHECK(parts.loss == Approx(whole.loss).epsilon(1e-6));
    CHECK(parts.grad_norm == Approx(whole.grad_norm).epsilon(1e-6));
    REQUIRE(parts.metrics.size() == whole.metrics.size());
    for (std::size_t i = 0; i < parts.metrics.size(); ++i)
      CHECK(parts.metrics[i].second == Approx(whole.metrics[i].second).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("objectives give the same bits for 1, 2 and 7 threads, and after a checkpoint",
          "[train]") {
  for (const Case& entry : cases_by_row()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    INFO(name);
    const std::unique_ptr<train::Objective> objective = train::make_objective(options);
    const Examples rows = rows_of(*objective, records_for(options, 200), 32);
    const auto train_some = [&](int threads, i64 stop_at) {
      set_threads(threads);
      const test::TempDir dir;
      std::optional<test::Bench> bench;
      bench.emplace(config_for(options), step_options(options, 8, 4));
      for (i64 t = 0; t < 4; ++t) {
        if (t == stop_at) {
          train::RunFolder folder(dir.file("run"), {}, true);
          train::TrainState state;
          state.counters = bench->trainer.counters;
          train::save_checkpoint(folder, bench->model, bench->trainer.optimizer().m(),
                                 bench->trainer.optimizer().v(), state, {});
          bench.emplace(config_for(options), step_options(options, 8, 4), 99);
          train::load_checkpoint(folder.step_path(t), state, bench->trainer, bench->model);
        }
        bench->trainer.step(std::span(rows).subspan(usize(8 * t), 8));
      }
      set_threads(1);
      std::vector<f32> out(bench->model.weights.data(),
                           bench->model.weights.data() + bench->model.weights.elements());
      return out;
    };
    const std::vector<f32> one = train_some(1, -1);
    CHECK(train_some(2, -1) == one);
    CHECK(train_some(7, -1) == one);
    CHECK(train_some(1, 2) == one);
  }
}

TEST_CASE("one batch is learnt by heart", "[train]") {
  for (const Case& entry : cases_by_row()) {
    const std::string& name = entry.name;
    const ObjectiveOptions& options = entry.options;
    INFO(name);
    const std::unique_ptr<train::Objective> objective = train::make_objective(options);
    const Examples batch = rows_of(*objective, records_for(options, 8), 2);
    train::TrainOptions train = step_options(options, 2, 2);
    train.schedule.peak = 1e-2;
    train.schedule.warmup = 10;
    train.schedule.steps = 400;
    train.adamw.weight_decay = 0;
    test::Bench bench(config_for(options), train);
    train::StepResult first = bench.trainer.step(batch), last;
    for (i64 t = 1; t < 300; ++t)
      last = bench.trainer.step(batch);
    CHECK(last.loss < first.loss);
    for (const auto& [metric, value] : last.metrics)
      if (metric == "reward_accuracy") CHECK(value == 1);
    // Losses whose least value is 0 or known.
    if (name == "dpo" || name == "ipo" || name == "simpo" || name == "hinge" || name == "classify")
      CHECK(last.loss < 0.01);
  }
}

TEST_CASE("dpo on a bandit converges to the reference times exp(r / beta)", "[train]") {
  // Four actions with rewards log 1 .. log 4: a beats b in a of a + b pairs (Bradley and Terry).
  ObjectiveOptions options = options_of("dpo");
  options.beta = 0.5;
  const i32 actions[] = {10, 20, 30, 40};
  Probe probe(options, 1);
  const auto log_p = [&](const model::Model& model, i32 action) {
    Probe at(options, 1);
    std::copy_n(model.weights.data(), model.weights.elements(), at.model.weights.data());
    const Example pair = pair_of({action}, {action == 10 ? 20 : 10});
    at.run(std::span(&pair, 1));
    return at.metric("chosen_logp");
  };
  const model::Model start = model::new_model(config_for(options), 1);
  std::vector<f64> reference;
  for (const i32 action : actions)
    reference.push_back(log_p(start, action));
  Examples batch;
  for (i64 a = 0; a < 4; ++a)
    for (i64 b = 0; b < 4; ++b)
      for (i64 times = 0; a != b && times < a + 1; ++times)
        batch.push_back(pair_of(
            {actions[a]}, {actions[b]},
            {0, static_cast<f32>(reference[usize(a)]), static_cast<f32>(reference[usize(b)])}));
  train::TrainOptions train = step_options(options, isize(batch), isize(batch));
  train.schedule.peak = 3e-3;
  train.schedule.steps = 500;
  train.schedule.warmup = 10;
  train.adamw.weight_decay = 0;
  test::Bench bench(config_for(options), train);
  for (i64 t = 0; t < 500; ++t)
    bench.trainer.step(batch);
  const f64 base = log_p(bench.model, actions[0]) - reference[0];
  for (i64 a = 1; a < 4; ++a) {
    const f64 gain = log_p(bench.model, actions[a]) - reference[usize(a)] - base;
    CHECK(gain == Approx(std::log(static_cast<f64>(a + 1)) / options.beta).margin(0.02));
  }
}

TEST_CASE("the divergence of mismatched completions is the mean over the step", "[train]") {
  ObjectiveOptions options = options_of("kto");
  options.others = true;
  const std::unique_ptr<train::Objective> objective = train::make_objective(options);
  const Examples batch = rows_of(*objective, records_for(options, 100), 8);
  // By hand: the mismatched completions as completions of their own.
  f64 sum = 0;
  i64 records = 0;
  Probe probe(options_of("kto"), 1);
  for (const Example& row : batch) {
    for (i64 r = 0; r < (isize(row.starts) + 1) / 2; ++r, ++records) {
      const i64 begin = row.starts[usize(2 * r)];
      const i64 end = usize(2 * r + 1) < row.starts.size() ? i64{row.starts[usize(2 * r + 1)]}
                                                           : isize(row.tokens);
      Example one;
      one.tokens.assign(row.tokens.begin() + begin, row.tokens.begin() + end);
      one.loss.assign(row.loss.begin() + begin, row.loss.begin() + end);
      one.scalars = {1, 0, 0};
      std::copy_n(model::new_model(config_for(options), 1).weights.data(),
                  probe.model.weights.elements(), probe.model.weights.data());
      probe.run(std::span(&one, 1));
      sum += probe.metric("desirable_logp") - static_cast<f64>(row.scalars[usize(3 * r + 2)]);
    }
  }
  for (const i64 micro : {1, 8}) {
    test::Bench bench(config_for(options), step_options(options, 8, micro));
    const train::StepResult result = bench.trainer.step(batch);
    CHECK(result.targets == records);
    const f64 expected = std::max(0.0, sum / static_cast<f64>(records));
    CHECK(result.metrics.back().first == "kl");
    CHECK(result.metrics.back().second == Approx(expected).epsilon(1e-4).margin(1e-5));
  }
}
