# What cannot be meant ends the run before anything is written.
synth() { lm-synth "$@" -z none; echo "status $?"; }
synth task
synth task tps
synth task tsp other.jsonl
synth task tsp --task tsp
synth task tsp --set mots=3
synth task tsp --set most
synth task tsp --set most=many
synth task tsp --set most=61
synth task tsp --set most=4
synth task tsp --form text
synth task tsp --text rhyme
synth task tsp --split dev
synth task tsp --shares 1,2
synth task tsp --shares 0,0,0
synth task tsp --shard 2/2
synth task permute-bits --set k=4 -n 5
synth task permute-bits --set k=4 --set ones=5
synth task permute-bits --set k=4 --set ones=1 --split test
synth task permute-bits --set k=4 --set ones=1 --split test --no-distinct
synth task permutation --set k=9000 --set m=99 --set vocab=1e3
synth task cipher --set length=1e6 --memory 4M -t 2
synth task cipher --text missing
printf 'too short' >short
synth task cipher --text short
synth task cipher --text short -o short
: >empty
synth task cipher --text empty
lm-synth task lookup -n 1e6 --memory 1M -t 2 -o out.jsonl
echo "status $?"
ls out.jsonl
lm-synth task --list -o list.zst
lm-synth task --list --shard 0/2
lm-synth task --lsit
lm-synth chek
