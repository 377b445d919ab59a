// lm-eval: evaluates models on task files, by language, and two runs against each other.

#include "lm_eval/eval_tool.h"

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, lm::eval_tool::make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "bpb") return lm::eval_tool::run_bpb(tool);
    if (tool.verb() == "parity") return lm::eval_tool::run_parity(tool);
    if (tool.verb() == "languages") return lm::eval_tool::run_languages(tool);
    if (tool.verb() == "compare") return lm::eval_tool::run_compare(tool);
    return lm::eval_tool::run_tasks(tool);
  });
}
