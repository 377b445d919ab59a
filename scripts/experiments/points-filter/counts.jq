# How many records of each kind are in each file picked/SEED.ARM.jsonl, and of how many texts.
reduce inputs as $r ({}; (input_filename | capture("[.](?<arm>[a-z]+)[.]jsonl$").arm) as $arm
  | .[$arm].kinds[$r.kind] += 1 | .[$arm].texts[$r.text] = true)
| map_values({kinds, records: (.kinds | add), texts: (.texts | length)})
