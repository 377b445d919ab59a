# What align refuses, by name.
for i in $(seq 0 19); do printf '{"id":"q%d","prompt":"say %d: ","completion":"%d"}\n' $i $((i % 10)) $((i * 7 % 10)); done > docs.jsonl
jq -c '{text:(.prompt+.completion)}' docs.jsonl > text.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' text.jsonl -o tok.json 2>/dev/null
lm-train -q --arch llama --layers 1 --width 32 --heads 4 --seq-len 32 --tokenizer tok.json --objective sft --batch 4 --steps 2 -o base docs.jsonl
o='--init-from base/final --batch 2 --samples 2 --max-tokens 4 --steps 2'
try() { lm-train align "$@"; echo "status $?"; }
try -o run docs.jsonl
try --init-from base/final -o run docs.jsonl
try $o -o run docs.jsonl
try $o --reward-command 'cat' --reward-model base/final -o run docs.jsonl
try $o --reward-model base/final -o run docs.jsonl
try --init-from base/final --reward-command cat --batch 2 --max-tokens 4 -o run docs.jsonl
try $o --reward-command cat docs.jsonl
try $o --samples 1 --reward-command cat -o run docs.jsonl
try $o --minibatches 3 --reward-command cat -o run docs.jsonl
try $o --method ppo --samples 1 --value-weight 1 --gae-lambda 2 --reward-command cat -o run docs.jsonl
try $o --value-weight 1 --reward-command cat -o run docs.jsonl
# Commands that give no rewards.
try $o --seed 1 --reward-command 'while read -r l; do echo good; done' -o run docs.jsonl
try $o --seed 1 --reward-command 'while read -r l; do echo nan; done' -o run docs.jsonl
try $o --seed 1 --reward-command 'read -r l; echo 1' -o run docs.jsonl
try $o --seed 1 --reward-command 'while read -r l; do echo 1; echo 2; done' -o run docs.jsonl
try $o --seed 1 --reward-command 'sleep 60' --reward-timeout 1 -o run docs.jsonl
# Records.
echo '{"id":"x","text":"no prompt"}' | try $o --reward-command 'cat' -o run
echo '{"id":"x","prompt":"a","prompt_ids":[1]}' | try $o --reward-command 'cat' -o run
jq -nc '{id: "long", prompt: ("word " * 40)}' | try $o --reward-command 'cat' -o run
printf '' | try $o --reward-command 'cat' -o run
# Memory; a model of another tokenizer; a policy that predicts nothing.
try $o --reward-command 'cat' --memory 1M -o run docs.jsonl 2>&1 | sed -E 's/[0-9.]+ [KMG]iB/N/g; s/(largest: ).*/\1.../; s/micro-batch .*/.../'
jq -c '{prompt, chosen: "7", rejected: "no"}' docs.jsonl > pairs.jsonl
echo '{"text":"other words other words"}' | lm-tokenize train -q -n 262 --special-token '<|endoftext|>' -o other.json 2>/dev/null
lm-train -q --arch llama --layers 1 --width 32 --heads 4 --seq-len 32 --tokenizer other.json --objective reward --batch 4 --steps 2 -o rm pairs.jsonl
try $o --reward-model rm/final -o run docs.jsonl
try --init-from rm/final --steps 1 --reward-command cat -o run docs.jsonl
# A reward model gives no log-probabilities, and a model that does gives no rewards.
lm-decode score -m rm/final --per-token docs.jsonl; echo "status $?"
lm-decode score -m rm/final --window 4 docs.jsonl; echo "status $?"
printf '{"prompt":"a","completion":{"index":0}}\n' | lm-decode score -m rm/final -z none | jq -c .error
