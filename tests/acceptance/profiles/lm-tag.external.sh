# shellcheck shell=bash disable=SC2034
# A program of the user's answers beside the taggers of the toolkit.
args=(-q -T gopher_v2 --define 'ext=external:n,m:sed -u "s/.*/{\"attributes\":{\"n\":2,\"m\":[[0,1,1]]}}/"')
foreign=append
bad_record='{"text":7}'
records=1600
runs=4
kills=2
fault_runs=8
fault_step=2
starts=5
long_mb=1
big_record=0  # one text after the other passes through the pipe
