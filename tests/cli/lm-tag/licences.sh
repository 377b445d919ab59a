printf '%s\n' '{"id":"p","text":"page","metadata":{"html":"<a rel=\"license\" href=\"http://creativecommons.org/licenses/by-sa/4.0/deed.en\">"}}' > in.jsonl
lm-tag -q -T cc_re,cc_re_fast --no-declare -z none in.jsonl | jq -c .attributes
echo 'attributes that are there'
lm-tag -q -T cc_re -z none in.jsonl | lm-tag -T cc_re --experiment e -z none | lm-tag -T cc_re -z none | jq -c .attributes
lm-tag -q -T cc_re -z none in.jsonl | lm-tag -q -T cc_re --attr-merge error; echo "status $?"
echo 'a licence that the page had before, and not now'
printf '%s\n' '{"id":"p","text":"page","metadata":{"html":"none"},"attributes":{"cc_re__cc_re__cc_by_3_0":[[0,4,1]],"cc_re__cc_re_x":[],"e__cc_re__cc_by":[]}}' > old.jsonl
for how in replace append error; do lm-tag -q -T cc_re --attr-merge $how -z none old.jsonl | jq -c .attributes; done
lm-tag -q -T cc_re --no-declare -z none old.jsonl | jq -c .attributes
echo 'in files of their own, and in words'
mkdir documents; mv in.jsonl documents
lm-tag -q -T cc_re --no-declare --sidecar out documents/in.jsonl
lm-cat -q -z none out/cc_re/in.jsonl | jq -c .
lm-tag -T cc_re --explain documents/in.jsonl
echo 'a page is needed'
echo '{"id":"a","text":"x"}' | lm-tag -T cc_re; echo "status $?"
