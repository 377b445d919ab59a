lm-cat --print-config --head 3 -z
