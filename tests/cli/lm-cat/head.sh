seq -f '{"n":%g}' 100000 | lm-cat -z stored >in.zst
lm-cat -z none -n 3 in.zst
lm-cat -z none --head 0 in.zst
lm-cat -z none --head 1e9 in.zst | tail -n 1
lm-cat --head 2 in.zst -o two.zst && lm-cat --check=full two.zst
