// Compute classes: steps by throughput, which is given or measured. Source: Stanic et al. 2023
// (Languini).

#include <cmath>

#include "core/clock.h"
#include "core/random.h"
#include "core/str.h"
#include "lm_train/flags.h"
#include "resume.h"

namespace lm::train_tool {

namespace {

using cli::FlagKind;
using cli::Options;

constexpr i64 kWarmUp = 5;
constexpr i64 kTimed = 15;

/// Hours of "6h", "90s", "1.5m".
f64 class_hours(const std::string& given) {
  const std::optional<f64> number =
      given.empty() ? std::nullopt
                    : parse_float(std::string_view(given).substr(0, given.size() - 1));
  const char unit = given.empty() ? ' ' : given.back();
  if (!number || !(*number > 0 && *number < 1e9) || (unit != 'h' && unit != 'm' && unit != 's'))
    throw Error(ErrorKind::kUsage,
                cat("--compute-class ", quote(given), ": expected a time like 0.05h, 3m or 180s"));
  return *number / (unit == 'h' ? 1 : unit == 'm' ? 60 : 3600);
}

i64 tokens_of_step(const Setup& setup) {
  return setup.train.batch * setup.train.seq_len;
}

i64 steps_at(const Options& o, f64 tokens_per_s, const Setup& setup) {
  const f64 steps = tokens_per_s * 3600 * class_hours(o.text("compute-class")) /
                    static_cast<f64>(tokens_of_step(setup));
  if (!(steps < 1e15)) throw Error(ErrorKind::kUsage, "--compute-class: too many steps");
  return std::max<i64>(1, std::llround(steps));
}

train::Examples random_batch(const Setup& setup, u64 seed) {
  train::Examples out(usize(setup.train.batch));
  const i32 mask = setup.cfg.diffusion ? setup.cfg.diffusion->mask : -1;
  const u64 ids = static_cast<u64>(setup.cfg.vocab - (mask < 0 ? 0 : 1));
  for (i64 i = 0; i < isize(out); ++i) {
    const RandomStream random(seed, RandomPurpose::kOther,
                              mix64(fnv1a64("throughput") ^ static_cast<u64>(i)));
    for (i64 t = 0; t < setup.objective->tokens_per_sequence(setup.train.seq_len); ++t) {
      const i32 id = static_cast<i32>(random.below(static_cast<u64>(t), ids));
      out[usize(i)].tokens.push_back(mask >= 0 && id >= mask ? id + 1 : id);
    }
  }
  return out;
}

/// Tokens per second of steps like those of the run: forward, backward and update on random ids, by
/// a model of their own, which is dropped: neither weights, draws nor data of the run move.
f64 measure(cli::Tool& tool, Ranks& ranks, const Setup& setup) {
  const Options& o = tool.options();
  Setup own;
  ranks.together([&] {
    if (!setup.initial) return;
    load_initial(o, objective_def(o), tool.seed(), ranks.size(), own);
    own.tokenizer = setup.tokenizer;
    set_diffusion(o, objective_def(o), setup.tokenizer_path, tool.seed(), ranks.size(), own);
  });
  model::Model model = own.initial ? std::move(*own.initial)
                                   : model::new_model(setup.cfg, tool.seed(), ranks.size());
  train::TrainOptions options = setup.train;
  options.schedule = {.kind = train::ScheduleKind::kConstant, .peak = 0};
  options.dump_node.clear();
  options.profile = false;
  std::optional<train::Trainer> trainer;
  ranks.together(
      [&] { trainer.emplace(model, options, ranks.comm(), tool.ctx(), *setup.backend); });
  const train::Examples batch = random_batch(setup, tool.seed());
  f64 start_s = 0;
  for (i64 step = 0; step < kWarmUp + kTimed; ++step) {
    if (step == kWarmUp) start_s = monotonic_s();
    if (trainer->step(batch).stopped)
      throw comm::CommonError(ErrorKind::kTemporary,
                              "stopped while the throughput was measured, nothing to save",
                              "the same command begins again");
  }
  const f64 rate = static_cast<f64>(kTimed * tokens_of_step(setup)) / (monotonic_s() - start_s);
  return parse_float(ranks.from_first(cat(rate))).value_or(rate);
}

}  // namespace

std::vector<cli::Flag> throughput_flags() {
  const std::string g = "Optimisation";
  return {
      {.name = "compute-class",
       .kind = FlagKind::kString,
       .value_name = "TIME",
       .group = g,
       .help = "instead: the steps that a machine of --ref-throughput does in 6h, 3m or 180s",
       .details = "Models of different sizes and kinds are then compared at equal time.",
       .needs = {"objective=next-token,prefix-lm"},
       .excludes = {"steps", "tokens", "epochs"}},
      {.name = "ref-throughput",
       .kind = FlagKind::kString,
       .value_name = "auto|TOKENS",
       .group = g,
       .def = "auto",
       .help = "tokens per second; auto: measured here by 15 steps on random ids, after 5",
       .details = "A run that goes on keeps the steps that were measured when it began.",
       .needs = {"compute-class"}},
  };
}

i64 class_steps(const Options& o, const Setup& setup) {
  const std::string& given = o.text("ref-throughput");
  class_hours(o.text("compute-class"));
  if (given == "auto") return 0;
  const std::optional<f64> rate = parse_float(given);
  if (!rate || !(*rate > 0 && *rate < 1e15))
    throw Error(ErrorKind::kUsage,
                cat("--ref-throughput ", quote(given), ": expected \"auto\" or tokens per second"));
  return steps_at(o, *rate, setup);
}

i64 measured_steps(cli::Tool& tool, Ranks& ranks, const Setup& setup) {
  const f64 rate = measure(tool, ranks, setup);
  const i64 steps = steps_at(tool.options(), rate, setup);
  tool.add_metric("measured_tokens_per_s", format_fixed(rate, 1));
  tool.console().message(LogLevel::kInfo,
                         cat(format_fixed(rate, 1), " tokens/s measured: ", steps, " steps"));
  return steps;
}

void show_throughput(cli::Tool& tool, Ranks& ranks, const Setup& setup) {
  const f64 rate = measure(tool, ranks, setup);
  tool.add_metric("measured_tokens_per_s", format_fixed(rate, 1));
  if (!ranks.first()) return;
  const Options& o = tool.options();
  std::string text = cat("throughput  ", format_fixed(rate, 1), " tokens/s, ", kTimed,
                         " steps on random ids after ", kWarmUp, "\nstep        ",
                         format_fixed(static_cast<f64>(tokens_of_step(setup)) / rate, 6), " s, ",
                         setup.train.batch, " sequences of ", setup.train.seq_len, " tokens\n");
  if (o.given("compute-class"))
    append(text, "steps       ", steps_at(o, rate, setup), " in ", o.text("compute-class"), "\n");
  io::write_full(1, text.data(), isize(text), "<stdout>");
}

}  // namespace lm::train_tool
