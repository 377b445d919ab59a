# A program of the user's that answers something else than it should.
printf '{"id":%d,"text":"abc def"}\n' 1 2 3 > in.jsonl
try() { lm-tag -q -t 1 --define "k=external:a:$1" --no-declare -z none in.jsonl; echo $?; }
try 'cat'
try 'while read -r x; do echo "{\"attributes\":{}}"; done'
try 'while read -r x; do echo "{\"attributes\":{\"a\":[[4,6,1],[0,2,1]]}}"; done'
try 'while read -r x; do printf "{\"attributes\":{\"a\":1}}\n{\"attributes\":{\"a\":2}}\n"; done'
