# Of the models of one seed: bits per byte by state, of prose and of a dictionary; and what differs.
def by($domain): [$test[] | {(.model | split(".") | last): .domains[$domain]}] | add;
by("book-en") as $prose | by("gcide") as $other
| $prose
+ {quality_less_raw: ($prose.quality - $prose.raw), content_less_quality: ($prose.content - $prose.quality),
   paragraphs_less_content: ($prose.paragraphs - $prose.content), paragraphs_less_raw: ($prose.paragraphs - $prose.raw),
   paragraphs_less_any: ($prose.paragraphs - $prose.any), dictionary_raw: $other.raw,
   dictionary_english: $other.english, dictionary_paragraphs: $other.paragraphs,
   dictionary_paragraphs_less_any: ($other.paragraphs - $other.any)}
