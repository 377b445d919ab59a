# A section that no program reads would be lost without a word.
run() {
  printf "$1" >run.toml
  echo '{"n":1}' | lm-cat --config run.toml
  echo "exit $?"
}
run '[lm-cat]\nhead = 1\n\n[lm-ngarm]\norder = 3\n'
run '# empty ones too\n[lm_cat]\n'
run '[train]\n'
run '[lm-cat]\ncompress = "none"\n[lm-train]\n[lm-uq]\n[lm-merge]\nx = 1\n'
