# Every method from the command line; the same bytes for 1, 2 and 7 threads, tiles and files.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='-q --seq-len 8 --batch 2 --schedule constant --warmup 0 --lr 0.01'
lm-train $o --arch llama --layers 2 --width 32 --heads 2 --vocab 64 --steps 1 -o run ids.jsonl; cp -rL run/final base
for s in 1 2 3; do lm-train $o --init-from base --steps $s -o run$s ids.jsonl; cp -rL run$s/final m$s; done
rm -r run*
merge() {
  local name=$1; shift
  lm-merge --method $name "$@" -t 1 -o out || { echo "$name: status $?"; return; }
  lm-merge --method $name "$@" -t 7 --tile 64K -o out7
  lm-merge --method $name "$@" -t 2 --shard-size 30K -o shards
  cmp out/model.safetensors out7/model.safetensors
  lm-merge diff --json out shards; lm-merge diff out m1 > /dev/null; echo "$name $? $(ls shards/*.safetensors | wc -l)"
}
merge linear m1:0.5 m2:0.2 m3
merge slerp --base m1 m2 --set t=0.3
merge nuslerp m1:0.5 m2:0.2
merge nuslerp --base base m1:0.5 m2:0.2 --set flatten=false
merge multislerp m1 m2 m3
merge karcher m1 m2 m3
for m in task_arithmetic ties dare_linear dare_ties breadcrumbs breadcrumbs_ties; do merge $m --base base m1:0.5 m2:0.2 --seed 3; done
for m in ties dare_ties breadcrumbs; do merge $m --base base m1:0.5:density=.3 m2:0.2:density=.6 --seed 3; done
for m in della della_linear; do merge $m --base base m1:0.5 m2:0.2 --set density=.5; done
for m in sce ram ramplus_tl model_stock consensus; do merge $m --base base m1 m2 m3; done
merge nearswap --base base m2 --set t=0.01
merge arcee_fusion --base base m2
merge passthrough m2 --set scale=0.5
merge ema m1 m2 m3
merge lawa m2 m3 --set last=2
merge fisher m1:fisher=m2 m2:fisher=m3
merge regmean m1 m2  # refused: no Gram matrices
