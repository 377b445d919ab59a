# Languages are inside --memory: many of them, one after the other or at once, give the same bytes in
# less; what does not fit is refused with what would do.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 256
for i in $(seq 40); do
  jq -nc --argjson i "$i" '{id: "r\($i)", prompt: "the", schema: {type: "object", additionalProperties: false,
    properties: ([range(30) | {key: "f\($i)of\(.)", value: [{type: "integer"}, {type: "string", maxLength: 9},
      {type: "array", items: {type: "boolean"}, maxItems: 3}, {enum: ["x", "y", $i]}][. % 4]}] | from_entries),
    required: ["f\($i)of0", "f\($i)of1"]}}'
done > in.jsonl
run() { lm-decode -m m --max-tokens 120 --batch 2 "$@" in.jsonl; }
run -o want.jsonl
jq -c '.completions[0].text | fromjson | has("x")' want.jsonl | sort | uniq -c
for memory in 512M 64M 24M; do run --memory $memory -o got.jsonl && cmp want.jsonl got.jsonl && echo "same in $memory"; done
run --memory 3M -o little.jsonl 2>err; echo "status $? $(test -e little.jsonl && echo written)"
sed 's/[0-9.]* [KM]iB/N/g; s/[0-9]*M/N/' err
# one language that grows without end is its record's fault, not the run's
jq -nc '{id: "big", prompt: "the", regex: "[ab]*a[ab]{40}"}, {id: "small", prompt: "the", regex: "[ab]{3}"}' > grows.jsonl
lm-decode -m m --max-tokens 200 --grammar-memory 64K -z none grows.jsonl 2>/dev/null | jq -c '[.id, .error.code, .completions[0].error.code, (.completions[0].text // "" | length <= 3)]'
# what a grammar takes to compile is bounded by the same option, within a quarter of --memory
awk 'BEGIN { srand(1); for (i = 0; i < 40000; i++) { w = ""; for (k = 0; k < 40; k++) w = w substr("abcdefghijklmnopqrstuvwxyz", 1 + int(rand() * 26), 1); printf "%s\"%s\"", i ? " | " : "root ::= ", w } print "" }' > words.gbnf
jq -nc '{id: "word", prompt: "the"}' > one.jsonl
held() { lm-decode -m m --max-tokens 60 --grammar words.gbnf "$@" -z none one.jsonl 2>err | jq -c '.completions[0].finish_reason'; echo "status ${PIPESTATUS[0]}"; sed 's/[0-9.]* [KM]iB/N/g' err; }
held
held --grammar-memory 16M
held --memory 200M
jq -c '. + {grammar: $text}' --rawfile text words.gbnf one.jsonl > own.jsonl
lm-decode -m m --max-tokens 9 --grammar-memory 16M -z none own.jsonl 2>/dev/null | jq -c '[.error.code, .error.message]' | sed 's/[0-9.]* [KM]iB/N/g'
