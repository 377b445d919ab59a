// lm-flow: algorithms made of language model calls; what they cost and how far they err.

#include "core/str.h"
#include "lm_flow/flow.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-flow";
  spec.summary = "run graphs of language model calls; predict and measure their cost and error";
  spec.operands = "[GRAPH|PROBLEM] [FILE]...";
  spec.verbs = {
      {"run", "run a graph on every record", lm::flow_tool::run_flags()},
      {"plan", "predict calls, tokens, latency and error of a graph by the size of its pieces",
       lm::flow_tool::plan_flags()},
      {"gen", "make instances of a problem, with answers", lm::flow_tool::gen_flags()},
      {"calibrate", "measure what single calls cost and get wrong by the size of their piece",
       lm::flow_tool::calibrate_flags()},
      {"check", "calibrate, predict, run, and compare", lm::flow_tool::check_flags()},
  };
  for (lm::cli::Verb& verb : spec.verbs) {
    verb.streams = verb.name == "run" || verb.name == "gen";
    verb.kernels = verb.name != "gen" && verb.name != "plan";
  }
  spec.examples = {
      {"lm-flow gen count -n 20 --length 200 | lm-flow run count -m model -o counted.jsonl.zst",
       "digits counted piece by piece, with what it cost"},
      {"lm-flow run summary.yaml --set m=2000 -m model docs.jsonl.zst -o notes.jsonl.zst",
       "a graph of one's own"},
      {"lm-flow calibrate count -m model -o count.json", "single calls, once"},
      {"lm-flow plan count --calibration count.json -m model --length 200 --workers 1,4",
       "which size of piece to take"},
      {"lm-flow check sort -m model", "whether predictions hold; status 1 if they do not"},
  };
  spec.streams = false;
  spec.wide = true;
  spec.latency = true;
  spec.annotate = true;
  spec.stateful = true;
  spec.stateful_with = "resume";
  spec.see_also = {"lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "plan") return lm::flow_tool::run_plan(tool);
    if (tool.verb() == "gen") return lm::flow_tool::run_gen(tool);
    if (tool.verb() == "calibrate") return lm::flow_tool::run_calibrate(tool);
    if (tool.verb() == "check") return lm::flow_tool::run_check(tool);
    lm::flow_tool::run_graph(tool);
  });
}
