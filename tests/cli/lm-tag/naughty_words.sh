printf 'darn\nblast it\n' > words.txt
printf '%s\n' '{"text":"Darn it."}' '{"text":"darn!"}' '{"text":"sandblast items"}' > in.jsonl
lm-tag -T c4_v2 --naughty-words words.txt -z none in.jsonl | jq -c .attributes.c4_v2__c4_v2__has_naughty_word
echo 'without a list nobody looks'
lm-tag -T c4_v2 -z none in.jsonl | jq -c '.attributes | has("c4_v2__c4_v2__has_naughty_word")'
echo '' > empty.txt
lm-tag -T c4_v2 --naughty-words empty.txt in.jsonl; echo "status $?"
lm-tag -T c4_v2 --naughty-words missing.txt in.jsonl; echo "status $?"
