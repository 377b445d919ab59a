# A wrong environment, settings file or other option does not stand between a user and the help.
LM_THREADS=x LM_MEMORY=y lm-cat --help --config missing.toml --head many | head -n 1
LM_THREADS=x lm-cat -V --shard 9/1 | head -n 1
