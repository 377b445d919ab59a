#!/usr/bin/env bash
# cuda_ptx.sh NVCC ROOT: the streaming kernels move 16 bytes per access and keep nothing in local memory.
set -euo pipefail
nvcc=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$nvcc" -ptx -O3 -std=c++20 -gencode arch=compute_80,code=compute_80 --expt-relaxed-constexpr \
  -I"$root/lib" -I"$root/kernels" -o "$scratch/pointwise.ptx" "$root/kernels/pointwise.cu"
status=0
for access in ld.global st.global; do
  if ! grep -Eq "${access}[a-z.]*\.v4" "$scratch/pointwise.ptx"; then
    echo "pointwise.cu: no 16-byte $access" >&2
    status=1
  fi
done
if grep -n '\.local' "$scratch/pointwise.ptx" >&2; then
  echo "pointwise.cu: uses local memory" >&2
  status=1
fi
exit $status
