printf '{"a":1}\n' >--head
lm-cat --compress none -- --head
