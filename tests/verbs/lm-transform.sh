# shellcheck shell=bash
setup() {
  lm-tokenize train -q -n 400 --on-error skip --special-token '<|endoftext|>' --special-token '<mask_1>' \
    --special-token '<mask_2>' --special-token '<sep>' --special-token '<eom>' --special-token '<fim_prefix>' \
    --special-token '<fim_suffix>' --special-token '<fim_middle>' in.zst -o tok/
  lm-transform --on-error skip -q in.zst -o moved.jsonl
  lm-cat moved.jsonl | zstd -dc >moved.plain
  frames moved.plain 250 >moved.zst
  lm-transform infill -m tok --on-error skip -q in.zst -o rows.jsonl
  frames rows.jsonl 250 >rows.zst
}
table() {
  local all='.output.records + bad' s='--on-error skip'
  # shellcheck disable=SC2086
  row permute shards "$all" $s ../in.zst -o out.zst
  # shellcheck disable=SC2086
  row tokens shards "$all" $s --permute ngram:3 -m ../tok ../in.zst -o out.zst
  # shellcheck disable=SC2086
  row orders shards '.output.records / 2 + bad' $s --orders 2 --unique-ids ../in.zst -o out.zst
  row inverse shards "$all" --inverse ../moved.zst -o out.zst
  # shellcheck disable=SC2086
  verb=infill row infill shards "$all" $s -m ../tok ../in.zst -o out.zst
  # shellcheck disable=SC2086
  verb=infill row fim shards "$all" $s --format psm --infill-rate 1 --max-tokens 400 -m ../tok ../in.zst -o out.zst
  # shellcheck disable=SC2086
  verb=infill row text shards "$all" $s ../in.zst -o out.zst
  verb=infill row inverse-infill shards "$all" --inverse -m ../tok ../rows.zst -o out.zst
  # shellcheck disable=SC2086
  verb=noise row noise shards "$all" $s --noise spelling+typo+append_irr ../in.zst -o out.zst
  # shellcheck disable=SC2086
  verb=noise row speech shards "$all" $s --noise speech --noise verbose ../in.zst -o out.zst
}
