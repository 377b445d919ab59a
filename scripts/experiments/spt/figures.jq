# Figures of one seed: questions answered to the letter, as facts were stated and the other way round, by arm; of
# the n-gram arm the two kinds of answers to reversed questions; nats of a token of forward answers.
def share(f): map(select(f)) | if length == 0 then null else (map(select(.right)) | length) / length end;
[inputs] as $all
| ($all | map(.arm) | unique | map(. as $arm | {("forward_\($arm)"): ($all | share(.arm == $arm and .direction == "forward")),
    ("reverse_\($arm)"): ($all | share(.arm == $arm and .direction == "reverse"))}) | add)
+ {names_ngram: ($all | share(.arm == "ngram" and .direction == "reverse" and .stated == "name-first")),
   descriptions_ngram: ($all | share(.arm == "ngram" and .direction == "reverse" and .stated == "description-first")),
   loss_plain: $plain, loss_chunk: $chunk}
