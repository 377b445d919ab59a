# Units by source and size, models of units, means of pairs beside models trained on the pairs; what
# is there is not made again; refusals.
"$(dirname "$(command -v lm-merge)")"/helpers/make-tiny-model tiny
# Words of sources a to d: windows of one list, so that sources overlap differently.
words() {
  awk -v name="$1" -v from="$2" -v to="$3" -v n="$4" -v seed="$5" '
  function draw() { seed = seed * 16807 % 2147483647; return seed / 2147483647 }  # the same in every awk
  BEGIN {
    for (i = 0; i < 10; ++i) draw()
    for (i = 1; i <= n; ++i) {
      text = ""
      for (j = 0; j < 12; ++j) {
        w = from + int((to - from) * draw() * draw()); text = text (j ? " " : "") sprintf("%c%c%c", 97 + w % 26, 97 + int(w / 26) % 26, 97 + (w * 7) % 26)
      }
      printf "{\"id\":\"%s-%d\",\"source\":\"%s\",\"text\":\"%s\"}\n", name, i, name, text
    }
  }'
}
for s in 'a 0 40' 'b 30 90' 'c 60 260' 'd 100 500'; do set -- $s; words "$1" "$2" "$3" 400 "${#2}$3"; done > corpus.jsonl
words general 0 500 200 9 > general.jsonl
lm-tokenize pack -q -m tiny -o general/tokens general.jsonl
o='-q --schedule constant --warmup 0 --batch 8 --seq-len 32'
lm-train $o --arch llama --layers 2 --width 32 --heads 2 --tokenizer tiny --data general --steps 60 --lr 0.003 -o run; cp -rL run/final seed
echo "# init"
init() { lm-merge ablate init --by source -m seed "$@"; }
init corpus.jsonl -o units; echo "status $?"
jq -c '.units[] | [.name, .key, .tokens > 9000]' units/units.json
jq -r '.held_out[] | .part + " " + .file' units/units.json | sort
lm-cat -q -z none units/valid/a.jsonl.zst units/test/a.jsonl.zst units/a/records.jsonl.zst | jq -r .id | sort > got
grep '"a-' corpus.jsonl | jq -r .id | sort | cmp - got && echo "every record of a is there once"
# the same whatever comes beside it, and however many threads there are
grep -v '"d-' corpus.jsonl | init -t 1 -o units3 && cmp units/a/tokens-00000.bin units3/a/tokens-00000.bin && echo "the same unit"
init --unit-tokens 4000 corpus.jsonl -o small && jq -c '[.units[] | select(.key == "a") | [.name, .tokens > 3000 and .tokens < 5500]]' small/units.json
# copies of what is held out, and copies with a few words more, are in no unit
{ cat corpus.jsonl; lm-cat -q -z none units/valid/b.jsonl.zst | jq -c '.id += "-copy"'; lm-cat -q -z none units/valid/b.jsonl.zst | jq -c '.id += "-more" | .text += " and more"'; } > copies.jsonl
init copies.jsonl -o copies --report r.json; lm-cat -q -z none copies/b/records.jsonl.zst | grep -c copy; jq '.metrics.overlapping > 10' r.json; cmp copies/c/tokens-00000.bin units/c/tokens-00000.bin && echo "the same unit"
echo "# train"
train() { lm-merge ablate train "$@" --seed-model seed --steps 60 --lr 0.003 --batch 8 --seq-len 32 -o pool --report r.json; echo "status $?"; jq -c '.metrics | [.models, .kept, .trained, .children_cpu_s > 0]' r.json; }
train units3
train units3
train units
ls -A pool; jq -c '[.units, .key, .trained_tokens]' pool/d/ablate.json
train units --sets pairs -j 2
ls pool | grep -c +
echo "# eval and report"
evals=(); for s in a b c d; do evals+=(--eval units/valid/$s.jsonl.zst); done
lm-merge ablate eval pool "${evals[@]}" -o scores.jsonl.zst; echo "status $?"
lm-cat -q -z none scores.jsonl.zst | jq -r .kind | sort | uniq -c | tr -s ' '
lm-merge ablate report --json --cost scores.jsonl.zst > report.json
jq -c '[.mean_truth.merged.pearson > 0.8, .overall.truth.baseline.spearman != null, (.overall.sets | length), .cost]' report.json | sed 's/"merge_bytes":[0-9]*/"merge_bytes":N/; s/"eval_tokens":[0-9]*/"eval_tokens":N/'
lm-merge ablate report scores.jsonl.zst | sed -n '1p;3p'
# an evaluation of the written mean gives the number of the mean in memory
lm-merge -q --method linear pool/a:$(jq .unit_tokens pool/a/ablate.json) pool/c:$(jq .unit_tokens pool/c/ablate.json) -o mean
lm-ppl-filter score -m mean -z none --bos units/valid/d.jsonl.zst 2> err > written || cat err
lm-cat -q -z none scores.jsonl.zst | jq -c 'select(.id == "merged:a+c:d") | .nll' > memory
lm-eval bpb -m mean --by source units/valid/d.jsonl.zst | jq -c '.languages[0] | .nats / .tokens' | cmp - memory && echo "the same loss"
for t in 1 2; do lm-merge ablate eval pool "${evals[@]}" -t $t --batch $t -z none -o s$t; done; cmp s1 s2 && echo "the same scores"
# truth of another file; sets from a file, of units and keys
lm-cat -q -z none scores.jsonl.zst | jq -c 'select(.kind == "trained")' > truth.jsonl
lm-cat -q -z none scores.jsonl.zst | jq -c 'select(.kind != "trained")' > proxy.jsonl
lm-merge ablate report --json --truth truth.jsonl --cost proxy.jsonl | cmp - report.json && echo "the same report"
printf '%s\n' '["a","b","c"]' '{"set":["d","c","a"]}' > sets
lm-merge ablate eval pool --sets sets "${evals[@]}" -z none -o three.jsonl; jq -c 'select(.kind == "merged" and .eval == "a") | .set' three.jsonl
echo "# refusals"
fail() { lm-merge ablate "$@"; echo "status $?"; }
fail
fail ini
fail init -m seed corpus.jsonl
fail init corpus.jsonl -o x
fail init -m seed corpus.jsonl --valid 0.7 --test 0.5 -o x
fail init -m seed corpus.jsonl --valid 1 --test 0 -o x
fail init -m seed --by nothing corpus.jsonl -o x
mkdir mine; touch mine/file; fail init -m seed corpus.jsonl -o mine
fail train pool --seed-model seed --steps 2 -o pool2
fail train units --seed-model seed --steps 2 -o pool
fail train units --steps 2 -o pool2
fail train units units3 --seed-model seed --steps 2 -o pool2
fail train units --seed-model seed --steps 2 --train-option --nothing -o pool2
fail train units --seed-model seed --steps 2 --train-option --steps=9 -o pool2
fail train units --seed-model seed --steps 2 --sets "" -o pool2
fail eval units "${evals[@]}"
fail eval pool
fail eval pool --eval units/valid/a.jsonl.zst --eval units/test/a.jsonl.zst
fail eval pool "${evals[@]}" --field nothing
echo '["a","e"]' > wrong; fail eval pool --sets wrong "${evals[@]}"
{ cat three.jsonl; grep merged proxy.jsonl; } > mixed; fail report mixed
lm-merge ablate report --allow-mixed-sizes --json mixed | jq -c '[.sizes, .size_adjusted, (.overall.sets | length)]'
fail report general.jsonl
grep -v '"single:a' proxy.jsonl > part; fail report part
{ cat proxy.jsonl; head -n 1 proxy.jsonl; } > twice; fail report twice
