#include "exact/inverse_permutation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "comm/comm.h"
#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "graph/params.h"
#include "ops/ops.h"
#include "tensor/safe_writer.h"
#include "train/optimizer.h"

namespace lm::exact {

namespace {

constexpr i64 kMostD = 64;
constexpr i64 kMostAll = 8;
constexpr f32 kHidden = -1e30f;
// Logits of the constructed weights: large enough that what they choose has all the weight in f32.
constexpr f32 kBeta = 60;
constexpr f32 kGamma = 120;

/// A batch of prompts as the graph reads them.
struct Batch {
  std::vector<f32> x;     // [texts * rows, d + rows]
  std::vector<f32> goal;  // [texts * d, d]
};

void put_text(const InverseTask& task, const std::vector<i64>& pi, const RandomStream& random,
              u64& draw, bool noise, i64 text, Batch& out) {
  const i64 d = task.d;
  const i64 width = d + task.rows();
  f32* const x = out.x.data() + text * task.rows() * width;
  f32* const goal = out.goal.data() + text * d * d;
  for (i64 i = 0; i < d * d; ++i)
    goal[i] = random.below(draw++, 2) == 1 ? 1.0f : 0.0f;
  for (i64 i = 0; i < d; ++i) {
    x[i * width + pi[usize(i)]] = 1;
    std::copy_n(goal + pi[usize(i)] * d, d, x + (d + i) * width);
  }
  for (i64 i = 2 * d; noise && i < task.rows(); ++i)
    for (i64 j = 0; j < d; ++j)
      x[i * width + j] = static_cast<f32>(random.normal(draw++));
  for (i64 i = 0; i < task.rows(); ++i)
    x[i * width + d + i] = 1;
}

std::vector<i64> random_permutation(i64 d, const RandomStream& random, u64& draw) {
  std::vector<i64> out(usize(d), 0);
  std::iota(out.begin(), out.end(), 0);
  for (i64 i = d - 1; i > 0; --i)
    std::swap(out[usize(i)], out[usize(random.below(draw++, static_cast<u64>(i + 1)))]);
  return out;
}

Batch empty_batch(const InverseTask& task, i64 texts) {
  Batch out;
  out.x.assign(usize(texts * task.rows() * (task.d + task.rows())), 0.0f);
  out.goal.assign(usize(texts * task.d * task.d), 0.0f);
  return out;
}

Batch random_batch(const InverseTask& task, i64 texts, const RandomStream& random, bool noise) {
  Batch out = empty_batch(task, texts);
  u64 draw = 0;
  for (i64 text = 0; text < texts; ++text)
    put_text(task, random_permutation(task.d, random, draw), random, draw, noise, text, out);
  return out;
}

i64 first_readout_row(const InverseTask& task) {
  if (task.readout == Readout::kPermutation) return 0;
  return task.readout == Readout::kText ? task.d : 2 * task.d;
}

/// The graph over a batch of `texts`, and what it is run with.
struct Run {
  Run(const InverseTask& task, const ParamSet& set, i64 texts, bool backward) : graph(ops()) {
    const i64 t = task.rows();
    const i64 width = task.d + t;
    const auto param = [&](const char* name) {
      const i32 index = set.find(name);
      return graph.parameter(name, set[index].shape, index, DType::kF32, backward);
    };
    x = graph.input("x", {texts * t, width});
    goal = graph.input("goal", {texts * task.d, task.d});
    mask = graph.input("mask", {texts * t, t});
    rows = graph.input("rows", {texts * task.d}, DType::kI32);
    const Value h1 = layer(x, param("a1"), texts, t);
    const Value h2 = layer(h1, param("a2"), texts, t);
    out = linear(graph, gather_rows(graph, h2, rows), param("readout"));
    loss = mse(graph, out, goal);
    graph.keep(out);
    graph.keep(loss);
    if (backward) graph.backward(loss);
    executor = std::make_unique<Executor>(graph, cpu_backend());
    hidden.assign(usize(texts * t * t), 0.0f);
    for (i64 i = 0; task.causal && i < texts * t; ++i)
      for (i64 j = i % t + 1; j < t; ++j)
        hidden[usize(i * t + j)] = kHidden;
    for (i64 text = 0; text < texts; ++text)
      for (i64 j = 0; j < task.d; ++j)
        chosen.push_back(static_cast<i32>(text * t + first_readout_row(task) + j));
    executor->bind(mask, make_tensor(hidden.data(), {texts * t, t}));
    executor->bind(rows, make_tensor(chosen.data(), {texts * task.d}, DType::kI32));
  }

