#include "train/plan.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "graph/plan.h"
#include "train/checkpointer.h"

namespace lm::train {
namespace {

std::string padded(std::string text, std::size_t width, bool left = false) {
  if (text.size() >= width) return text;
  const std::string blanks(width - text.size(), ' ');
  return left ? blanks + text : text + blanks;
}

void row(std::string& out, std::string_view what, const std::string& value) {
  append(out, padded(std::string(what), 28), value, "\n");
}

std::string duration(f64 seconds) {
  if (seconds < 120) return cat(format_fixed(seconds, 1), " s");
  if (seconds < 7200) return cat(format_fixed(seconds / 60, 1), " min");
  return cat(format_fixed(seconds / 3600, 1), " h");
}

f64 graph_flops(const Graph& graph) {
  f64 sum = 0;
  for (const OpTotal& total : op_totals(graph))
    sum += static_cast<f64>(total.flops);
  return sum;
}

/// FLOPs and traffic of the graph's operators for one micro-batch.
void operators(std::string& out, const Graph& graph, f64 tokens) {
  append(out, "\n", padded("operator", 20), padded("nodes", 7, true),
         padded("FLOP/token", 14, true), padded("share", 9, true), padded("read", 12, true),
         padded("written", 12, true), "\n");
  const f64 all = std::max(1.0, graph_flops(graph));
  for (const OpTotal& total : op_totals(graph)) {
    const f64 flops = static_cast<f64>(total.flops);
    append(out, padded(total.op, 20), padded(cat(total.nodes), 7, true),
           padded(format_count(flops / tokens), 14, true),
           padded(cat(format_fixed(100 * flops / all, 1), "%"), 9, true),
           padded(format_bytes(total.bytes_read), 12, true),
           padded(format_bytes(total.bytes_written), 12, true), "\n");
  }
}

Plan step_plan(const Graph& graph, const Backend& backend) {
  return make_plan(graph, [&backend](const Node& node, const Graph& g) -> i64 {
    const KernelDef& kernel = backend.kernels[static_cast<std::size_t>(node.op)];
    return kernel.workspace == nullptr ? 0 : kernel.workspace(node, g);
  });
}

/// Of the first moments, and of the second ones that AdamW keeps.
i64 moment_bytes(const model::ModelCfg& cfg, const model::ModelParams& params,
                 const TrainOptions& options) {
  const std::vector<i32> apart = muon_params(cfg, params.set, options);
  return static_cast<i64>(sizeof(f32)) *
         (params.set.trained_elements() + second_moments(params.set, apart).trained_elements());
}

/// Of weights, their bf16 copy where kernels read one, gradients, moments and Muon's slab.
i64 state_bytes(const model::ModelCfg& cfg, const model::ModelParams& params,
                const TrainOptions& options, const Backend& backend) {
  const i64 copy = options.activation == DType::kBf16 ? 2 : 0;
  const i64 word = static_cast<i64>(sizeof(f32));
  return params.set.slab_elements() * (word + copy) + params.set.trained_elements() * word +
         moment_bytes(cfg, params, options) +
         (options.muon ? Muon::slab_bytes(cfg, params.set, backend) : 0);
}

/// Bytes of the slab of Objective::before().
i64 before_bytes(const model::ModelCfg& cfg, const model::ModelParams& params,
                 const TrainOptions& options, const Objective& objective, const Backend& backend) {
  if (objective.before() == nullptr) return 0;
  const TrainGraph graph(cfg, params, *objective.before(), forward_options(cfg, options));
  return step_plan(graph.graph, backend).slab_bytes;
}

Error too_large(i64 bytes, i64 limit_bytes, const std::string& largest, const std::string& hint) {
  return {ErrorKind::kOs,
          cat("a step needs ", format_bytes(bytes), " of memory, but there are ",
              format_bytes(limit_bytes), " (largest: ", largest, ")"),
          hint};
}

}  // namespace

i64 check_memory(const model::ModelCfg& cfg, const TrainOptions& options, const Backend& backend,
                 i64 limit_bytes, i64 ranks) {
  const model::ModelParams params = model::make_params(cfg);
  const std::unique_ptr<Objective> objective = make_objective(options.objective);
  const auto needed = [&](const TrainOptions& with) {
    const TrainGraph train(cfg, params, *objective, graph_options(cfg, with));
    return state_bytes(cfg, params, with, backend) + step_plan(train.graph, backend).slab_bytes +
           before_bytes(cfg, params, with, *objective, backend) +
           objective->table_bytes(with.micro_batch);
  };
  const i64 bytes = needed(options);
  if (bytes <= limit_bytes) return limit_bytes - bytes;
  const TrainGraph train(cfg, params, *objective, graph_options(cfg, options));
  std::string largest;
  for (const PlanEntry& entry : largest_values(train.graph, 10))
    append(largest, largest.empty() ? "" : ", ", entry.name, " ", format_bytes(entry.bytes));
  std::string hint =
      cat("weights, gradients and moments alone take ",
          format_bytes(state_bytes(cfg, params, options, backend)), ": a smaller model fits");
  // Small micro-batches cost the least, recomputing costs up to a third more work.
  for (const char* policy : {"", "cheap", "block"}) {
    TrainOptions smaller = options;
    if (*policy != '\0') smaller.recompute = parse_checkpoint_policy(policy);
    for (i64 micro = options.micro_batch; micro >= 1; --micro) {
      if (options.batch % (micro * ranks) != 0 || (micro == options.micro_batch && *policy == '\0'))
        continue;
      smaller.micro_batch = micro;
      const i64 less = needed(smaller);
      if (less > limit_bytes) continue;
      hint = cat("--micro-batch ", micro, *policy != '\0' ? " --recompute " : "", policy, " takes ",
                 format_bytes(less));
      throw too_large(bytes, limit_bytes, largest, hint);
    }
  }
  throw too_large(bytes, limit_bytes, largest, hint);
}

std::string plan_text(const model::ModelCfg& cfg, const TrainOptions& options,
                      const Backend& backend, const PlanInputs& inputs) {
  const model::ModelParams params = model::make_params(cfg);
  const std::unique_ptr<Objective> objective = make_objective(options.objective);
  const TrainGraph train(cfg, params, *objective, graph_options(cfg, options));
  const Graph& graph = train.graph;
  const Plan plan = step_plan(graph, backend);
  const i64 slot_tokens = objective->slot_tokens(options.seq_len);
  const f64 micro_tokens = static_cast<f64>(options.micro_batch * slot_tokens);
  const i64 step_tokens = options.batch * slot_tokens;
  const i64 before = before_bytes(cfg, params, options, *objective, backend);
  f64 executed = graph_flops(graph) / micro_tokens;
  if (objective->before() != nullptr)
    executed +=
        graph_flops(
            TrainGraph(cfg, params, *objective->before(), forward_options(cfg, options)).graph) /
        micro_tokens;
  const f64 run_tokens = static_cast<f64>(step_tokens) * static_cast<f64>(inputs.steps);
  const i64 slab = 4 * params.set.slab_elements();
  const i64 trained = 4 * params.set.trained_elements();

  std::string out;
  row(out, "model", model::describe(cfg));
  row(out, "parameters",
      cat(params.set.count(), " (", format_count(static_cast<f64>(params.set.count())), ")"));
  if (cfg.lora)
    row(out, "trained",
        cat(params.set.trained_count(), " (",
            format_count(static_cast<f64>(params.set.trained_count())), ")"));
  row(out, "weights", format_bytes(slab));
  if (options.activation == DType::kBf16) row(out, "their bf16 copy", format_bytes(slab / 2));
  row(out, "gradients", format_bytes(trained));
  row(out, "moments", format_bytes(moment_bytes(cfg, params, options)));
  if (options.muon)
    row(out, "slab of Muon", format_bytes(Muon::slab_bytes(cfg, params.set, backend)));
  row(out, "step slab",
      cat(format_bytes(plan.slab_bytes), " (lower bound ", format_bytes(plan.lower_bound_bytes),
          ")"));
  if (before > 0) row(out, "slab of the pass before", format_bytes(before));
  const i64 table = objective->table_bytes(options.micro_batch);
  if (table > 0)
    row(out, options.objective.drawn.embed.drawn() ? "drawn embeddings" : "embeddings of the cost",
        format_bytes(table));
  const i64 total = state_bytes(cfg, params, options, backend) + plan.slab_bytes + before + table;
  row(out, "memory in all",
      cat(format_bytes(total),
          inputs.memory_bytes > 0 ? cat(" of ", format_bytes(inputs.memory_bytes)) : std::string(),
          inputs.ranks > 1 ? " a rank" : ""));
  const i64 copy = checkpoint_copy_bytes(params);
  const bool room = inputs.memory_bytes == 0 || inputs.memory_bytes - total >= copy;
  row(out, "copy for checkpoints",
      cat(format_bytes(copy), room ? "" : ": no room, so training waits for them"));
  row(out, "tokens per micro-batch", cat(options.micro_batch, " x ", slot_tokens));
  row(out, "tokens per step",
      cat(step_tokens, " (", options.batch / options.micro_batch, " micro-batches",
          inputs.ranks > 1 ? cat(" on ", inputs.ranks, " ranks") : std::string(), ")"));
  row(out, "steps", cat(inputs.steps));
  row(out, "tokens", format_count(run_tokens));
  if (inputs.data_tokens > 0)
    row(out, "data",
        cat(format_count(static_cast<f64>(inputs.data_tokens)), " tokens, ", inputs.samples,
            " sequences, ", format_fixed(inputs.epochs, 2), " epochs"));
  row(out, "useful FLOP per token",
      format_count(useful_flops_per_token(cfg, *objective, options.seq_len)));
  row(out, "executed FLOP per token", format_count(executed));
  if (inputs.peak_flops > 0) {
    row(out, "calibrated peak", cat(format_count(inputs.peak_flops), "FLOP/s"));
    const f64 seconds = executed * run_tokens / inputs.peak_flops;
    row(out, "time at 100% / 50% of peak", cat(duration(seconds), " / ", duration(2 * seconds)));
  }
  out += "\nlargest values\n";
  for (const PlanEntry& entry : largest_values(graph, 10))
    append(out, padded(format_bytes(entry.bytes), 12, true), "  ", entry.name, "\n");
  operators(out, graph, micro_tokens);
  return out;
}

std::string profile_text(const std::vector<OpTime>& times, f64 peak_flops) {
  f64 all = 0;
  for (const OpTime& time : times)
    all += time.wall_s;
  std::string out = cat(padded("operator", 20), padded("calls", 9, true), padded("s", 10, true),
                        padded("share", 8, true), padded("GFLOP/s", 10, true),
                        padded("of peak", 9, true), padded("GB/s", 8, true), "\n");
  for (const OpTime& time : times) {
    const f64 s = std::max(1e-12, time.wall_s);
    const f64 rate = static_cast<f64>(time.flops) / s;
    append(
        out, padded(time.op, 20), padded(cat(time.calls), 9, true),
        padded(format_fixed(time.wall_s, 3), 10, true),
        padded(cat(format_fixed(100 * time.wall_s / std::max(1e-12, all), 1), "%"), 8, true),
        padded(format_fixed(rate / 1e9, 1), 10, true),
        padded(peak_flops > 0 ? cat(format_fixed(100 * rate / peak_flops, 1), "%") : "-", 9, true),
        padded(format_fixed(static_cast<f64>(time.bytes) / s / 1e9, 1), 8, true), "\n");
  }
  return out;
}

}  // namespace lm::train
