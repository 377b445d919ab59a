# Paragraphs of the handbook to documents, one a page.
reduce inputs as $p ({}; .[$p.id | sub("/[0-9]+$"; "")] += [$p.text]) | to_entries[]
| {id: .key, text: (.value | join("\n")), source: $source}
