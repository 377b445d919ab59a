# shellcheck shell=bash disable=SC2034
# noise: words of texts, changed and listed.
verb=noise
args=(--noise spelling+typo+append_irr)
big_record=0  # an utterance of 13 million words takes more than the default --memory
bad_record='{"text":7}'
records=12000
runs=20
kills=4
fault_runs=8
fault_step=2
starts=50
long_mb=20
