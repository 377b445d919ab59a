printf '[lm-dedup]\nanything = 1\n\n[lm-cat]\nhead = 2  # few\ncompress = "none"\n' >run.toml
seq -f '{"n":%g}' 5 | lm-cat --config run.toml
