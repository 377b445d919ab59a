seq -f '{"n":%g}' 5 | lm-cat --head 1 --head=3 -n2 --compress stored --compress none --seekable --no-seekable
