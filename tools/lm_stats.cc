// lm-stats: counts what a stream holds, and what rules would remove from it.

#include "lm_stats/stats_tool.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-stats";
  spec.summary = "count what a stream holds, and what rules would remove from it";
  spec.verbs = lm::stats_tool::verbs();
  spec.examples = {
      {"lm-stats in.jsonl.zst", "totals, and every number of fields and attributes"},
      {"lm-stats --top source --top 'host(metadata.url)' --group source in.jsonl.zst",
       "the most frequent sources and hosts, and totals by source"},
      {"lm-stats --drop 'short=score(\"gopher_v1.word_count\") < 50' --examples 5 --html r.html "
       "tagged.jsonl.zst",
       "what a rule would remove, with five examples, as a page"},
      {"lm-stats --partial --shard 0/2 in.jsonl.zst -o 0.zst", "a share of the work"},
      {"lm-stats merge 0.zst 1.zst", "its sum, as if one run had read everything"},
  };
  spec.see_also = {"lm-cat", "lm-mix", "lm-tag"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "merge") return lm::stats_tool::run_merge(tool);
    lm::stats_tool::run_count(tool);
  });
}
