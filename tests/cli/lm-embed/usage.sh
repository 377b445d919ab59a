helpers=$(dirname "$(command -v lm-embed)")/helpers
"$helpers/make-tiny-encoder" e; "$helpers/make-tiny-model" m; "$helpers/make-tiny-encoder" plain 1 plain
echo '{"text":"a"}' > in.jsonl
try() { lm-embed "$@" in.jsonl; echo "status $?"; }
try
try -m absent
for how in '--layer 4' '--layer x' '--pool max' '--max-tokens 41' '--max-tokens 2' '--whiten-dim 3' '--whiten a --whiten-fit b'; do try -m e $how; done
try -m m --pool cls
try -m m --pool bos --no-bos
try -m hash:char3 --layer 1
try -m hash:char3 --pool mean
try -m hash:letters
try -m hash:dim=4
# folders that lack something, or say what is not known
cp -r plain broken; sed -i 's/"gelu"/"mish"/' broken/config.json; try -m broken
cp -r plain bare; rm bare/vocab.txt; try -m bare
cp -r plain short; grep -v CLS plain/vocab.txt > short/vocab.txt; try -m short
cp -r plain many; seq 80 >> many/vocab.txt; try -m many
cp -r e dense; sed -i 's/models.Normalize/models.Dense/' dense/modules.json; try -m dense
cp -r e maximum; echo '{"pooling_mode_max_tokens":true}' > maximum/1_Pooling/config.json; try -m maximum
cp -r plain cut; truncate -s -8 cut/model.safetensors; try -m cut
# an encoder predicts nothing
lm-decode -m e in.jsonl; echo "status $?"
lm-ppl-filter score -m e in.jsonl; echo "status $?"
lm-train --init-from e --data in.jsonl -o run; echo "status $?"
# bad records
printf '%s\n' '{"id":"n"}' '{"text":7}' '{"text":"a","embedding":1}' '{"text":"a","v":1}' > bad.jsonl
lm-embed -m e --on-error skip bad.jsonl --output-field v.x -z none | jq -c '[.text, .v]'
lm-embed -m m --no-bos -z none - < <(echo '{"text":""}'); echo "status $?"
lm-embed -m m --memory 100K in.jsonl; echo "status $?"
