# shellcheck shell=bash disable=SC2034
# responses --per-item: the likeliest answer to each question, a few tokens each: the contract is
# tested, not the model.
verb=responses
setup() { "$bin/helpers/make-tiny-model" "$work/model"; }
args=(-q -m "$work/model" --device cpu --metric ppl --per-item --boot 2 --allow-missing --first 600)
recordwise=0
foreign=subset
bad_record='{"id":"q","strategy":"s","prompt":"p"}'
big_record=0  # its record has no prompt
empty_exit=65
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    other = sprintf("%3000s", "")
    for (i = 0; i < n; ++i)
      printf "{\"id\":\"q%d\",\"strategy\" :\"s%d\",\"prompt\":\"%d\",\"answer\":\"%d\",\"other\":\"%s\",\"n\":1.50}\n", int(i / 3), i % 3, i % 7, rand() * 90, other
  }'
}
records=2400
runs=8
kills=2
fault_runs=8
fault_step=1
starts=20
skip=(long_stream)  # it repeats the stream, and a second answer to a question is a bad record
