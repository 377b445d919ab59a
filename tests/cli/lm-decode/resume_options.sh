# --resume after any option changed gives the bytes of an undisturbed run: for every option that
# shapes results, for the model, the tokenizer, the input line and the verb.
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model m
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model other 2
cp -r m words && jq -c '.model.merges = [] | del(.model.vocab["Ġthe"]) | .model.vocab["Ġz"] = 259' m/tokenizer.json > words/tokenizer.json
mkdir words.tok && mv words/tokenizer* words.tok
"$(dirname "$(command -v lm-decode)")"/helpers/make-tiny-model whole 1 263 && rm -f whole/manifest.json
jq -c '.lm_diffusion = {mask_token_id: 262} | .architectures = ["DiffusionLlamaForCausalLM"]' whole/config.json > c.json && mv c.json whole/config.json
printf '%s\n' '{"id":"a","prompt":"in the <s>","tag":"in","other":"x the","text":"in the end of a text: of more, than 30 tokens","body":"b"}' \
  '{"id":"b","prompt":"the end ","tag":"the","other":"y","completion":" the","choices":[" a"," the"],"body":"c"}' > in.jsonl
jq -c 'del(.choices)' in.jsonl > free.jsonl
jq -c '.prompt += "!" | .text += "!" | .body += "!"' in.jsonl > line.jsonl
lm-train -q --init-from m --lora r=2 --objective sft --prompt-field prompt --completion-field other --steps 1 --batch 1 --lr 1 --warmup 0 in.jsonl -o lora
lm-train -q --init-from m --objective classify --label-field tag --labels in,the --steps 1 --batch 1 in.jsonl -o kinds
lm-train -q --arch llama --layers 1 --width 8 --heads 1 --seq-len 64 --embed gaussian --tokenizer m --objective sft --prompt-field prompt --completion-field other \
  --steps 1 --batch 1 in.jsonl -o drawn
lm-train -q --arch based --mixers pla:2 --layers 1 --width 8 --heads 1 --init-std 0.5 --seq-len 64 --tokenizer m --objective sft --prefix-mask \
  --prompt-field prompt --completion-field other --steps 1 --batch 1 in.jsonl -o twice
