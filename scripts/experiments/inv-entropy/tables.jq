# Estimators by their mean AUROC over the seeds, with what each costs; colours of the plot: 0 answers to
# reworded prompts, 1 answers to one prompt, 2 one answer. And the recorded answers of GSM8K, or
# null. An estimator without any order of the questions is left out.
include "stats";
def family($way): map(.estimators[] | select(.metrics.auroc.value != null)) | group_by(.name) | map({name: "\(.[0].name)\($way)", generations: .[0].generations,
  auroc: (map(.metrics.auroc.value) | interval), prr: (map(.metrics.prr.value) | mean),
  colour: (if .[0].generations < 10 then 2 elif .[0].name | test("inv_|^ni_|spuq") then 0 else 1 end)});
{estimators: ([inputs] | family("")
  + ($ten | family(", 10 answers") | map(select(.name | startswith("cluster_entropy"))))
  + ($pooled | family(", pooled") | map(select(.name | startswith("cluster_entropy")))) | sort_by(-.auroc.mean)),
 gsm8k: ($gsm8k[0] | if . == null then null else {questions, accuracy, estimators: (.estimators
   | map(select(.metrics.auroc.value != null) | {name, generations,
   auroc: .metrics.auroc}) | sort_by(-.auroc.value))} end)}
