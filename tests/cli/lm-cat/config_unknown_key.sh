printf '# settings\n[lm-cat]\nhead = 3\n\ncompres = "none"\n' >run.toml
lm-cat --config run.toml
