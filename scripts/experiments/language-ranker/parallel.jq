# Paragraphs of 40 to 260 letters in English, on pages that are held out, that all languages have.
($held | split("\n") | map(select(. != "")) | map({(.): true}) | add) as $pages
| [inputs | select($pages[.id | sub("/.*"; "")])] | group_by(.id)[]
| select(length == $languages)
| select(any(.lang == "en" and (.text | length | . >= 40 and . <= 260)))[]
