# The unknown option is named even when others have bad values.
lm-cat --head x --haed 3 --compress=
