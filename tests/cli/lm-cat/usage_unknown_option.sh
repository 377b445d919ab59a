lm-cat --compres none
