# shellcheck shell=bash
setup() {
  lm-tag train --on-error skip --label kind --dim 4 --epochs 2 --buckets 2000 --quantise in.zst -o kind.ftz
  mkdir -p documents/p
  split -n l/3 in.jsonl documents/p/
  local file
  for file in documents/p/a?; do lm-cat --on-error skip -q $file -o $file.jsonl.zst; rm $file; done
  for file in documents/p/*.zst; do lm-mix -q --where 'length(text) > 0' --on-error skip $file -o good.zst && mv good.zst $file; done
  head -n 400 in.jsonl >few.jsonl
  frames few.jsonl 50 >few.zst
  echo h7.org >hosts.txt
}
table() {
  local all='.output.records + bad' s='--on-error skip'
  row taggers shards "$all" $s -T gopher_v2,c4_v2,pii_regex_v2 ../in.zst -o out.zst
  row defined shards "$all" $s --define 'number@match=regex:[0-9]+' --define 'hosts=urls:../hosts.txt' ../in.zst -o out.zst
  row model shards "$all" $s --define k=fasttext:../kind.ftz --define l@line=fasttext:../kind.ftz ../in.zst -o out.zst
  row external shards "$all" $s --define 'e=external:n:sed -u "s/.*/{\"attributes\":{\"n\":1}}/"' ../few.zst -o out.zst
  row explain plain - $s -T c4_v2 --explain=3000 ../in.zst
  row list plain - --list
  row sidecar files '([.inputs[].records] | add)' -T gopher_v2,c4_v2 --sidecar attributes ../documents/p/a{a,b,c}.jsonl.zst
  verb=train row train plain '.metrics.train_records + .metrics.test_records + bad' $s --label kind --dim 4 --epochs 2 --buckets 2000 --test 0.2 ../in.zst -o kind.bin
  verb=train row train-hs plain '.metrics.train_records + .metrics.test_records + bad' $s --label kind --dim 4 --epochs 2 --buckets 2000 --loss hs --quantise --cutoff 900 ../in.zst -o kind.ftz
}
