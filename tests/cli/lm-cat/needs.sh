# An option that needs another one, or that another one would make useless, is refused.
seq -f '{"n":%g}' 5 > in
try() { lm-cat "$@" in; echo "status $?"; }
try --check --head 1
try --header --check
try --compare --split 2
try --split 2 --head 3 -o 'p-%d-of-%d'
try --check -o out
try --header --validate full
try --shard-by file
try --shard 0/1 --shard-by file -z none
try --max-errors 3
try --on-error skip --max-errors 3 -z none
try --rejects bad
ls
