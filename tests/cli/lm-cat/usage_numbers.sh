# Decimal only; 1e6 for counts; ranges are said in words.
for args in '--head 0x10' '--head 1.5' '--head -1' '--head 1e30' '--threads 0' '--threads 010x' \
  '--threads 5000' '--max-record 12Q' '--split 0' '--grace nan' '--memory 0' '--memory 120%' '--seed -3' \
  '--on-error=skip --max-errors x' '--on-error=skip --max-errors 101%' '--shard 3/3' '--shard x' '--progress sometimes' '--compress zstd:99' '--compress lz4'; do
  printf '{}\n' | lm-cat $args >out || echo "$args: $?"
  [ ! -s out ] || echo "$args: wrote something"
done
