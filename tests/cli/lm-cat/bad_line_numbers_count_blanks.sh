printf '\n{"a":1}\r\n\n \t\n{"a":}\n' | lm-cat -z none --on-error skip
