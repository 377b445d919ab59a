# Options that another one leaves nothing to do are refused, not ignored.
try() { lm-merge "$@"; echo "status $?"; }
echo "# merge"
try --parameters --set t=1 --method slerp
try --parameters --dry-run
try --parameters --include x
try --parameters a b
try --base base a b -o out
try --pad-vocab 8 --method linear a b -o out
try --method linear a:0.5:weight=0.3 b -o out
try --method ties --base base --set density=0.5 --set density=0.7 a b -o out
try --method ties --base base base:0.5 a b -o out
try --method nuslerp --set row_wise=true a b -o out
try --method nuslerp --set row_wise=true --set flatten=true a b -o out
try --method linear --set lambda=2 a b -o out
echo "# soup"
soup() { try soup "$@" a b -o out; }
soup --mode uniform --minimize
soup --mode uniform --maximize
soup --mode uniform --strict
soup --mode max --score s --minimize --rounds 2
soup --mode max --score s --minimize --weighted
soup --mode max --score s --minimize --strict
soup --mode max --score s --minimize --leave-one-out
soup --score s --eval e
soup --eval e --maximize
for o in '--field f' '--eval-by p' '--window 8' '--stride 4' '--no-bos' '--special text' '--dtype bf16' '--batch 2' '--chunk 8'; do
  soup --score s --minimize $o
done
echo "# ablate"
init() { try ablate init -m model records -o out "$@"; }
init -z zstd:9
init --seekable
init --overlap 1 --overlap-tokens 5
init --valid 0 --test 0 --overlap 0.2
init --valid 0 --test 0 --overlap-tokens 20
init --shard-by file
try ablate eval pool --eval e --shard 0/2
try ablate eval pool --eval e --on-error skip
try ablate eval pool --eval e --max-errors 3
try ablate report --json --top 3 scores
try ablate report -z none scores
try ablate report --seekable scores
