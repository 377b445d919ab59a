# All estimators with the generations that each takes and its interval over questions, by seed; and the
# recorded answers of GSM8K, null when there are none.
def rows: .estimators | map({name, generations, questions, auroc: .metrics.auroc, prr: .metrics.prr.value});
{invented: [inputs | rows], gsm8k: ($gsm8k[0] | if . == null then null else {questions, accuracy, estimators: rows} end)}
