// model-probe: what parity scripts ask of the model library. Not installed.
//   eval FOLDER STEPS ID...   JSON: logits after every prompt token, then STEPS greedy tokens
//   copy FROM TO DTYPE        load and save (f32, bf16, f16)
//   new SHAPE SEED TO         save a fresh model
//   time SHAPE ROWS STEPS     JSON: seconds to read ROWS tokens, then to decode STEPS with 1 and 8
//   texts

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "model/engine.h"
#include "model/shape.h"

namespace {

using lm::i32;
using lm::i64;
namespace model = lm::model;

[[noreturn]] void usage() {
  throw lm::Error(
      lm::ErrorKind::kUsage,
      "usage: model-probe eval FOLDER STEPS ID... | copy FROM TO DTYPE | new SHAPE SEED TO | "
      "time SHAPE ROWS STEPS");
}

i64 number(const std::string& text) {
  const std::optional<i64> value = lm::parse_int(text);
  if (!value) usage();
  return *value;
}

void eval(const std::vector<std::string>& args) {
  const model::Model m = model::load_model(args[1]);
  model::Engine engine(m);
  const i32 seq = engine.create();
  std::vector<model::EvalRow> rows;
  for (std::size_t i = 3; i < args.size(); ++i) {
    model::EvalRow row;
    row.seq = seq;
    row.token = static_cast<i32>(number(args[i]));
    row.want_logits = true;
    rows.push_back(row);
  }
  engine.eval(rows);
  engine.commit(seq);
  nlohmann::json out;
  for (i64 i = 0; i < lm::isize(rows); ++i)
    out["logits"].push_back(engine.logits(i));
  std::span<const float> last = engine.logits(lm::isize(rows) - 1);
  for (i64 step = 0; step < number(args[2]); ++step) {
    const i32 token = static_cast<i32>(std::max_element(last.begin(), last.end()) - last.begin());
    out["greedy"].push_back(token);
    last = engine.step(seq, token);
  }
  std::puts(out.dump().c_str());
}

double decode_s(model::Engine& engine, i64 texts, i64 steps, const std::vector<i32>& prompt) {
  std::vector<model::EvalRow> rows;
  for (i64 i = 0; i < texts; ++i) {
    model::EvalRow row;
    row.seq = engine.create();
    row.token = 1;
    row.want_logits = true;
    engine.prefill(row.seq, prompt);
    rows.push_back(row);
  }
  engine.eval(rows);  // builds the pass
  const double start = lm::monotonic_s();
  for (i64 step = 0; step < steps; ++step) {
    engine.eval(rows);
    for (const model::EvalRow& row : rows)
      engine.commit(row.seq);
  }
  const double taken = lm::monotonic_s() - start;
  for (const model::EvalRow& row : rows)
    engine.release(row.seq);
  return taken;
}

void time_shape(const std::vector<std::string>& args) {
  const model::Model m = model::new_model(model::make_config(model::parse_shape(args[1])), 1);
  model::Engine engine(m);
  const std::vector<i32> prompt(static_cast<std::size_t>(number(args[2])), 1);
  engine.prefill(engine.create(), prompt);  // builds the pass
  const double start = lm::monotonic_s();
  engine.prefill(engine.create(), prompt);
  nlohmann::json out;
  out["prefill_wall_s"] = lm::monotonic_s() - start;
  out["decode_1_wall_s"] = decode_s(engine, 1, number(args[3]), {1, 1});
  out["decode_8_wall_s"] = decode_s(engine, 8, number(args[3]), {1, 1});
  std::puts(out.dump().c_str());
}

void run(const std::vector<std::string>& args) {
  if (args.size() > 3 && args[0] == "eval") return eval(args);
  if (args.size() != 4) usage();
  if (args[0] == "time") return time_shape(args);
  model::SaveOptions options;
  if (args[0] == "copy") {
    if (args[3] == "bf16") options.dtype = lm::DType::kBf16;
    if (args[3] == "f16") options.dtype = lm::DType::kF16;
    return model::save_model(args[2], model::load_model(args[1]), options);
  }
  if (args[0] != "new") usage();
  const model::ModelCfg cfg = model::make_config(model::parse_shape(args[1]));
  model::save_model(args[3], model::new_model(cfg, static_cast<lm::u64>(number(args[2]))), options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    lm::set_threads(2);
    run(std::vector<std::string>(argv + 1, argv + argc));
    return 0;
  } catch (const lm::Error& error) {
    std::fprintf(stderr, "model-probe: %s\n", error.message().c_str());
    return static_cast<int>(error.kind());
  }
}
