# shellcheck shell=bash disable=SC2034
# Two streams of one recipe, one shuffled and in several files, with attribute files beside. The
# recipe names inputs and outputs, so what would be an output here is one in it.
streams=0
output=folder
result=.
mark=web.manifest.json
overwrites=0
lacking=(--sidecar nowhere)
usage_args=(--output out)
args=(--where 'some=length(text) > 60' --sample 0.9)
setup() {
  mkdir -p documents
  generate 9000 3 >documents/a.jsonl
  generate 9000 4 | lm-cat -o documents/b.jsonl.zst
}
writes_to() {
  local recipe
  recipe=$work/recipe-$(cksum <<<"$1" | cut -d ' ' -f 1).json
  cat >"$recipe" <<END
{"streams":[{"name":"books","documents":["$work/documents/*"],"sample":0.3,"output":{"path":"$1"}},
 {"name":"web","documents":["$work/documents/a*"],"shuffle":true,"cut":"x","allow_missing":["x"],"output":{"path":"$1","max_size":500000}}]}
END
  dest=(--recipe "$recipe")
}
folders=1
nowhere=/dev/null/out  # folders on the way are made
kills=3
fault_runs=8
fault_step=2
starts=20
