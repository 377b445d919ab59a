# Help needs no file and no valid environment for the run.
lm-cat --help /nonexistent | head -n 1
