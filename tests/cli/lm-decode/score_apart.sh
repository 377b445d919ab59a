"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
# windows that do not overlap are scored as texts of their own: no token before their first
text=$(seq 300 | tr -d '\n')
printf '{"id":"a","text":"%s"}\n' "${text:0:203}" > in.jsonl
for at in $(seq 0 64 202); do printf '{"text":"%s"}\n' "$(printf %s "${text:0:203}" | tail -c +$((at + 1)) | head -c 64)"; done > cut.jsonl
lm-decode score -m m --no-bos --window 64 --stride 64 --per-token --top-logprobs 1 -z none in.jsonl | jq -c '.score | [.tokens, .bytes, .token_ids, .logprobs, .top_logprobs]' > got
lm-decode score -m m --no-bos --per-token --top-logprobs 1 -z none cut.jsonl | jq -cs 'map(.score) | [(map(.tokens) | add), (map(.bytes) | add), (map(.token_ids) | add), (map(.logprobs) | add), (map(.top_logprobs) | add)]' > want
cmp got want && jq -c '[.[0], .[1]]' got
# a begin token stands before the first window alone; a last window of one token scores nothing
lm-decode score -m m --window 64 --stride 64 -z none in.jsonl | jq -c '.score | [.tokens, .bytes]'
printf '{"text":"%s"}\n' "${text:0:65}" | lm-decode score -m m --no-bos --window 64 --stride 64 -z none | jq -c '.score | [.tokens, .bytes]'
