# shellcheck shell=bash disable=SC2034
# Records of two keys to units of 60,000 tokens and held-out sets.
verb='ablate init'
args=(-q --by key --unit-tokens 60000 -m "$work/model")  # -q: how unequal units are depends on the records
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("the of model data word stream a in that it language with record pipe text learn from by", w, " ")
    for (i = 0; i < n; ++i) {
      text = ""
      k = 4 + int(rand() * 12)
      for (j = 0; j < k; ++j) text = text (j ? " " : "") w[1 + int(rand() * 18)]
      printf "{\"id\":\"r%d\",\"key\":\"%s\",\"text\":\"%s %d\"}\n", i, (rand() < 0.3 ? "code" : "web"), text, i
    }
  }'
}
output=folder
result=.
folders=1
recordwise=0
bad_record='{"key":"web","text":7}'
empty_exit=65  # no record is left for a unit
nowhere=/dev/null/out  # folders on the way are made
big_record=0  # its record has no key
records=6000
runs=20
kills=4
fault_runs=10
starts=20
long_mb=15
