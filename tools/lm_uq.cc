// lm-uq: how sure a model is of its answers, and how far such scores can be trusted.

#include "core/str.h"
#include "lm_uq/uq.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-uq";
  spec.summary = "ask a model, score the uncertainty of its answers, and judge such scores";
  spec.verbs = {
      {"score", "add uncertainty scores to records of answers", lm::uq_tool::score_flags()},
      {"sample", "ask a model and keep what scores need", lm::uq_tool::sample_flags()},
      {"perturb", "reword prompts by a genetic algorithm", lm::uq_tool::perturb_flags()},
      {"fit", "learn from judged answers what some scores need", lm::uq_tool::fit_flags()},
      {"eval", "measure how scores tell right answers from wrong", lm::uq_tool::eval_flags()},
  };
  spec.examples = {
      {"lm-uq sample -m model -n 10 questions.jsonl | lm-uq -o scored.jsonl.zst",
       "ask, then score what came back"},
      {"lm-uq answers.jsonl.zst -o scored.jsonl.zst", "every score that the records allow"},
      {"lm-uq -e msp,semantic_entropy,inv_entropy --sim rougeL answers.jsonl", "some of them"},
      {"lm-uq perturb q.jsonl | lm-uq sample -m model | lm-uq -e inv_trace -o scored.jsonl.zst",
       "reworded prompts too"},
      {"lm-uq eval --metrics auroc,prr --correct exact scored.jsonl.zst",
       "how good they are, with intervals"},
      {"lm-uq eval --plot curves.svg --differences scored.jsonl.zst", "curves and comparisons"},
  };
  spec.wide = true;
  spec.kernels = true;
  spec.latency = true;
  spec.annotate = true;
  // sample keeps its state in --resume FILE; what else runs, ends at once on a stop signal.
  spec.stateful = true;
  spec.stateful_with = "resume";
  spec.see_also = {"lm-decode"};
  return spec;
}

// A GPU that was asked for on the command line has nothing to do but in sample.
void check_device(const lm::cli::Tool& tool) {
  const std::string& device = tool.options().text("device");
  if (!device.starts_with("cuda") ||
      tool.options().origin("device") == lm::cli::Origin::kEnvironment)
    return;
  throw lm::Error(lm::ErrorKind::kUnavailable,
                  lm::cat("--device ", device, ": only sample computes on a GPU"));
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "sample") return lm::uq_tool::run_sample(tool);
    check_device(tool);
    if (tool.verb() == "perturb") return lm::uq_tool::run_perturb(tool);
    if (tool.verb() == "fit") return lm::uq_tool::run_fit(tool);
    if (tool.verb() == "eval") return lm::uq_tool::run_eval(tool);
    lm::uq_tool::run_score(tool);
  });
}
