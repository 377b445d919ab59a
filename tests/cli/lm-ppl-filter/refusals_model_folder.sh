make="$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model
$make m
echo '{"id":1,"text":"the cat sat on the mat"}' > in.jsonl
lm-ngram train -k 2 --discount-fallback in.jsonl -o w.lmng
s() { lm-ppl-filter "$@" -z none in.jsonl; echo "status $?"; }
# options of the other kind of model
for option in '--tokenizer m' '--unit line' --ccnet; do s -m m $option; done
for option in '--window 8' '--stride 4' '--max-tokens 9' '--probe 2' --no-bos '--special text' '--dtype f32'; do s -m w.lmng $option; done
s --zlib --window 8
# windows
s -m m --window 65
s -m m --window 8 --stride 9
s -m m --probe 9 --max-tokens 8
s -m m --special error
# devices
s -m m --device cuda 2>err; sed -n 's/cuda:0: .*/cuda:0: .../p' err >&2
s -m w.lmng --device cuda
s -m m --device cpu --dtype bf16
# what is no model
s -m absent
mkdir empty; s -m empty
$make small 1 200; s -m small
cp -r m bare; rm bare/tokenizer*; s -m bare
cp -r m cut; truncate -s -8 cut/model.safetensors; s -m cut
mkdir run; cp -r m run/latest; s -m run
s -m m/model.safetensors
printf 'GGUF\3\0\0\0\0\0\0\0\0\0\0\0' > x.gguf; s -m x.gguf
head -c 4096 /dev/urandom > random.bin; s -m random.bin
: > zero.bin; s -m zero.bin
