# kept + removed + unsampled + emptied + rejected is what was read, whatever the policies.
for i in $(seq 1 200); do
  case $((i % 10)) in
    0) echo "{\"id\":$i,\"text\":5}" ;;
    1) echo "{\"id\":$i,\"text\":\"abc\",\"attributes\":{\"x\":[[0,9,1]]}}" ;;
    2) echo "{\"id\":$i,\"text\":\"abc\",\"attributes\":{\"x\":[[0,3,1]]}}" ;;
    3) echo '{"text":"no id","attributes":{"x":[]}}' ;;
    *) echo "{\"id\":$i,\"text\":\"some text\",\"n\":$((i % 7)),\"attributes\":{\"x\":[[0,1,0.5]]}}" ;;
  esac
done > in.jsonl
run() { lm-mix "$@" --on-error skip -q --report r.json in.jsonl -z none > out.jsonl; jq -c '[.inputs[0].records, (.metrics | .rejected + .removed.records + .unsampled.records + (.dropped.records // 0) + .emptied.records + .kept.records), .output.records - .metrics.copies == .metrics.kept.records], (.metrics | [.rejected, .removed.records, .unsampled.records, .emptied.records, .kept.records, .copies])' r.json; wc -l < out.jsonl; }
run --drop 'n > 3' --cut x
run --drop 'n > 3' --where 'bytes(text) > 4' --cut x --sample 0.5
run --sample 1.5 --bad-spans clip --cut x
run --budget 1000 --cut x --drop 'n == 2'
run --weights =2 --budget 5000 --shuffle
# Cleaners: dropped and emptied, with what rules, cuts and draws leave.
run --drop 'n > 3' --cut x --sample 0.7 --clean 'c4:sentences=0,terminal-mark=no,words=1' --clean c4-paragraph:paragraphs=1,length=8
jq -c '.metrics | [.dropped.records, .cleaners[].dropped]' r.json
run --clean line-len --weights =2 --budget 5000 --shuffle
