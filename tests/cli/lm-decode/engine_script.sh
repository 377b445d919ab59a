# A scripted model in lm-decode's own record format.
cat > rules.jsonl <<'R'
{"when":{"meta.role":"pivot"},"reply":"by meta","tokens":7}
{"when":{"id_prefix":"em-"},"replies":["yes","no"]}
{"when":{"prompt_re":"^count"},"fn":"count_digits","input":{"after":"count: "}}
{"when":{"role":"user"},"reply":"hello"}
{"when":{"id":"down"},"error":{"code":"engine","message":"down"},"times":1}
{"when":{"id":"never"},"reply":"x"}
R
cat > in.jsonl <<'R'
{"id":"a","prompt":"p","meta":{"role":"pivot"},"kept":[1, 2]}
{"id":"em-1","prompt":"p","params":{"n":3}}
{"prompt":"count: a1b22"}
{"id":"chat","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}
{"id":"down","prompt":"p"}
{"id":"lost","prompt":"nobody answers"}
{"id":"digits","prompt":"count: 123","regex":"[0-9]"}
{"id":"word","prompt":"count: 123","constraint":{"type":"choices","value":["one","2"]}}
{"id":"bad","prompt":"p","constraint":{"type":"word","value":"a"}}
R
run() { lm-decode --engine script:rules.jsonl -z none "$@"; }
run --script-coverage coverage.json --report report.json in.jsonl | jq -c '[.id, .error.code, .error.message, .prompt_tokens, [.completions[]? | .text, .finish_reason, .completion_tokens]]'
cat coverage.json
jq -c '.metrics.script.used, (.metrics.throughput | [.records, .prompt_tokens, .generated_tokens, .unmatched, .finish_reasons])' report.json
run in.jsonl | head -n 1 | sed 's/"key":"[0-9a-f]*"/"key":"K"/'
run --reply messages --drop-extra in.jsonl | jq -c 'select(.id == "chat") | .messages'
run --flat in.jsonl | jq -c 'select(.id == "em-1") | .completion | [.index, .text]'
run --prompt-field meta.role in.jsonl --on-error skip -q | jq -c '.prompt_tokens'
# options of the run hold for records without their own
run --regex '[a-z ]+' in.jsonl | jq -c 'select(.id == "a" or .id == "em-1") | [.id, .error.code]'
run --regex '[0-9]+' in.jsonl | jq -c 'select(.id == "a" or .id == "em-1") | [.id, .error.code]'
# a run that goes on, where rules do not take turns
grep -v times rules.jsonl > plain.jsonl
lm-decode --engine script:plain.jsonl in.jsonl -o want.jsonl 2>/dev/null
head -n 3 want.jsonl > old.jsonl
lm-decode --engine script:plain.jsonl --resume old.jsonl --report report.json in.jsonl -o got.jsonl 2>/dev/null
cmp want.jsonl got.jsonl && jq -c .metrics.throughput.reused_records report.json
lm-decode --engine script:rules.jsonl --resume old.jsonl in.jsonl
echo '{"when":{},"reply":"of another script"}' > other.jsonl
lm-decode --engine script:other.jsonl --resume old.jsonl in.jsonl 2>/dev/null | zstd -dcf | jq -r '.completions[0].text' | sort | uniq -c
# an unmatched prompt ends the run on request
run --strict-script in.jsonl -o strict.jsonl 2>&1 | tail -n 1; test ! -e strict.jsonl && echo "nothing written"
