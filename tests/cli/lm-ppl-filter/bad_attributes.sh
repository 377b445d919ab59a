s() { lm-ppl-filter "$@" -z none; echo "status $?"; }
echo '{"attributes":{"q":"x"}}' | s select --from-attr q --max 1
echo '{"attributes":{"q":[[0,1,2],[1,2,3]]}}' | s select --from-attr q --max 1
echo '{"text":"a","attributes":3}' | s score --zlib
echo '{"attributes":{"q":1},"metadata":7}' | s bucket --from-attr q
echo '{"attributes":{"q":1},"metadata":{"lm_ppl":[]}}' | s bucket --from-attr q
echo '{"text":null}' | s score --zlib
printf '%s\n' '{"attributes":{"q":1}}' '{"attributes":{"q":"x"}}' '{"attributes":{"q":2}}' | s select --from-attr q --keep-lowest 0.5 --on-error skip
