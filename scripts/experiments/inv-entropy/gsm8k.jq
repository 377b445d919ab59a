# A question with the solutions of four models to a record: all are its answers, the last one is judged.
[."6b_finetuning", ."6b_verification", ."175b_finetuning", ."175b_verification"] as $all
| {id: input_line_number, prompt: .question, correct: (if $all[3].is_correct then 1 else 0 end),
   greedy: {text: $all[3].solution}, samples: ($all | map(.solution))}
