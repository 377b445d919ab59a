lm-cat --output
