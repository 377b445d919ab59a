# Of one seed: shares of lines that are filled to the letter, in %, perplexities per character, nats per token of
# second halves. A model without holes writes on: its first line counts too (loose), and what it writes from the left.
def share($got): [$lines, $got] | transpose | map(if .[0].line == .[1] or .[0].line == .[1] + "\n" then 100 else 0 end) | add / length;
def char($read): $read[0].metrics.ppl_char;
def cost($a; $b): 100 * ($a / $b - 1);
{line_clm: share($filled_clm), line_mix: share($filled_mix), line_fim: share($filled_fim),
 char_clm: char($read_clm), char_mix: char($read_mix), char_fim: char($read_fim), line_left: share($left),
 line_loose: share($filled_clm | map(split("\n")[0])),
 ltr_cost_mix: cost(char($read_mix) | log; char($read_clm) | log), ltr_cost_fim: cost(char($read_fim) | log; char($read_clm) | log),
 suffix_causal: $causal[0].loss, suffix_prefix: $prefix[0].loss, suffix_cost_prefix: cost($prefix[0].loss; $causal[0].loss),
 suffix_crossed: $crossed[0].loss}
