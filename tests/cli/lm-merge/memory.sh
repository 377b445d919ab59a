# Two models of 768 MiB each merge inside their mappings and 512 MiB of address space, so that no
# whole model is ever held.
make() {
  local text='{"a":{"dtype":"BF16","shape":[24576,16384],"data_offsets":[0,805306368]}}'
  mkdir "$1"; printf "$(printf '\\x%02x\\0\\0\\0\\0\\0\\0\\0' ${#text})%s" "$text" > "$1/model.safetensors"
  truncate -s $((805306368 + 8 + ${#text})) "$1/model.safetensors"
}
make x; make y; make z
for method in linear ties; do
  base=(); [ $method = linear ] || base=(--base x --set density=0.5)
  (ulimit -v $(((2 + ${#base[@]} / 4) * 786432 + 524288)); lm-merge -q --no-sync -t 2 --method $method "${base[@]}" y z -o out; echo "$method: status $?") 2> err
  cmp x/model.safetensors out/model.safetensors > /dev/null; stat -c %s out/model.safetensors
  cat err | grep -v model_type; rm -rf out
done
