lm-cat --version | sed -n '1,2p'
lm-cat -V | head -n 1
