printf '[lm-cat]\nthreads = "many"\n' >run.toml
lm-cat --config run.toml
