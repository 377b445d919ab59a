# A stream of version 2 is refused by number, however it checks itself.
frame() { printf '\x5a\x2a\x4d\x18'; printf "$(printf '\\x%02x\\x%02x\\0\\0' $((${#1} & 255)) $((${#1} >> 8)))"; printf '%s' "$1"; }
frame 'LMH1{"v":2,"tool":"lm-new","version":"9","params":{},"seed":0,"chain":[],"check":"0000000000000000"}' >new.zst
lm-cat new.zst
