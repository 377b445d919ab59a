# What cannot fit is refused before it starts, with a change that would fit, and that change does fit.
seq 1 3000 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='--preset llama-mini --vocab 512 --seq-len 64 --batch 64 --micro-batch 64 --steps 1 ids.jsonl'
lm-train $o --memory 300M -o run 2> err; echo "status $?"
sed -E 's/[0-9.]+ [MK]iB/N/g; s/\(largest: .*\)/(largest: ...)/' err
grep -o ', ' err | wc -l
ls -A
changed=$(sed -nE 's/.*hint: (.*) takes .*/\1/p' err)
lm-train $o $changed --memory 300M --plan > plan && sed -nE 's/(memory in all +)[0-9.]+ MiB of/\1N of/p' plan
lm-train $o --memory 10M -o run 2> err; echo "status $?"
sed -nE 's/[0-9.]+ MiB/N/; s/.*hint/hint/p' err
