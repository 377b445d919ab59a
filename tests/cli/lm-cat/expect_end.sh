printf '{"a":1}\n' | lm-cat --expect-end -z none; echo "$?"
printf '{"a":1}\n' | zstd -qc | lm-cat --expect-end -z none; echo "$?"
printf '{"a":1}\n' | lm-cat -z stored | lm-cat --expect-end -z none; echo "$?"
