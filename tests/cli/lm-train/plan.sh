lm-train --preset gpt2 --vocab 50257 --batch 4 --steps 1000 --plan < /dev/null | sed -n '1,5p;8,13p'
lm-train --preset llama-8b --vocab 128256 --seq-len 64 --batch-tokens 1e6 --tokens 1e9 --plan < /dev/null | grep -E '^(parameters|tokens|steps)'
