printf '{"a":1}\n' | lm-cat -z stored | lm-cat --header | jq -r .tool
printf '{"a":1}\n' | lm-cat -z stored | lm-cat --header - | jq -r .tool
printf '{"a":1}\n' | lm-cat --header
printf '{"a":1}\n' | lm-cat -o a.zst; lm-cat --header <a.zst | jq -r .tool
