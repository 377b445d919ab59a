# shellcheck shell=bash disable=SC2034
# --from csv: a packed table and a plain one.
streams=0
args=(--from csv --text-column body --types guess)
table() {
  awk -v n="$1" 'BEGIN {
    print "id,body,n,\"a, b\""
    for (i = 0; i < n; ++i) printf "r%d,\"the \"\"text\"\" of\n%0200d\",%s,\"%d\"\n", i, i, i % 3 ? i : "", i % 7
  }'
}
setup() {
  table 16000 >"$work/a.csv"
  table 4000 | gzip -n >"$work/b.csv.gz"
}
operands=("$work/a.csv" "$work/b.csv.gz")
kills=3
fault_runs=8
fault_step=2
starts=20
