# A whitening is for the vectors it was fitted to: not for another model's of the same width, nor
# for another layer's or pooling's.
"$(dirname "$(command -v lm-embed)")"/helpers/make-tiny-model m 1 262 128
"$(dirname "$(command -v lm-embed)")"/helpers/make-tiny-model other 2 262 128
for i in 1 2 3 4 5 6 7 8 9; do printf '{"text":"item %d of the end"}\n' $i; done > in.jsonl
lm-embed -m m --layer 1 --whiten-fit w in.jsonl -o plain.jsonl
try() { lm-embed "$@" in.jsonl -o out.jsonl; echo "status $?"; }
try -m m --layer 1 --whiten w
try -m other --layer 1 --whiten w 2>&1 | sed 's/xxh3:[0-9a-f]*/ID/g'
try -m m --layer last --whiten w
try -m m --layer 1 --pool mean --whiten w
# hashed n-grams are a model of their own
lm-embed -m hash:char3,dim=8 --whiten-fit h in.jsonl -o plain.jsonl
try -m hash:char3,dim=8 --whiten h
try -m hash:char4,dim=8 --whiten h
