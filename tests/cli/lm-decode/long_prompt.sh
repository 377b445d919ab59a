# A prompt far longer than the context is refused without rows made of it, and what its tokens take is in --memory.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
awk 'BEGIN { x = "the end "; while (length(x) < 2e7) x = x x; printf "{\"id\":\"long\",\"prompt\":\"%s\"}\n{\"id\":\"short\",\"prompt\":\"the\"}\n", x }' > in.jsonl
run() { lm-decode -m m --max-tokens 3 --drop-extra "$@" in.jsonl -o out.jsonl; echo "status $?"; }
run -q --report r.json
jq -c '[.id, .error.code, .completions[0].completion_tokens]' out.jsonl
jq -r '.error.message // empty' out.jsonl
jq -c '.max_rss_bytes < 12 * 33554432' r.json
run --memory 64M 2>err; sed 's/[0-9.]* [KM]iB/N/g; s/[0-9]*M/N/' err
# a set of texts, and a document that is cut
jq -nc --rawfile x in.jsonl '{id: "set", prompt: ["a", {set: [$x, "b"]}]}' > set.jsonl
lm-decode -m m --max-tokens 3 --memory 64M set.jsonl -o out.jsonl 2>err; echo "status $?"; sed 's/[0-9.]* [KM]iB/N/g; s/[0-9]*M/N/' err
