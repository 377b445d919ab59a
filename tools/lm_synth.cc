// lm-synth: data that is made, and whether what was made of it holds.

#include "lm_synth/synth.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-synth";
  spec.summary = "make data of tasks by rule, and check solutions";
  spec.operands = "[TASK|FILE]...";
  spec.verbs = {
      {"task", "make records of a task", lm::synth_tool::task_flags()},
      {"check", "say whether solutions are feasible, and how good", lm::synth_tool::check_flags()},
  };
  spec.verbs[0].chosen_by = "task";
  spec.examples = {
      {"lm-synth task facts -o facts.jsonl.zst", "sentences to train on"},
      {"lm-synth task facts --split test -n 300 -o asked.jsonl.zst", "and questions"},
      {"lm-synth task tsp -n 15000 --set most=9 -o tsp.jsonl.zst", "round trips with the shortest"},
      {"lm-decode -m model -n 8 tsp-test.jsonl.zst | lm-synth check --report r.json -o "
       "checked.jsonl",
       "which of a model's are round trips, and how much longer"},
      {"lm-synth task --list", "tasks and their parameters"},
  };
  spec.see_also = {"lm-train", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "check") return lm::synth_tool::run_check(tool);
    lm::synth_tool::run_task(tool);
  });
}
