# Strategies of making answers, ranked by what a model holds of the answers.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m 1 262 128
for q in 1 2 3 4 5; do
  for s in long short odd; do
    case $s in
      long) a=" the cat sat on the mat $q" ;;
      short) a=" $q" ;;
      odd) a=" zx$((q * 7919))qj" ;;
    esac
    printf '{"id":"q%d","strategy":"%s","prompt":"what is %d?","answer":"%s","reward":%d}\n' $q $s $q "$a" ${#a}
  done
done > in.jsonl
r() { lm-ppl-filter responses -m m "$@"; }
echo 'means of the numbers that lm-decode score has'
r --metric ppl,nll,length,reward --format json in.jsonl > got.json
jq -c '{id: (.strategy + .id), prompt, completion: .answer}' in.jsonl | lm-decode score -m m --boundary separate -z none |
  jq -c '[(.id | sub("q.$"; "")), .score.ppl, -.score.sum, .score.tokens]' > scores
for m in ppl:1 nll:2 length:3; do
  jq -sc --argjson i ${m#*:} 'group_by(.[0]) | map([.[0][0], (map(.[$i]) | add / length)]) | sort_by(.[1], .[0])' scores > want
  jq -c --arg m ${m%:*} '.metrics[] | select(.metric == $m).ranking | map([.strategy, .mean])' got.json > have
  jq -sc '[.[0], .[1]] | transpose | map((.[0][0] == .[1][0]) and ((.[0][1] - .[1][1]) | fabs < 1e-9)) | all' want have
done
jq -c '.metrics[3] | .chosen, (.ranking | map([.strategy, .mean]))' got.json
jq -c '[.metrics[].ranking | map(.p_best) | add | . * 1000 | round]' got.json
echo 'the order of the lines, threads and batches change nothing'
shuf --random-source=in.jsonl in.jsonl > shuffled.jsonl; r --metric ppl,nll,length,reward --format json shuffled.jsonl | cmp - got.json && echo same
r --metric ppl,nll,length,reward --format json -t 2 --batch 1 --chunk 5 in.jsonl | cmp - got.json && echo same
echo 'own answers to other questions'
printf '%s\n' '{"id":"q1","prompt":"what is 1?","answer":"one","correct":true}' '{"id":"q2","prompt":"what is 2?","answer":"two","correct":1}' \
  '{"id":"x","prompt":"and 9?","answer":"nine"}' '{"id":"q3","prompt":"what is 3?","answer":"four","correct":false}' > own.jsonl
r --own own.jsonl -k 1 --layout '{examples}{prompt}' --example-layout '{prompt} {answer}. ' --format json in.jsonl > sppl.json
jq -c '[.metrics[].metric, .shortened_prompts]' sppl.json
tac own.jsonl > backwards.jsonl
r --own backwards.jsonl -k 1 --layout '{examples}{prompt}' --example-layout '{prompt} {answer}. ' --format json in.jsonl | cmp - sppl.json && echo same
# by hand: q1 may see 2 or x alone, whichever follows its digest; its answers score behind that
for e in 'what is 2? two. ' 'and 9? nine. '; do
  jq -c --arg e "$e" 'select(.id == "q1") | {id: .strategy, prompt: ($e + .prompt), completion: .answer}' in.jsonl |
    lm-decode score -m m --boundary separate -z none | jq -sc 'map([.id, .score.ppl]) | sort_by(.[1])'
done > either
jq -c 'select(.id == "q1")' in.jsonl | r --own own.jsonl -k 1 --layout '{examples}{prompt}' --example-layout '{prompt} {answer}. ' --format json 2> /dev/null |
  jq -c '.metrics[0].ranking | map([.strategy, .mean])' | grep -cxFf - either
r --own own.jsonl -k 9 in.jsonl --metric sppl --boot 0 2>&1 | head -n 1
echo 'only the first questions, and those without an answer'
r --metric length --first 2 --format json in.jsonl | jq -c '[.answers, .metrics[0].ranking[0].n]'
grep -v '"q5","strategy":"odd"' in.jsonl > gap.jsonl
r --metric length --format json gap.jsonl | jq -c '[.answers, .incomplete_questions]'
r --metric length --allow-missing --format json gap.jsonl | jq -c '[.answers, .incomplete_questions, (.metrics[0].ranking | map(.n))]'
echo 'compared over the questions that all have; infinite ones last, none of them tied'
r --metric length --allow-missing --format json gap.jsonl | jq -c '.metrics[0] | [.questions, .of, (.ranking | map(.answers))]'
r --metric length --allow-missing --boot 10 gap.jsonl
sed 's/"answer":" [12]"/"answer":""/; /"q3","strategy":"odd"/s/"answer":"[^"]*"/"answer":""/' in.jsonl > empty.jsonl
r --metric ppl,ifd --boot 10 empty.jsonl | sed 's/[0-9]*[.][0-9]*  */_ /g'
r --metric ppl --format json empty.jsonl | jq -c '.metrics[0] | [.chosen, (.ranking | map([.strategy, .infinite, .tied]))]'
sed 's/"answer":"[^"]*"/"answer":""/' in.jsonl | r --metric ppl --format json | jq -c '.metrics[0].chosen'
grep -e q1.*long -e q2.*odd in.jsonl > apart.jsonl; r --metric length --allow-missing apart.jsonl; echo "status $?"
echo 'a table'
r --metric length,reward --boot 100 in.jsonl
echo '{"id":1,"strategy":"none","prompt":"a","answer":""}' | r --metric ppl,ifd,nll --format json | jq -c '.metrics | map(.ranking[0].mean)'
echo 'refusals'
bad() { "$@"; echo "status $?"; }
bad r --metric rouge in.jsonl
bad r --metric sppl in.jsonl
bad r --metric ppl,ppl in.jsonl
bad lm-ppl-filter responses in.jsonl
bad r --own none.jsonl in.jsonl
echo '{"id":1,"prompt":"a","answer":"b","correct":0}' > wrong.jsonl; bad r --own wrong.jsonl in.jsonl
bad r --own own.jsonl --layout '{prompt}' in.jsonl
bad r -k 2 in.jsonl
(cat in.jsonl; head -n 1 in.jsonl) | bad r
echo '{"id":1,"strategy":"a","prompt":"b","answer":3}' | bad r
echo '{"id":1,"strategy":"a","prompt":"b","answer":"c"}' | bad r --metric car
printf '%s\n' '{"id":1,"strategy":"a","prompt":"b","answer":"c"}' '{"id":2,"strategy":"b","prompt":"b","answer":"c"}' | bad r
bad r -o out.zst in.jsonl
bad r -z none in.jsonl
