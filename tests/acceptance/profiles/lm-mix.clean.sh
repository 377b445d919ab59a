# shellcheck shell=bash disable=SC2034
# Cleaners that change texts and drop documents, one behind the other.
args=(--clean mojibake --clean pii --clean 'c4:sentences=1' --clean 'line-len:words=1')
bad_record='{"id":"bad","text":7}'
generate() {
  awk -v n="$1" -v seed="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i) {
      printf "{\"id\":\"r%d\",\"n\" :1.50,\"text\":\"", i
      for (j = 0; j < 8; ++j)
        printf "%s%d lines of this and that %s\\n", j % 3 ? "some " : "a caf\\u00c3\\u00a9 has ", rand() * 1000, j % 4 ? "to be kept." : "a@b.co"
      printf "%s\"}\n", rand() < 0.1 ? "lorem ipsum dolor it is." : "The end of it."
    }
  }'
}
records=10000
runs=8
kills=2
fault_runs=8
fault_step=2
starts=20
long_mb=15
