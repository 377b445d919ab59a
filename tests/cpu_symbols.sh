#!/bin/sh
# A weak symbol in an object built for one processor level may become the copy that the linker keeps
# for every level, and crash older machines. Arguments: the level objects. Fails on a weak symbol, or
# a global definition, outside namespace lm::isa::<level>.
set -eu
[ $# -gt 0 ] || { echo "no objects given" >&2; exit 2; }
status=0
for object in "$@"; do
  bad=$(nm -C --defined-only "$object" |
    awk '$2 ~ /^[VWuTDBRGS]$/ { line = $0; $1 = $2 = ""; sub(/^ */, "");
         if ($0 !~ /lm::isa::v[234]::/) print line }')
  if [ -n "$bad" ]; then
    echo "$object defines outside its namespace:" >&2
    echo "$bad" >&2
    status=1
  fi
done
exit $status
