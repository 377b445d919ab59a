# shellcheck shell=bash disable=SC2034
# lm-cat copies records, so nearly everything that holds of streams can be seen here.
foreign=same
