# shellcheck shell=bash
# What the acceptance and the fault tests share: sourced with $bin, $profile, $tool and $work set, in
# the scratch folder. Profile fields are described in README.md.

# Records with text and with fields whose bytes a reader might be tempted to rewrite.
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("the of model data word stream a in that it language with record pipe text learn from by set time who small large river stone light wind seven nine hours never often", w, " ")
    split("1.0 1.50 -0 0.1e1 1E+2 12345678901234567890 3.0000000000000001 -0.0 1e-7 0.30000000000000004", num, " ")
    split("\"a\\u0041\\/b\" \"\\ud83d\\ude00\" \"tab\\t\" \"nul\\u0000\" \"\" \"\\\"q\\\\\"", str, " ")
    for (i = 0; i < n; ++i) {
      text = ""
      k = 20 + int(rand() * 80)
      for (j = 0; j < k; ++j) text = text (j ? " " : "") w[1 + int(rand() * 34)]
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s%s,\"x\":[1, 2.00,{\"deep\":%s}],\"text\":\"%s.\",\"\\u0066\":%s%s}\n", gap, gap, i, gap, num[1 + int(rand() * 10)], str[1 + int(rand() * 6)], text, (rand() < 0.5 ? "null" : "true"), gap
    }
  }'
}
setup() { :; }
verb=''
args=()
output=records
streams=1
operands=()
lacking=()
result=final
mark=''
overwrites=1
usage_args=(--shard 1/1)
recordwise=1
foreign=none
stateful=0
bad_record='{"broken":'
records=24000
runs=100
kills=12
starts=200
big_record=1
empty_exit=0
rss_limit_mb=400
long_mb=300
full_kb=64
folders=0
nowhere=missing/out
skip=()
# The options that make a run write its product to $1, into the array dest.
writes_to() { dest=(-o "$1"); }
data=$work/data.jsonl
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/profiles/$profile.sh"
read -ra verbs <<<"$verb"
mark=${mark:-$result}
# What a run reads: the streams made below, or what setup made.
small=(small.jsonl) big=(big.jsonl) tiny=(tiny.jsonl)
if [ $streams -eq 0 ]; then small=("${operands[@]}") big=("${operands[@]}") tiny=("${operands[@]}"); fi

# Whether there is any input.
reads=1
[ $streams -eq 1 ] || [ ${#operands[@]} -gt 0 ] || reads=0
[ ${#lacking[@]} -gt 0 ] || lacking=(${operands[@]+"${operands[@]}"} missing)

failures=0
checks=0
section=''
exec 9>&1  # what a check prints may go elsewhere
fail() {
  echo "FAIL $profile $section: $*" >&9
  [ ! -s "$work/err" ] || head -n 5 "$work/err" >&9
  failures=$((failures + 1))
}
ok() { # ok MESSAGE COMMAND...: the command must succeed
  local message=$1
  shift
  checks=$((checks + 1))
  "$@" || fail "$message"
}
is() { # is MESSAGE GOT WANTED
  checks=$((checks + 1))
  [ "$2" = "$3" ] || fail "$1: got $2, expected $3"
}
prefix=()  # put in front of every run of the program
t() { ${prefix[@]+"${prefix[@]}"} "$tool" ${verbs[@]+"${verbs[@]}"} ${args[@]+"${args[@]}"} "$@" 2>"$work/err"; } 2>/dev/null  # bash's own word on a crash
# A run whose product lands in FILE ($1) whatever the kind of program.
to_file() {
  local file=$1
  shift
  [ "$output" != folder ] || rm -rf "$file"
  case $output in
    records) t -z none "$@" >"$file" ;;
    file | folder) writes_to "$file"; t "$@" "${dest[@]}" ;;
    text) t "$@" >"$file" ;;
  esac
}
# The same through -o, complete or not at all.
to_output() {
  local file=$1
  shift
  [ "$output" != folder ] || rm -rf "$file"
  case $output in
    text) t "$@" >"$file.part" && mv "$file.part" "$file" ;;
    *) writes_to "$file"; t "$@" "${dest[@]}" ;;
  esac
}
same() {
  case $output in
    folder) diff -rq "$1/$result/" "$2/$result/" >/dev/null 2>&1 ;;
    *) cmp -s "$1" "$2" ;;
  esac
}
# No complete product of that name.
absent() {
  case $output in
    folder) [ ! -e "$1/$mark" ] ;;
    *) [ ! -e "$1" ] ;;
  esac
}
no_leftovers() { [ -z "$(find "$1" -name '.*.lm-*' -print -quit)" ]; }
await() { # await COMMAND...: until it succeeds; the limit only guards against a hang
  local end=$((SECONDS + 600))
  until "$@"; do [ $SECONDS -lt $end ] || return 1; done
}
