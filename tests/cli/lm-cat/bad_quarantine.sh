printf '{"id":"a"}\n{"id":"b",}\n\n{"t":"\377"}\n{"id":"c"}\n' >in.jsonl
lm-cat -z none --on-error=quarantine --rejects=bad.jsonl in.jsonl
jq -c '[.error.code, .error.file, .error.line, .error.offset, .raw, .raw_b64]' bad.jsonl
