printf '{}\n' | lm-cat - -
