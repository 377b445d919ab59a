# The best answer to each question, as the records are.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 128
for q in 1 2 3 4 5 6; do
  for s in long short odd; do
    case $s in
      long) a=" the cat sat on the mat $q" ;;
      short) a=" $q" ;;
      odd) a=" zx$((q * 7919))qj" ;;
    esac
    printf '{"id":"q%d", "strategy":"%s","prompt":"what is %d?","answer":"%s","reward":%d,"more":[1.50]}\n' $q $s $q "$a" $((q * ${#a} % 11))
  done
done > in.jsonl
r() { lm-ppl-filter responses -q -m m "$@"; }
echo 'by the numbers that lm-decode score has'
r --metric ppl --per-item -z none --report report.json in.jsonl > got.jsonl
jq -c '{id: (.strategy + " " + .id), prompt, completion: .answer}' in.jsonl | lm-decode score -m m --boundary separate -z none |
  jq -c '[(.id | split(" ")), .score.ppl] | flatten' | jq -sc 'group_by(.[1]) | map(min_by(.[2]))[] | [.[1], .[0]]' > want
jq -c '[.id, .strategy]' got.jsonl | cmp - want && echo same
echo 'lines are not touched; kept and removed are all'
grep -cvxFf in.jsonl got.jsonl
jq -c '[.metrics.kept, .metrics.removed, .output.records, .metrics.responses.metrics[0].metric]' report.json
echo 'the largest reward; of equal ones the name that comes first'
r --metric reward --per-item -z none in.jsonl | jq -c '[.id, .strategy, .reward]' > got
jq -sc 'group_by(.id) | map(sort_by(-.reward, .strategy)[0])[] | [.id, .strategy, .reward]' in.jsonl | cmp - got && echo same
echo 'of equal perplexities the fewer tokens'
printf '%s\n' '{"id":1,"strategy":"a","prompt":"p","answer":" 1 1"}' '{"id":1,"strategy":"b","prompt":"p","answer":" 2"}' |
  r --metric length --per-item -z none | jq -r .strategy
echo 'order, threads and batches'
r --metric ppl --per-item -z none -t 2 --batch 1 --chunk 5 in.jsonl | cmp - got.jsonl && echo same
r --metric ppl --per-item -z none -t 7 in.jsonl | cmp - got.jsonl && echo same
shuf --random-source=in.jsonl in.jsonl | r --metric ppl --per-item -z none | sort | cmp - <(sort got.jsonl) && echo same
lm-cat --compress stored in.jsonl | r --metric ppl --per-item -o out.jsonl.zst; lm-cat -z none out.jsonl.zst | cmp - got.jsonl && echo same
echo 'a fifo, which cannot be opened twice, and where the records came from'
mkfifo fifo; lm-cat in.jsonl > fifo & r --metric ppl --per-item -o out.jsonl.zst fifo; wait $!; lm-cat -z none out.jsonl.zst | cmp - got.jsonl && echo same
lm-cat --header out.jsonl.zst | jq -c '[.tool, .chain[].tool]'
lm-cat in.jsonl | r --metric ppl --per-item -o out.jsonl.zst; lm-cat --header out.jsonl.zst | jq -c '[.tool, .chain[].tool]'
echo 'with examples, the first questions, gaps, impossible answers, bad records'
echo '{"id":"x","prompt":"and 9?","answer":"nine"}' > own.jsonl
r --own own.jsonl -k 1 --per-item --first 2 -z none in.jsonl | jq -r .id
grep -v '"q5", "strategy":"odd"' in.jsonl > gap.jsonl
r --metric length --per-item -z none gap.jsonl 2>&1 | jq -R 'fromjson? // . | .id? // .' | sort -u | paste -sd' '
r --metric length --per-item --allow-missing -z none gap.jsonl | jq -r .id | paste -sd' '
printf '%s\n' '{"id":1,"strategy":"a","prompt":"p","answer":""}' '{"id":2,"strategy":"a","prompt":"p","answer":" 2"}' |
  r --metric ppl --per-item -z none | jq -r .id
(cat in.jsonl; echo '{"id":"q7"}') | r --metric ppl --per-item -z none --on-error quarantine --rejects bad.jsonl | cmp - got.jsonl && echo same
jq -c 'keys' bad.jsonl
echo 'refusals'
bad() { "$@"; echo "status $?"; }
bad r --metric ppl,length --per-item in.jsonl
bad r --per-item --format json in.jsonl
