# Documents to pieces of at least $least bytes, cut at the ends of lines: the same shape for all sources.
# The last piece of a document is dropped if it is shorter than a fifth of that.
. as $doc | foreach ((.text | split("\n")[]), null) as $line ({open: "", bytes: 0};
    .out = null
    | if $line == null then (if .bytes * 5 >= $least then .out = .open else . end)
      else .open += $line + "\n" | .bytes += ($line | utf8bytelength) + 1
        | if .bytes >= $least then .out = .open | .open = "" | .bytes = 0 else . end end;
    .out | select(. != null))
| {text: ., source: $doc.source}
