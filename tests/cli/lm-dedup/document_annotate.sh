printf '%s\n' '{"id":"a","text":"one\ntwo","n":1.50}' '{"id": "b" , "text":"x"}' \
  '{"text":"one\ntwo","attributes":{"q":[[0,1,2]]},"id":"c"}' '{"id":"d","text":"h\u00e9"}' '{"id":"e","text":"hé"}' |
  lm-dedup -z none
