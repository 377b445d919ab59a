lm-cat --frobnicate
