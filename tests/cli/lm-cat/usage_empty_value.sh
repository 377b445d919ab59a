printf '{}\n' | lm-cat --compress=
