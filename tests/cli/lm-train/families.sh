# Mistral, Qwen 2 and Qwen 3: new models, fine-tuning from their folders, more steps, answers that do not
# depend on how a prompt is cut. The window is shorter than every text.
for i in $(seq 0 59); do printf '{"id":%d,"prompt":"question number %d: ","completion":"%d"}\n' $i $((i % 10)) $((9 - i % 10)); done > qa.jsonl
jq -c '{text:(.prompt+.completion)}' qa.jsonl > docs.jsonl
lm-tokenize train -q -n 270 --special-token '<|endoftext|>' docs.jsonl -o tok.json 2>/dev/null
lm-tokenize pack -q -m tok.json docs.jsonl -o data
for arch in mistral qwen2 qwen3; do
  lm-train -q --arch $arch --window 6 --layers 2 --width 32 --heads 4 --kv-heads 2 --seq-len 32 --batch 4 --steps 3 --data data.json --tokenizer tok.json -o $arch
  jq -c '[.model_type, .architectures[0], .sliding_window, .use_sliding_window, .layer_types]' $arch/final/config.json
  k="--init-from $arch/final --objective sft --batch 4 --lr 1e-2 --schedule constant --warmup 0"
  lm-train -q $k --epochs 4 -t 1 -o $arch-whole qa.jsonl
  lm-train -q $k --epochs 2 -t 2 -o $arch-part qa.jsonl
  lm-train -q $k --epochs 4 -t 2 --extend -o $arch-part qa.jsonl
  for f in config.json model.safetensors state/state.json state/optimizer-00001-of-00001.safetensors; do
    cmp $arch-whole/final/$f $arch-part/final/$f
  done
  jq -s -c '.[0].loss > .[-1].loss' $arch-whole/metrics.jsonl
  head -n 12 qa.jsonl | lm-decode -m $arch-whole/final --greedy --max-tokens 6 -z none > $arch.out
  head -n 12 qa.jsonl | lm-decode -m $arch-whole/final --greedy --max-tokens 6 --chunk 3 --batch 2 -z none | cmp - $arch.out
done
# A window where there are none, and a folder with keys that say otherwise.
lm-train --arch llama --window 6 --layers 1 --width 16 --heads 2 --vocab 32 --steps 1 --plan docs.jsonl; echo "status $?"
mkdir odd && cp mistral/final/* odd 2>/dev/null
jq '.layer_types = ["full_attention", "sliding_attention"]' mistral/final/config.json > odd/config.json
echo '{"prompt":"q"}' | lm-decode -m odd; echo "status $?"
