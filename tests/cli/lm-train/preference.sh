# Preferences: reference log-probabilities by lm-decode, all objectives over pairs and labels; texts and ids
# are the same records; threads, a stop and a pipe change nothing.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"say %d: ","chosen":"%d","rejected":"%d no"}\n' $i $((i % 10)) $((9 - i % 10)) $((i % 7)); done > pairs.jsonl
jq -c '{text:(.prompt+.chosen+.rejected)}' pairs.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
lm-train -q --arch llama --layers 2 --width 32 --heads 4 --seq-len 48 --batch 4 --steps 2 --data data.json --tokenizer tok.json -o base
score='lm-decode score -m base/final --boundary separate --eos -z none'
$score --completion-field chosen --completion-field rejected pairs.jsonl > scored.jsonl
jq -c '[.scores | length, (map(.tokens) | .[0] < .[1]), all(.sum < 0)]' scored.jsonl | sort -u
o='--init-from base/final --batch 4 --epochs 20 --lr 3e-3'
for objective in dpo ipo hinge; do
  lm-train $o --objective $objective -o $objective scored.jsonl
  jq -sc --arg o $objective '[$o, (.[0] | (.kl | fabs) < 1e-4), (.[-1] | .reward_accuracy, .loss < 0.5)]' $objective/metrics.jsonl
done
for objective in simpo orpo reward; do
  lm-train $o --objective $objective -o $objective pairs.jsonl
  jq -sc --arg o $objective '[$o, (.[0].loss > .[-1].loss), (.[-1] | .reward_accuracy)]' $objective/metrics.jsonl
done
# At the reference dpo is log 2, and ipo 1 / (2 beta)^2.
jq -c 'select(.step == 1) | .loss * 1000 | round' dpo/metrics.jsonl ipo/metrics.jsonl hinge/metrics.jsonl
# Labels, and completions of other prompts.
jq -c '{prompt, completion: .chosen, label: true, other: .rejected}, {prompt, completion: .rejected, label: 0, other: .chosen}' pairs.jsonl > labels.jsonl
$score --completion-field completion --completion-field other labels.jsonl > both.jsonl
lm-train $o --objective kto --mismatched-field other -o kto both.jsonl
jq -c 'select(.step == 1) | .loss * 1000 | round' kto/metrics.jsonl
jq -sc '.[-1] | [.desirable_reward > 0.1, .undesirable_reward < -0.1]' kto/metrics.jsonl
$score labels.jsonl | lm-train $o --objective kto --ref-field score -o kto1
jq -sc '.[-1] | [.desirable_reward > 0.1, .undesirable_reward < -0.1, has("kl")]' kto1/metrics.jsonl
lm-train $o --objective unlikelihood -o unlikely labels.jsonl
jq -sc '[.[0].likely_nats > .[-1].likely_nats, .[0].unlikely_nats < .[-1].unlikely_nats]' unlikely/metrics.jsonl
# The reward model is a folder with a head, which trains on; it predicts no tokens.
jq -c '[.architectures[0], .id2label]' reward/final/config.json
lm-merge diff reward/final reward/final | cut -d, -f1
lm-train --init-from reward/final --objective reward --batch 4 --steps 1 -o reward2 pairs.jsonl
jq -c '[.reward_accuracy]' reward2/metrics.jsonl
echo '{"prompt":"say 1: "}' | lm-decode -m reward/final; echo "status $?"
lm-train --init-from reward/final --objective sft --steps 1 -o reward3 labels.jsonl; echo "status $?"
# Threads; a stop and its continuation; ids.
lm-train $o --objective dpo -t 2 -o threads scored.jsonl
cmp dpo/final/model.safetensors threads/final/model.safetensors
lm-train $o --objective dpo --save-every 7 -o part scored.jsonl
rm -r part/final part/latest part/step-0000001[4-9] part/step-0000002* 2> /dev/null
lm-train $o --objective dpo --save-every 7 -o part scored.jsonl
cmp dpo/final/model.safetensors part/final/model.safetensors
for field in prompt chosen rejected; do lm-tokenize -q -m tok.json --field $field --ids-field ${field}_ids -z none scored.jsonl | jq -c "del(.$field)" > next.jsonl; mv next.jsonl scored.jsonl; done
jq -c '[keys[] | select(endswith("_ids"))]' scored.jsonl | sort -u
lm-train $o --objective dpo -o ids scored.jsonl
cmp dpo/final/model.safetensors ids/final/model.safetensors
# One record a sequence, and what a plan says.
lm-train --init-from base/final --objective dpo --no-pack --batch 4 --epochs 1 -o single scored.jsonl
jq -sc 'length' single/metrics.jsonl
lm-train --init-from base/final --batch 2 --objective dpo --steps 9 --plan scored.jsonl | grep -E '^(tokens per|data|steps)'
