# shellcheck shell=bash disable=SC2034
# Whether a record is a copy depends on the records before it: a shard alone knows less.
verb=document
recordwise=0
foreign=append
bad_record='{"text":7}'
