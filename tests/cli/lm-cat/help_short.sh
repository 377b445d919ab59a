lm-cat -h
