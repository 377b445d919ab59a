# shellcheck shell=bash disable=SC2034
# Repeated paragraphs, cut out: texts change, all other bytes stay. The separator makes several
# paragraphs of a generated text.
verb=paragraph
args=(--separator ' that ' --action remove)
recordwise=0
foreign=none
bad_record='{"text":7}'
records=12000
runs=40
kills=5
starts=50
long_mb=100
