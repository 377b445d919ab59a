helpers=$(dirname "$(command -v lm-embed)")/helpers
"$helpers/make-tiny-model" m
printf '%s\n' 'the king in the hall' 'a small cat' 'water and stone' 'never the same' 'x' '' 'reading by day' > lines
n=0; while read -r line; do n=$((n + 1)); for lang in eng same; do jq -nc --arg t "$line" --arg l $lang --argjson i $n '{id: $i, lang: $l, text: $t}'; done; done < lines > p.jsonl
# other: the lines turned by one, and one without a partner
n=1; while read -r line; do n=$((n % 7 + 1)); jq -nc --arg t "$line" --argjson i $n '{id: $i, lang: "other", text: $t}'; done < lines >> p.jsonl
echo '{"id":"lone","lang":"other","text":"all by itself"}' >> p.jsonl
printf 'same\t10\nother\t0.1\nthird\t1\n' > share.tsv
lm-embed langrank -m m --share share.tsv --report r.json -z none p.jsonl -o rank.jsonl
jq -c '[.rank, .lang, .pairs, .skipped, .share, (.layers | map(.layer))]' rank.jsonl
jq -c '[(.cos, .mexa) | . * 1e4 | round]' rank.jsonl | head -n 1
jq -c '[(.cos < 0.9999), (.mexa < 1), (.corrected < 0.1)]' rank.jsonl | tail -n 1
jq -c '.metrics | .pivot, .share_correlation' r.json
# in files named by their languages line i belongs to line i; order and threads do not matter
mkdir d; for lang in eng same other; do jq -c "select(.lang == \"$lang\") | {text}" p.jsonl > d/$lang.jsonl; done
lm-embed langrank -m m -t 7 --batch 1 -z none d/same.jsonl d/eng.jsonl | jq -c 'del(.share)' > got
jq -c 'select(.lang == "same") | del(.share)' rank.jsonl | cmp - got && echo same
shuf --random-source=lines p.jsonl | lm-embed langrank -m m -t 1 --chunk 7 -z none - | jq -c '[.lang, .pairs, (.cos * 1e9 | round)]' > got
jq -c '[.lang, .pairs, (.cos * 1e9 | round)]' rank.jsonl | cmp - got && echo same
# final punctuation alone makes sentences alike
{ jq -nc '{id: 1, lang: "eng", text: "in the end."}, {id: 2, lang: "eng", text: "in the hall"}, {id: 1, lang: "deu", text: "in the end"}, {id: 2, lang: "deu", text: "in the hall ..."}'; } > q.jsonl
for how in keep strip unify; do lm-embed langrank -m m --final-punct $how -z none q.jsonl | jq -c '.cos > 0.9999'; done
# metrics, layers, pairs
lm-embed langrank -m m --metric mexa --rank-by mexa --layers 0,2 --mexa-layers max --pairs 3 -z none p.jsonl | jq -c '[keys_unsorted, .pairs, .mexa_pairs]'
lm-embed langrank -m m --mexa-pairs 2 -z none p.jsonl | jq -c .mexa_pairs
# without a model
lm-embed langrank -m hash:char3-5,dim=64 -z none p.jsonl | jq -c '[.lang, .pairs, (.cos * 1000 | round == 1000)]'
try() { lm-embed langrank -m m "$@"; echo "status $?"; }
try --pivot fra p.jsonl
try --metric bleu p.jsonl
try --metric cos --rank-by mexa p.jsonl
printf 'same\tx\n' > bad.tsv; try --share bad.tsv p.jsonl
(head -n 1 p.jsonl; head -n 1 p.jsonl) > twice.jsonl; try twice.jsonl
echo '{"text":"a"}' | try
echo '{"text":"a","lang":"eng"}' | try
: > none.jsonl; try -z none none.jsonl
