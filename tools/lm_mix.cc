// lm-mix: keeps records by rules over their attributes, cuts spans out of texts, samples.

#include "common/rule_options.h"
#include "lm_mix/mix.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-mix";
  spec.summary = "keep records by rules over their attributes, cut spans out of texts, sample";
  spec.verbs = {{"", "", lm::mix_tool::flags()}};
  spec.examples = {
      {"lm-mix --where 'long=score(\"gopher_v1.word_count\") >= 50' tagged.jsonl.zst -o "
       "kept.jsonl.zst",
       "keep documents of 50 words and more"},
      {"lm-mix --report-only --drop 'web=source == \"web\"' --drop 'short=length(text) < 200' "
       "in.jsonl",
       "what two rules would remove, each and together"},
      {"lm-mix --cut 'pii_v3.email:|||EMAIL|||' --cut dup_paragraphs in.jsonl.zst",
       "replace addresses, cut repeated paragraphs out"},
      {"lm-mix --clean c4 --clean fineweb --report-only in.jsonl.zst",
       "what two cleaners would take away"},
      {"lm-mix --sample 0.1 in.jsonl.zst -o tenth.jsonl.zst", "a tenth, the same in any sharding"},
      {"lm-mix --weights temperature:0.5 --budget 3e9 --count 'score(\"tokens.n\")' --shuffle "
       "*.jsonl.zst -o mix.jsonl.zst",
       "three billion tokens, small sources more often, in random order"},
      {"lm-mix --recipe mixer.yaml --provenance",
       "the streams of a configuration of Dolma's mixer"},
  };
  spec.see_also = {"lm-cat", "lm-dedup", "lm-ppl-filter", "lm-stats", "lm-tag"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, lm::mix_tool::run_mix);
}
