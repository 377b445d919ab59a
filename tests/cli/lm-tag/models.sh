for i in 1 2 3 4 5 6 7 8; do
  printf '{"kind":"good","text":"a fine and useful text number %d"}\n{"kind":"bad","text":"buy cheap pills now %d"}\n' $i $i
done > in.jsonl
# The same bytes for any number of threads and through a pipe.
for t in 1 2 7; do
  lm-tag train --label kind --dim 8 --lr 0.5 --epochs 50 --buckets 1000 -t $t in.jsonl -o $t.bin
done
cmp 1.bin 2.bin && cmp 1.bin 7.bin && cat in.jsonl | lm-tag train --label kind --dim 8 --lr 0.5 --epochs 50 --buckets 1000 -o p.bin && cmp 1.bin p.bin && echo same
lm-tag train --label kind --dim 8 --lr 0.5 --epochs 50 --buckets 1000 --quantise --cutoff 300 in.jsonl -o q.ftz && [ "$(stat -c %s q.ftz)" -lt "$(stat -c %s 1.bin)" ] && echo smaller
lm-tag train --label kind --dim 8 --lr 1 --epochs 100 --buckets 1000 --test 0.3 in.jsonl -o t.bin | head -n 5
for t in 1 7; do
  lm-tag -q --define k@line=fasttext:1.bin -t $t -z none in.jsonl | sed 's/"text":"[^"]*",//' | tail -n 2 | cut -c 1-50
done
lm-tag -T ft_lang_id_doc_v1 in.jsonl; echo "status $?"
lm-tag -T ft_lang_id_en_only_v2 --model lid176=1.bin in.jsonl; echo "status $?"
lm-tag -T ft_lang_id_doc_v1 --model lid176=in.jsonl in.jsonl; echo "status $?"
head -c 500 1.bin > cut.bin
lm-tag --define k=fasttext:cut.bin in.jsonl; echo "status $?"
lm-tag --define k=fasttext:none.bin in.jsonl; echo "status $?"
lm-tag train --label kind in.jsonl; echo "status $?"
lm-tag train --label text in.jsonl -o x.bin; echo "status $?"
lm-tag train --label source in.jsonl -o x.bin; echo "status $?"
lm-tag train --label kind --cutoff 5 in.jsonl -o x.bin; echo "status $?"
lm-tag train --label kind --memory 100M in.jsonl -o x.bin; echo "status $?"
head -n 1 in.jsonl | lm-tag train --label kind -o x.bin; echo "status $?"
lm-tag train --label kind --min-count 9 in.jsonl -o x.bin; echo "status $?"
echo '{"kind":"a.b","text":"one"}{"kind":"a_b","text":"two"}' | sed 's/}{/}\n{/' | lm-tag train --label kind -o x.bin; echo "status $?"
echo '{"kind":"a","text":" "}{"kind":"b","text":""}' | sed 's/}{/}\n{/' | lm-tag train --label kind -o x.bin; echo "status $?"
[ -e x.bin ] || echo "no model"
