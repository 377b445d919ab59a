# shellcheck shell=bash
setup() {
  local i
  awk 'BEGIN { print "id,text,n"; for (i = 0; i < 16000; ++i) printf "r%d,\"the \"\"text\"\" of\n%0150d\",%s\n", i, i, i % 3 ? i : "" }' >a.csv
  awk 'BEGIN { print "id\ttext\tn"; for (i = 0; i < 8000; ++i) printf "r%d\tthe text %0150d\t%d\n", i, i, i }' >b.tsv
  head -n 3000 b.tsv | gzip -n >c.tsv.gz
  for i in 1 2 3; do seq 1 $((i * 4000)) | sed "s/7\$/&\n/; s/\$/ is number $i/" >$i.txt; done
  for i in 1 2 3; do
    awk -v n=$((i * 700)) 'BEGIN { for (i = 0; i < n; ++i) {
      body = i % 7 == 3 ? "HTTP/1.1 404 Gone\r\n\r\n" : sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<nav>menu</nav><p>Page %d, caf\351.\n%0200d", i, i)
      printf "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%d>\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, length(body), body } }' >$i.warc
  done
  lm-cat --on-error skip --to parquet -q --fields 'id,text,n:json,source' in.jsonl -o a.parquet
  lm-cat --on-error skip --to parquet -q --fields 'id,text,n:json' --codec snappy --head 3000 in.jsonl -o b.parquet
  lm-cat --on-error skip -q in.jsonl -o good.zst
}
table() {
  local converted='.metrics.ingest | if .kept + ([.left_out[]] | add // 0) == .read then .kept else -1 end'
  local bad='.output.records + bad' s='--on-error skip'
  row copy shards "$bad" $s ../in.zst -o out.zst
  row seekable plain "$bad" $s --seekable ../in.zst -o out.zst
  row plain plain "$bad" $s ../in.zst -o out.jsonl
  row validate shards "$bad" $s --validate full ../in.zst -o out.zst
  row quarantine plain "$bad" --on-error quarantine --rejects bad.jsonl ../in.zst -o out.zst
  row head plain - $s --head 3000 ../in.zst -o out.zst
  row split plain - $s --split 3 ../in.zst -o 'part-%d-of-%d.zst'
  [ -n "$only" ] || ok 'split: the parts are the whole' lm-cat --compare good.zst <(lm-cat t1/part-*)
  row to-parquet plain '.metrics.parquet.rows + bad' $s --to parquet --fields id,text,n:json,metadata:json ../in.zst -o out.parquet
  row check plain - --check=full ../good.zst
  row header plain - --header ../good.zst
  row compare plain 0 --compare ../good.zst ../good.zst
  row csv shards "$converted" --from csv ../a.csv ../a.csv ../a.csv -o out.zst
  row tsv shards "$converted" --from auto ../b.tsv ../c.tsv.gz ../a.csv -o out.zst
  row lines shards "$converted" --from text --unit line ../1.txt ../2.txt ../3.txt -o out.zst
  row paragraphs shards "$converted" --from text --unit paragraph ../1.txt ../2.txt ../3.txt -o out.zst
  row text shards "$converted" --from text ../1.txt ../2.txt ../3.txt -o out.zst
  row warc shards "$converted" --from warc ../1.warc ../2.warc ../3.warc -o out.zst
  row parquet shards "$converted" --from parquet ../a.parquet ../b.parquet ../b.parquet -o out.zst
}
