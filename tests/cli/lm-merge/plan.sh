# --dry-run reads headers and writes nothing; --parameters; slices; gradients.
seq 1 100 | awk '{ printf "{\"input_ids\":[%d,%d,%d]}\n", $1 % 7, $1 % 5, $1 % 3 }' > ids.jsonl
o='-q --seq-len 8 --batch 2 --steps 1'
lm-train $o --arch llama --layers 3 --width 16 --heads 2 --vocab 16 -o run1 ids.jsonl; cp -rL run1/final a
lm-train $o --init-from a -o run2 ids.jsonl; cp -rL run2/final b
lm-merge -n --method slerp --base a b --set t=0,0.5,1 | jq -c '[.tensor, .method, .params.t]' | grep -E 'norm|embed'
lm-merge -n --method linear a b --include mlp.up | jq -c 'select(.method == "linear") | [.tensor, .inputs[].model, .params.weight]'
cat > deep.yaml <<END
merge_method: passthrough
slices:
  - sources: [{model: a, layer_range: [0, 2]}]
  - sources: [{model: b, layer_range: [1, 3]}]
dtype: bfloat16
END
lm-merge -n deep.yaml | jq -c 'select(.tensor | test("input_layernorm|embed|lm_head|model.norm")) | [.tensor, .inputs[0].model, .inputs[0].tensor, .dtype]'
lm-merge deep.yaml -o deep && jq -c '[.num_hidden_layers, .torch_dtype // .dtype]' deep/config.json
lm-train $o --init-from deep -o more ids.jsonl; echo "status $?"
lm-merge --parameters --method ties
lm-merge --parameters | grep -c :
ls
