#!/usr/bin/env bash
# cuda_budget.sh BUDGET.json FOLDER: registers, stack and spills of every kernel, from ptxas's reports
# FOLDER/*.ptxas, against the budget {"kernel": registers, ...} (largest instance of each template).
# Fails on any stack frame or spill, a kernel without a budget, or growth beyond 8 registers.
# With --update as third argument, prints a new budget instead.
set -euo pipefail
budget=$1 folder=$2 mode=${3:-check}

measured=$(cat "$folder"/*.ptxas | c++filt | awk '
  /Function properties for|Compiling entry function/ {
    name = $0
    sub(/^.*Function properties for /, "", name)
    sub(/^.*entry function ./, "", name)
    sub(/\x27.*/, "", name)
    gsub(/[(]anonymous namespace[)]::|_GLOBAL__N__[A-Za-z0-9_]*::|lm::cuda::|attn::|void /, "", name)
    sub(/[<(].*/, "", name)
    current = name
  }
  /bytes stack frame/ { if ($1 + $5 + $9 > 0) bad[current] = $1 " stack, " $5 " spill bytes" }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); n = substr($0, RSTART + 5, RLENGTH - 5) + 0
    if (n > most[current]) most[current] = n
  }
  END { for (k in most) print k, most[k], (k in bad ? bad[k] : "-") }' | LC_ALL=C sort)
[[ -n $measured ]] || { echo "no ptxas reports in $folder" >&2; exit 1; }

if [[ $mode == --update ]]; then
  awk 'BEGIN { print "{" } { printf "%s  \"%s\": %d", (NR > 1 ? ",\n" : ""), $1, $2 } END { print "\n}" }' \
    <<<"$measured"
  exit 0
fi
status=0
while read -r kernel registers trouble; do
  if [[ $trouble != - ]]; then
    echo "$kernel: $trouble" >&2
    status=1
  fi
  limit=$(sed -n "s/^ *\"$kernel\": *\([0-9]*\),\{0,1\}$/\1/p" "$budget")
  if [[ -z $limit ]]; then
    echo "$kernel: not in $budget (uses $registers registers)" >&2
    status=1
  elif (( registers > limit + 8 )); then
    echo "$kernel: $registers registers, budget $limit" >&2
    status=1
  fi
done <<<"$measured"
echo "$(wc -l <<<"$measured") kernels"
exit $status
