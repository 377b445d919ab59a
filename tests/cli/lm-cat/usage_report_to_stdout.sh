printf '{}\n' | lm-cat --report -