# resumed VERB INPUT OPTION...: an undisturbed run, and one that may take what it likes from old.jsonl
resumed() {
  verb=$1; input=$2; shift 2
  lm-decode "$verb" -q "$@" "$input" -o want.jsonl &&
    lm-decode "$verb" -q "$@" --resume "old.$verb" "$input" -o got.jsonl &&
    cmp want.jsonl got.jsonl || echo "wrong: $verb $input $*"
}
for verb in generate score; do
  for old in '' --no-bos; do
    lm-decode $verb -m m $old in.jsonl -o old.jsonl && mv old.jsonl "old.$verb"
    case $verb in
      generate) options='--samples=2 --max-tokens=7 --min-tokens=300 --loop-size=1 --loop-count=2
        --repetition-penalty=2 --frequency-penalty=2 --presence-penalty=2 --penalty-last-n=3 --no-repeat-ngram=2
        --dry-multiplier=1 --dry-base=2 --dry-allowed=1 --temperature=0.5 --top-k=3 --top-p=0.5 --min-p=0.1
        --typical=0.5 --epsilon=0.01 --eta=0.01 --top-n-sigma=1 --xtc-probability=1 --xtc-threshold=0.01
        --min-keep=3 --greedy --typical-ties=cut --penalty-scope=all --dry-breaker=e --logit-bias=101:9
        --sampler-order=llama --stop=e --stop-id=101 --include-stop --ignore-eos --prompt-field=other --tokens
        --logprobs --top-logprobs=2 --prompt-logprobs --seed=1 --chat=chatml --chat-var=a=1 --date=2026-01-02
        --continue-final-message --reply=messages --echo --jrt=both --jrt-sep=x --jrt-template=CCQ --no-truncate
        --no-model-defaults --small-model=other --regex=[a-z]{3} --json --choice=end --json-space=free --schema-lenient
        --grammar-mode=asap --sets-order=given --no-sets-parallel --no-sets-apart --prefix-mask' ;;
      score) options='--field=body --window=9 --stride=3 --boundary=separate --per-token --top-logprobs=2 --eos --completion-field=other
        --chat=chatml --chat-var=a=1 --date=2026-01-02' ;;
    esac
    for option in $options --no-bos --special=text --special=error --drop-extra; do
      resumed $verb in.jsonl -m m "$option"
    done
    # of two models
    if [ $verb = generate ]; then
      for option in --ead-threshold=3 --ead-window=2 --ead-dwell=2 --ead-start=large --ead-reset --ead-trace \
        '--ead-rule=random --ead-share=0.2' '--ead-rule=first --ead-first=2'; do
        options+=" $option"
        cp old.generate plain.generate
        lm-decode generate -m m --small-model other $old in.jsonl -o old.jsonl && mv old.jsonl old.generate
        resumed $verb in.jsonl -m m --small-model other $option
        resumed $verb in.jsonl -m m --small-model m
        mv plain.generate old.generate
      done
    fi
    [ $verb = score ] || { options+=' --pause-tokens=2 --pause-token=the'; resumed $verb in.jsonl -m m --pause-tokens 2 --pause-token the; }
    # masked diffusion
    [ $verb = generate ] || { options+=' --bound=nelbo:2'; cp old.score plain.score; lm-decode score -m whole --bound nelbo:3 $old free.jsonl -o old.score
      resumed score free.jsonl -m whole --bound nelbo:2; mv plain.score old.score; }
    [ $verb = score ] || for how in '' --sampler=random --steps=3 --length=6 --block=4 --remask=0.5 '--sampler=threshold --threshold=0.1' \
      '--steps=1 --final=sample' --guidance=1 --suffix-field=other --edlm=coar:m '--edlm=coar:m --edlm-k=2' '--edlm=coar:m --edlm-window=0.9:0.2' \
      '--edlm=coar:m --edlm-tau=9'; do
      options+=" --decoder=diffusion $how"
      case $how in *edlm*) [ -e edlm.generate ] || lm-decode -m whole --decoder diffusion --max-tokens 9 --edlm ar:m $old free.jsonl -o edlm.generate
        earlier=edlm.generate ;; *) earlier=whole.generate ;; esac
      [ -e whole.generate ] || lm-decode -m whole --decoder diffusion --max-tokens 9 $old free.jsonl -o whole.generate
      cp old.generate plain.generate && cp $earlier old.generate
      case $how in *length*) resumed $verb free.jsonl -m whole --decoder diffusion $how ;; *) resumed $verb free.jsonl -m whole --decoder diffusion --max-tokens 9 $how ;; esac
      mv plain.generate old.generate
    done
    rm -f whole.generate edlm.generate
    options+=' --adapter=in=lora/final --adapter-field=tag --adapter-router=kinds/final --route=soft:2'
    resumed $verb in.jsonl -m m --adapter in=lora/final --adapter the=lora/final --adapter-field tag
    [ $verb = score ] || for route in hard soft:2; do
      resumed $verb in.jsonl -m m --adapter in=lora/final --adapter the=lora/final --adapter-router kinds/final --route $route
    done
    resumed $verb in.jsonl -m m+lora/final
    # drawn embeddings
    options+=' --embed-seed=1'
    cp old.$verb plain.$verb
    lm-decode $verb -m drawn/final $old in.jsonl -o old.jsonl && mv old.jsonl old.$verb
    resumed $verb in.jsonl -m drawn/final --embed-seed 1
    [ $verb = generate ] || { options+=' --embed-draws=2'; resumed $verb in.jsonl -m drawn/final --embed-draws 2; }
    # prompts that are read twice
    options+=' --prefix-mode=none'
    lm-decode $verb -m twice/final $old in.jsonl -o old.jsonl && mv old.jsonl old.$verb
    resumed $verb in.jsonl -m twice/final --prefix-mode none
    [ $verb = score ] || { options+=' --prefix-len=30'; resumed $verb in.jsonl -m twice/final --prefix-mode repeat; }
    [ $verb = score ] || resumed $verb in.jsonl -m twice/final --prefix-mode iterate --prefix-len 30
    mv plain.$verb old.$verb
    resumed $verb in.jsonl -m other
    resumed $verb in.jsonl -m m --tokenizer words.tok
    resumed $verb line.jsonl -m m
  done
  # every option in the stream's header stands above
  lm-decode $verb -m m in.jsonl -o all.jsonl.zst
  for name in $(grep -ao '"params":{.*},"seed"' all.jsonl.zst | sed 's/^"params"://; s/,"seed"$//' | jq -r 'keys[]'); do
    case " verb model tokenizer asap-unbounded asap-warmup asap-trie on-error max-errors max-record dump-prompt flat bos logprobs-from jrt-times truncate model-defaults feasible feasible-format feasible-draw $(echo $options | tr -d '\n') special drop-extra " in
      *" $name "* | *" --$name"[=\ ]* | *" --no-$name "*) ;;
      *) echo "$verb: --$name is not tried" ;;
    esac
  done
done
# one that needs another
cp old.generate plain.generate
lm-decode -m m --logprobs in.jsonl -o old.jsonl && mv old.jsonl old.generate
resumed generate in.jsonl -m m --logprobs --logprobs-from=processed
lm-decode -m m --jrt both in.jsonl -o old.jsonl && mv old.jsonl old.generate
resumed generate in.jsonl -m m --jrt both --jrt-times 3
for how in '--ignore-eos --max-tokens 9 --regex a{20} --grammar-mode=asap'; do
  lm-decode -m m $how in.jsonl -o old.jsonl && mv old.jsonl old.generate
  resumed generate in.jsonl -m m $how --asap-unbounded
  resumed generate in.jsonl -m m $how --asap-warmup 2
done
jq -c '{id, prompt: "x", instance: {problem: "jssp", jobs: [[[0, 3]], [[0, 1]]]}}' in.jsonl > solved.jsonl
options='--feasible=jssp --feasible=record --feasible-format=lists --feasible-draw=gcd --feasible-draw=asap'
lm-decode -m m --feasible jssp solved.jsonl -o old.jsonl && mv old.jsonl old.generate
for option in $options; do resumed generate solved.jsonl -m m --feasible jssp $option; done
mv plain.generate old.generate
# a line of the other verb, one option changed in two ways, and a real reuse
cat old.score old.generate > mixed; cp mixed old.score; cp mixed old.generate
resumed score in.jsonl -m m
resumed generate in.jsonl -m m
lm-decode score -m m --window 64 in.jsonl -o old.score
resumed score in.jsonl -m m --window 4 --stride 1
lm-decode score -m m in.jsonl --resume old.score -o got.jsonl 2>&1
lm-decode score -m m in.jsonl --window 5 --resume old.score --report r.json -o got.jsonl 2>&1
jq -c '.metrics.throughput.tokens > 0' r.json
