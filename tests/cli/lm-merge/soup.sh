# Soups by a score from a table: the sequence is written by hand; how often the command runs; what
# is left of trials; commands that fail.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='-q --seq-len 8 --batch 2 --schedule constant --warmup 0 --lr 0.01'
lm-train $o --arch llama --layers 2 --width 16 --heads 2 --vocab 16 --steps 1 -o run ids.jsonl; cp -rL run/final a
lm-train $o --init-from a --steps 2 -o run2 ids.jsonl; cp -rL run2/final b
lm-train $o --init-from a --steps 3 -o run3 ids.jsonl; cp -rL run3/final c
for set in 'b a' 'b c' 'b a c'; do lm-merge --method linear $set -o "${set// /}"; done
# order b a c; a is as good (7), c makes it worse
cat > score <<'X'
#!/bin/sh
echo x >> calls
while read -r folder value; do
  lm-merge diff "$1" "$folder" > /dev/null && { echo "$value"; exit; }
done < table
exit 9
X
chmod +x score
printf '%s\n' 'a 5' 'b 7' 'c 2' 'ba 7' 'bac 6.5' 'bc 8' > table
mkdir tmp
soup() { rm -rf calls m; lm-merge soup "$@" -o m --tmp-dir tmp; echo "status $? $(cat calls 2>/dev/null | wc -l) calls"; }
soup --score ./score --maximize a b c
jq -c '[.mode, .better, .members, .score, .evaluations, [.candidates[].score]], .steps[]' m/soup.json
lm-merge diff m ba | tail -n 1 | cut -d, -f1-3; jq -r '.files | has("soup.json")' m/manifest.json
soup --score ./score --maximize --strict a b c; jq -c .members m/soup.json
printf '%s\n' 'a -5' 'b -7' 'c -2' 'ba -7' 'bac -6.5' 'bc -8' > table
soup --score ./score --minimize a b c --report r.json; jq -c .members m/soup.json; jq -c '.metrics | [.evaluations, .members, .steps]' r.json
soup --mode max --score ./score --minimize a b c; jq -c '.members, .evaluations' m/soup.json; lm-merge diff b m
soup --mode uniform b a c; lm-merge diff m bac | cut -d, -f1-3
# a greedy soup of equal models is that model
soup --score 'echo 1 #' --maximize a a a; jq -c '.members' m/soup.json; lm-merge diff a m
# further rounds, searched shares, what each member is worth
printf '%s\n' 'a 6' 'b 7' 'c 2' 'ba 6.5' 'bc 8' 'bac 9' > table
soup --score ./score --maximize --rounds 3 a b c
jq -c '[.members, .score, .rounds, [.steps[] | [.candidate, .accepted, .round]]]' m/soup.json
lm-merge diff m bac | cut -d, -f1-3
soup --mode uniform --score 'echo 3 #' --maximize --leave-one-out b a c; jq -c '[.members, [.leave_one_out[] | [.member, .score]]]' m/soup.json
printf '%s\n' 'a 6' 'b 7' > table
soup --score 'echo 7 #' --maximize --weighted --leave-one-out a b; jq -c '[.members, .weights, .weighted, .evaluations, (.leave_one_out | length)]' m/soup.json
# perplexity on records, without a command: never worse than the best candidate
make="$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model; "$make" tiny
for i in 1 2 3 4 5 6 7 8; do echo "{\"id\":$i,\"text\":\"the thin thing in the inn $i\"}"; done > train.jsonl
lm-tokenize pack -q -m tiny -o shards/t train.jsonl
for s in 1 2 3; do lm-train $o --init-from tiny --data shards --steps $((2 * s)) --seq-len 16 --seed $s -o tuned$s; cp -rL tuned$s/final t$s; done
soup --eval train.jsonl t1 t2 t3
jq -c '[.better, .score_command, .perplexity_on, .score <= ([.candidates[].score] | min), .evaluations]' m/soup.json
# the score is the perplexity that lm-eval computes of the output
lm-eval bpb -m m --by lang <(jq -c '.lang = "x"' train.jsonl) | jq '.languages[0].ppl_token' > again; jq .score m/soup.json | cmp - again && echo "the same perplexity"
# what cannot be
soup a b
soup --score ./score a b
soup --score ./score --minimize --maximize a b
soup --mode uniform --score ./score a b
soup --score 'exit 3 #' --maximize a b
soup --score 'kill -9 $$ #' --maximize a b
soup --score 'echo good #' --maximize a b
soup --score 'echo nan #' --maximize a b
soup --eval train.jsonl --score ./score --maximize t1 t2
soup --eval train.jsonl --maximize t1 t2
soup --mode max --weighted --score ./score --maximize a b
soup --eval none.jsonl t1 t2
soup --score ./score --maximize a none
soup --score ./score --maximize
ls -A tmp
# a run that is stopped takes command and trial with it
printf '#!/bin/sh\necho $$ > running; sleep 600 | cat\n' > forever; chmod +x forever
lm-merge soup --score 'true | ./forever' --maximize a b -o m --tmp-dir tmp & pid=$!
until [ -s running ]; do sleep 0.05; done
kill -TERM $pid; wait $pid; echo "status $?"
while grep -q '^State:.[^Z]' "/proc/$(cat running)/status" 2>/dev/null; do sleep 0.05; done
ls -A tmp
