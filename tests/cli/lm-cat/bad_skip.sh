printf '{"id":"a"}\n{"id":"b",}\n[1]\n"x"\n{"id":"c"}\n{"id":"\377"}\n{"id":"\\ud800"}\n' >in.jsonl
lm-cat -z none --on-error skip in.jsonl --validate full
