printf '{"a":\n' | lm-cat --log-format json -z none | cat
