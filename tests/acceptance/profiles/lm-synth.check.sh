# shellcheck shell=bash disable=SC2034
# check: the instance and the solution of a record are read, the verdict is added.
verb=check
args=(--field text)
foreign=append
bad_record='{"text":7}'
usage_args=(--field instance)
runs=40
kills=5
starts=50
big_record=0  # such a record has no instance
long_mb=60
# Every record has an instance of knapsack; its text is no solution, which is a verdict and no fault.
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    split("the of model data word stream a in that it language with record pipe text learn from by set time who small large river stone light wind seven nine hours never often", w, " ")
    split("1.0 1.50 -0 0.1e1 1E+2 12345678901234567890 3.0000000000000001 -0.0 1e-7 0.30000000000000004", num, " ")
    for (i = 0; i < n; ++i) {
      text = ""
      k = 20 + int(rand() * 60)
      for (j = 0; j < k; ++j) text = text (j ? " " : "") w[1 + int(rand() * 34)]
      if (i % 3 == 0) text = sprintf("[[%d, 4]]", 1 + i % 2)
      gap = rand() < 0.2 ? " " : ""
      printf "{%s\"id\":%s\"r%d\",\"n\" :%s%s,\"x\":[1, 2.00],\"instance\":{\"problem\":\"knapsack\",\"items\":[[1,%d],[3, 5]],\"capacity\":9},\"opt\":4,\"text\":\"%s\"%s}\n", gap, gap, i, gap, num[1 + int(rand() * 10)], 4, text, gap
    }
  }'
}
