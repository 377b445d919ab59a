# Of the models of one seed: bits per byte, mean over the held-out texts, by state; and what differs.
[$test[] | {(.model | split(".") | last): ([.domains[]] | add / length)}] | add
| . + {quality_less_raw: (.quality - .raw), content_less_raw: (.content - .raw),
       paragraphs_less_raw: (.paragraphs - .raw), paragraphs_less_any: (.paragraphs - .any)}