  /// The batch must outlive the run that follows.
  void set_batch(Batch& batch) {
    executor->bind(x, make_tensor(batch.x.data(), graph.shape(x)));
    executor->bind(goal, make_tensor(batch.goal.data(), graph.shape(goal)));
  }

  Graph graph;
  Value x, goal, mask, rows, out, loss;
  std::vector<f32> hidden;
  std::vector<i32> chosen;
  std::unique_ptr<Executor> executor;

 private:
  /// [h, softmax(mask(h A h^T)) h].
  Value layer(Value h, Value a, i64 texts, i64 t) {
    const i64 width = graph.shape(h).cols();
    const Shape by_text = {texts, t, width};
    const Value keys = reshape(graph, h, by_text);
    const Value queries = reshape(graph, matmul(graph, h, a), by_text);
    const Value scores = matmul(graph, queries, keys, false, true);
    const Value weights = softmax(graph, add(graph, reshape(graph, scores, {texts * t, t}), mask));
    const Value seen = matmul(graph, reshape(graph, weights, {texts, t, t}), keys);
    return concat_columns(graph, {h, reshape(graph, seen, {texts * t, width})});
  }
};

InverseScore score_of(const InverseTask& task, const std::vector<Batch*>& batches,
                      const std::function<std::span<const f32>(Batch&)>& run) {
  InverseScore out;
  const i64 bits = task.d * task.d;
  f64 squares = 0;
  i64 right = 0;
  i64 exact = 0;
  for (Batch* const batch : batches) {
    const std::span<const f32> answer = run(*batch);
    for (i64 text = 0; text < isize(batch->goal) / bits; ++text) {
      i64 here = 0;
      for (i64 i = text * bits; i < (text + 1) * bits; ++i) {
        const f64 miss = static_cast<f64>(answer[usize(i)] - batch->goal[usize(i)]);
        squares += miss * miss;
        here += (answer[usize(i)] > 0.5f) == (batch->goal[usize(i)] > 0.5f) ? 1 : 0;
      }
      right += here;
      exact += here == bits ? 1 : 0;
      ++out.texts;
    }
  }
  const f64 all = static_cast<f64>(out.texts);
  out.mse = squares / (all * static_cast<f64>(bits));
  out.bits = static_cast<f64>(right) / (all * static_cast<f64>(bits));
  out.exact = static_cast<f64>(exact) / all;
  return out;
}

}  // namespace

f64 floor_of(const InverseTask& task) {
  if (!task.causal || task.readout == Readout::kScratch) return 0;
  const f64 d = static_cast<f64>(task.d);
  return task.readout == Readout::kPermutation ? 0.25 : 0.125 * (d - 1) / d;
}

f64 ceiling_of(const InverseTask& task) {
  if (!task.causal || task.readout == Readout::kScratch) return 1;
  const f64 d = static_cast<f64>(task.d);
  return task.readout == Readout::kPermutation ? 0.5 : (3 * d + 1) / (4 * d);
}

struct InverseModel::Impl {
  explicit Impl(const InverseTask& of) : task(of) {
    const i64 width = task.d + task.rows();
    set.add("a1", {width, width}, false);
    set.add("a2", {2 * width, 2 * width}, false);
    set.add("readout", {task.d, 4 * width}, false);
    weights = ParamSlab(set);
  }
  /// Scores batches of one size.
  InverseScore score(std::vector<Batch>& batches) const {
    const i64 texts = isize(batches.front().goal) / (task.d * task.d);
    Run run(task, set, texts, false);
    run.executor->bind_params([this](i32 index) { return weights[index]; });
    std::vector<Batch*> all;
    for (Batch& batch : batches)
      all.push_back(&batch);
    return score_of(task, all, [&](Batch& batch) {
      run.set_batch(batch);
      run.executor->run({});
      const Tensor out = run.executor->tensor(run.out);
      return std::span<const f32>(out.f32_data(), usize(out.count()));
    });
  }
  InverseTask task;
  ParamSet set;
  ParamSlab weights;
};

InverseModel::InverseModel(const InverseTask& task) {
  if (task.d < 1 || task.d > kMostD)
    throw Error(ErrorKind::kUsage, cat("texts of ", task.d, " rows, expected 1 to ", kMostD));
  if (task.scratch < 0 || task.scratch > 4 * kMostD)
    throw Error(ErrorKind::kUsage, cat(task.scratch, " scratch rows, expected 0 to ", 4 * kMostD));
  if (task.readout == Readout::kScratch && task.scratch < task.d)
    throw Error(ErrorKind::kUsage,
                cat("a read-out of ", task.d, " scratch rows, but there are ", task.scratch));
  impl_ = std::make_unique<Impl>(task);
}

InverseModel::~InverseModel() = default;
InverseModel::InverseModel(InverseModel&&) noexcept = default;

const InverseTask& InverseModel::task() const {
  return impl_->task;
}

void InverseModel::construct() {
  const InverseTask& task = impl_->task;
  if (task.causal && task.readout != Readout::kScratch)
    throw Error(ErrorKind::kUsage,
                "a causal transformer cannot answer at rows of the prompt: no weights do it",
                "without the mask, or read at scratch rows");
  std::fill_n(impl_->weights.data(), impl_->weights.elements(), 0.0f);
  const i64 d = task.d;
  const i64 width = d + task.rows();
  const auto at = [this](const char* name, i64 row, i64 column) -> f32& {
    const Tensor t = impl_->weights[impl_->set.find(name)];
    return t.f32_data()[row * t.cols() + column];
  };
  // A stream's columns: X, places, and behind layer 1 what it has seen of both.
  for (i64 i = 0; i < d; ++i)
    at("a1", d + d + i, d + i) = kBeta;
  for (i64 j = 0; j < d; ++j) {
    const i64 query = d + first_readout_row(task) + j;
    at("a2", query, width + j) = kBeta;  // what was copied of P
    for (i64 i = 0; i < d; ++i)
      at("a2", query, d + d + i) = kGamma;  // rows of the text alone
  }
  for (i64 bit = 0; bit < d; ++bit)
    at("readout", bit, 2 * width + bit) = 1;
}

void InverseModel::train(const TrainOptions& options, i64 every,
                         const std::function<void(i64 step, f64 mse)>& report) {
  Impl& m = *impl_;
  std::fill_n(m.weights.data(), m.weights.elements(), 0.0f);
  const Tensor readout = m.weights[m.set.find("readout")];
  const RandomStream initial(options.seed, RandomPurpose::kInit);
  for (i64 i = 0; i < readout.count(); ++i)
    readout.f32_data()[i] = 0.02f * static_cast<f32>(initial.normal(static_cast<u64>(i)));
  ParamSlab grads(m.set);
  train::AdamW adam(m.set, {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0}, 1,
                    cpu_backend());
  Run run(m.task, m.set, options.batch, true);
  run.executor->bind_params([&](i32 index) { return m.weights[index]; });
  run.executor->bind_grads([&](i32 index) { return grads[index]; });
  f64 sum = 0;
  i64 since = 0;
  for (i64 step = 0; step < options.steps; ++step) {
    Batch batch = random_batch(
        m.task, options.batch,
        RandomStream(options.seed, RandomPurpose::kOther, static_cast<u64>(step) + 1), false);
    grads.zero();
    run.set_batch(batch);
    run.executor->run({});
    sum += static_cast<f64>(run.executor->scalar(run.loss));
    const f64 lr = options.lr * (1 - static_cast<f64>(step) / static_cast<f64>(options.steps));
    adam.update(step + 1, lr, 1, grads, m.weights, nullptr, {0, m.weights.elements()});
    if (++since < every && step + 1 < options.steps) continue;
    report(step + 1, sum / static_cast<f64>(since));
    sum = 0;
    since = 0;
  }
}

InverseScore InverseModel::score(i64 texts, u64 seed, bool noise) const {
  const RandomStream random(seed, RandomPurpose::kOther, 0);
  std::vector<Batch> batches;
  batches.push_back(random_batch(impl_->task, texts, random, noise));
  return impl_->score(batches);
}

InverseScore InverseModel::score_all(u64 seed) const {
  const InverseTask& task = impl_->task;
  if (task.d > kMostAll)
    throw Error(ErrorKind::kUsage,
                cat("all permutations of ", task.d, ", expected at most ", kMostAll));
  std::vector<i64> pi(usize(task.d), 0);
  std::iota(pi.begin(), pi.end(), 0);
  const RandomStream random(seed, RandomPurpose::kOther, 0);
  u64 draw = 0;
  std::vector<Batch> batches;
  do {
    batches.push_back(empty_batch(task, 1));
    put_text(task, pi, random, draw, false, 0, batches.back());
  } while (std::next_permutation(pi.begin(), pi.end()));
  return impl_->score(batches);
}

void InverseModel::save(const std::string& path) const {
  SafeWriter writer = SafeWriter::to_file(path);
  for (const ParamInfo& info : impl_->set.list())
    writer.declare(info.name, DType::kF32, info.shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write(impl_->set[static_cast<i32>(number)].name,
                 impl_->weights[static_cast<i32>(number)]);
  writer.commit();
}

}  // namespace lm::exact
