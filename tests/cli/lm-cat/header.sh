printf '{"a":1}\n' | lm-cat -z stored | lm-cat --seed 3 -o b.zst
lm-cat --header b.zst | jq -c '[.v, .tool, .seed, (.chain | map(.tool))]'
printf '{"a":1}\n' >a; lm-cat --header a
lm-cat --header b.zst a | wc -l
lm-cat --header missing; echo "$?"
