lm-cat --comp none
