# Command line, then file, then environment, then default.
printf '[lm-cat]\nthreads = 3\n' >run.toml
show() { "$@" --print-config | grep -E '^threads'; }
show lm-cat
LM_THREADS=2 show lm-cat
LM_THREADS=2 show lm-cat --config run.toml
LM_THREADS=2 show lm-cat --config run.toml --threads 5
LM_THREADS=x lm-cat --print-config
