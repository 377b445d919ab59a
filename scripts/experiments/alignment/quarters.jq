# Records by reward, each with the quarter it stands in before its prompt: 3 are the best.
length as $n | sort_by(.reward) | to_entries[]
| .value.prompt = "\(.key * 4 / $n | floor) \(.value.prompt)" | .value
