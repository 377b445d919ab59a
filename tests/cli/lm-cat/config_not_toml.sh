printf '[lm-cat\nhead = = 2\n' >run.toml
lm-cat --config run.toml
