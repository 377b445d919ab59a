# Every format: rows of ids give the documents back, whatever the characters.
cat > file.json <<"END"
{"layout":"masks","mask":"[hole %]","sep":"[answers]","end":"[done]","eos":"<|endoftext|>"}
END
lm-tokenize train -q -n 300 --special-token '<|endoftext|>' --special-token '<fim_prefix>' --special-token '<fim_suffix>' \
  --special-token '<fim_middle>' --special-token '<|fim_prefix|>' --special-token '<|fim_suffix|>' --special-token '<|fim_middle|>' \
  --special-token '▁<PRE>' --special-token '▁<SUF>' --special-token '▁<MID>' --special-token '▁<EOT>' \
  --special-token '<｜fim▁begin｜>' --special-token '<｜fim▁hole｜>' --special-token '<｜fim▁end｜>' \
  --special-token '[hole 1]' --special-token '[hole 2]' --special-token '[answers]' --special-token '[done]' - -o tok/ <<"END"
{"text":"the the of of"}
END
seq 40 | awk '{ printf "{\"id\":%d,\"text\":\"line %d caf\\u00e9 \\ud83d\\ude00 <fim_prefix>\\n\\tof the %s\"}\n", $1, $1, $1 % 3 ? "end" : "" }' > in.jsonl
for format in psm spm codellama qwen deepseek file.json; do
  lm-transform infill --format $format --infill-rate 1 --min-tokens 0 -m tok -q in.jsonl -o rows.jsonl
  lm-transform infill --format $format --inverse -m tok -z none rows.jsonl > back.jsonl
  cmp <(jq -c .text in.jsonl) <(jq -c .text back.jsonl) && echo "$format: $(jq -r .infill.kind rows.jsonl | sort | uniq -c | tr -s ' ')"
done
lm-tokenize decode -m tok --field said -z none rows.jsonl | head -n 1 | jq -r .said
# A row that is none.
echo '{"input_ids":[1,2,259]}' | lm-transform infill --format psm --inverse -m tok
echo "status $?"
