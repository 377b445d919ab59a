printf '{"a":01}\n{"a":1e400}\n{"a":"\\q"}\n{"a":tru}\n{"a":1}\n' >in
lm-cat -z none --on-error skip --validate full in
