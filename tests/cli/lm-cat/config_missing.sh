lm-cat --config none.toml
