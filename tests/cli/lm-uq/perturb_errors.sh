"$(dirname "$(command -v lm-uq)")"/helpers/make-tiny-wordnet wn
cat > in.jsonl <<'END'
{"id":"none","text":"a"}
{"id":"type","prompt":3}
{"id":"unknown","prompt":"zebra"}
{"id":"empty","prompt":""}
{"id":"list","prompt":"a dog","perturb":["b"]}
{"id":"good","prompt":"a dog"}
END
lm-uq perturb -q --wordnet wn -z none in.jsonl | jq -c '[.id, .error // (.perturb | length)]'
lm-uq perturb --wordnet wn --on-error fail in.jsonl; echo "status $?"
lm-uq perturb --wordnet absent in.jsonl; echo "status $?"
lm-uq perturb --wordnet wn --protect '(' in.jsonl; echo "status $?"
lm-uq perturb --wordnet wn --documents absent.jsonl in.jsonl; echo "status $?"
echo '{"text":"a"}' > docs.jsonl
lm-uq perturb --wordnet wn --documents docs.jsonl in.jsonl; echo "status $?"
lm-uq perturb --wordnet wn --sim embed in.jsonl; echo "status $?"
echo '{"id":"good","prompt":"a dog"}' | lm-uq perturb --wordnet wn --documents -; echo "status $?"
truncate -s 200 wn/data.noun
echo '{"id":"good","prompt":"a dog"}' | lm-uq perturb --wordnet wn; echo "status $?"
lm-uq perturb --wordnet wn --device cuda in.jsonl; echo "status $?"
printf '\377\001 n 3\n' > wn/index.verb
echo '{"id":"good","prompt":"a dog"}' | lm-uq perturb --wordnet wn; echo "status $?"
