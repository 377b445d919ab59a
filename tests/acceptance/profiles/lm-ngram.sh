# shellcheck shell=bash disable=SC2034
# train: an ARPA file of the words of all records. The generated text has 40 words, so the unigrams
# need the fallback discounts.
verb=train
args=(-k 3 --discount-fallback)
output=file
recordwise=0
bad_record='{"text":7}'
empty_exit=65
records=12000
runs=40
kills=5
starts=50
rss_limit_mb=500
long_mb=60
