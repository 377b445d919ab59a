# Cleaners and options that are not there, values that cannot be.
echo '{"id":1,"text":"a"}' > in.jsonl
: > empty
s() { lm-mix "$@" in.jsonl; echo "status $?"; }
s --clean c4-paragraphs
s --clean xyzzyxyzzy
s --clean c4:sentence=3
s --clean c4:words=three
s --clean fineweb:ends=1.5
s --clean nemo-en:symbols=20
s --clean word-removal:share=-0.1
s --clean ban-lines
s --clean ban-lines:list=missing
s --clean ban-lines:list=empty
s --clean c4 --clean mojibake:a=1
s --as-attributes
s --clean c4 --as-attributes --discard attributes
echo '{"id":1,"text":5}' > in.jsonl
s --clean c4
s --clean c4 --as-attributes --on-error skip -z none
