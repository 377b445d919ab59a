# Learning from rewards: a command that verifies, every method, threads, a stop and its continuation, adapters; a
# reward model, best of n as a pipeline.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"say %d: ","completion":"%d"}\n' $i $((i % 10)) $((i * 7 % 10)); done > docs.jsonl
jq -c '{text:(.prompt+.completion)}' docs.jsonl > text.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' text.jsonl -o tok.json 2>/dev/null
lm-train -q --arch llama --layers 1 --width 32 --heads 4 --seq-len 32 --tokenizer tok.json --objective sft --batch 8 --steps 60 --lr 1e-2 -o base docs.jsonl
head -n 10 docs.jsonl | jq -c 'del(.completion)' > prompts.jsonl
# A seven is what is wanted; the record itself is there, with what was written.
verify="jq -c --unbuffered 'if .prompt and (.truncated | type) == \"boolean\" then {reward: (if .completion == \"7\" then 1 else 0 end)} else null end'"
o='--init-from base/final --batch 8 --samples 4 --max-tokens 4 --lr 2e-3 --steps 25 --seed 3'
align() { lm-train align $o --reward-command "$verify" "$@" prompts.jsonl; }
for method in ppo reinforce rloo grpo; do
  align --method $method -o $method || exit
  jq -sc --arg m $method '[$m, length, (.[:3] | map(.reward) | add / 3 < 0.5), (.[-3:] | map(.reward) | add / 3 > 0.7), (.[0].kl | fabs < 1e-4), .[-1].kl_sequence > 0, (.[0] | keys_unsorted - ["step", "tokens", "loss", "grad_norm", "lr", "ms", "tokens_per_s", "mfu", "skipped"])]' $method/metrics.jsonl
done
# The folder is a model without a value head; the share of sevens rose.
ls ppo/final && lm-decode -m ppo/final --max-tokens 4 -z none prompts.jsonl | jq -sc 'map(.completions[0].text == "7") | map(select(.)) | length > 6'
align --method ppo -t 2 -o threads && cmp ppo/final/model.safetensors threads/final/model.safetensors
align --method ppo -t 1 --micro-batch 8 --save-every 5 --keep 0 -o part
rm -r part/final part/latest part/step-000000[12]*
align --method ppo --save-every 5 --keep 0 -o part && cmp ppo/final/model.safetensors part/final/model.safetensors
cmp ppo/final/state/optimizer-00001-of-00001.safetensors part/final/state/optimizer-00001-of-00001.safetensors
jq -c .step part/metrics.jsonl | sort -n | uniq -c | awk '{n += $1} END {print NR, n}'
align --method ppo -o ppo && echo complete
align --method ppo --kl 0.1 -o ppo; echo "status $?"
# A stop while rewards are asked for drops that step; the same command goes on.
stopping='n=0; while read -r l; do n=$((n + 1)); [ $n != 100 ] || [ -e stopped ] || { touch stopped; kill -TERM $PPID; }; case $l in *7*) echo 1 ;; *) echo 0 ;; esac; done'
stopped() { lm-train align $o --method rloo --steps 8 --reward-command "$stopping" "$@" prompts.jsonl; }
touch stopped && stopped -o whole && rm stopped
stopped -o stops 2> /dev/null; echo "status $?"
stopped -o stops; cmp whole/final/model.safetensors stops/final/model.safetensors
# Adapters.
align --method rloo --lora r=4 --lr 2e-2 -o adapted && ls adapted/final && jq -sc '.[-3:] | map(.reward) | add / 3 > 0.7' adapted/metrics.jsonl
# A reward model: sevens are better than anything else. Best of n, and what is learnt from it.
jq -c '{prompt, chosen: "7", rejected: (.id % 7 | tostring)}' docs.jsonl > pairs.jsonl
lm-train -q --init-from base/final --objective reward --batch 8 --epochs 8 --lr 3e-3 -o rm pairs.jsonl
lm-decode score -m rm/final --completion-field chosen --completion-field rejected -z none pairs.jsonl | jq -sc '[length, (map(select(.best == 0)) | length > 55), (.[0].rewards | length)]'
lm-train align $o --reward-model rm/final --method rloo -o judged prompts.jsonl
jq -sc '[.[-1].reward > .[0].reward]' judged/metrics.jsonl
lm-decode -m base/final -n 8 --max-tokens 4 --flat prompts.jsonl | lm-decode score -m rm/final -z none > many.jsonl
lm-mix --top 1 --by reward --group id -z none many.jsonl > best.jsonl
jq -nc --slurpfile all many.jsonl --slurpfile best best.jsonl '[($best | length), ($all | group_by(.id) | map(map(.reward) | max)) == ($best | sort_by(.id) | map(.reward))]'
lm-train -q --init-from base/final --objective sft --completion-field completion.text --batch 4 --steps 5 -o best best.jsonl && ls best/final | head -n 1
# The same rewards for any batch and threads, texts alone, and completions that a limit ended have no end token.
lm-decode -m base/final -n 8 --max-tokens 4 --flat prompts.jsonl | lm-decode score -m rm/final --batch 1 -t 1 -z none | cmp - many.jsonl
printf '{"prompt":"say 1: ","completion":%s}\n' '"7"' '{"text":"7","finish_reason":"stop"}' '{"text":"7","finish_reason":"length"}' |
  lm-decode score -m rm/final -z none | jq -sc '[.[0].reward == .[1].reward, .[0].reward == .[2].reward]'
printf '{"prompt":"say 1: ","completion":"7"}\n' | lm-decode score -m rm/final --no-eos -z none > plain.jsonl
printf '{"prompt":"say 1: ","completion":{"text":"7","finish_reason":"length"}}\n' | lm-decode score -m rm/final -z none | jq .reward | diff - <(jq .reward plain.jsonl)
