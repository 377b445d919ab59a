lm-cat --seekable=false
