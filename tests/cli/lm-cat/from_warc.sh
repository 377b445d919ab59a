record() { # TYPE FIELDS BLOCK
  printf 'WARC/1.0\r\nWARC-Type: %s\r\n%bContent-Length: %d\r\n\r\n%b\r\n\r\n' "$1" "$2" "$(printf '%b' "$3" | wc -c)" "$3"
}
page() { # URL STATUS TYPE BODY
  record response "WARC-Target-URI: $1\r\nWARC-Date: 2024-05-01T00:00:00Z\r\nWARC-Payload-Digest: sha1:$1\r\nContent-Type: application/http\r\n" "HTTP/1.1 $2\r\nContent-Type: $3\r\n\r\n$4"
}
record warcinfo 'WARC-Filename: CC-1.warc.gz\r\n' 'software: x\r\n' > 0
page a '200 OK' 'text/html; charset=iso-8859-1' '<title>t</title><nav>menu</nav><h1>Caf\xe9</h1><p>One\n two<script>x</script>' > 1
page b '404 Not Found' text/html gone > 2
page c '200 OK' image/png '\x89PNG' > 3
page d '200 OK' text/plain 'plain\ntext' > 4
record conversion 'WARC-Target-URI: e\r\nWARC-Record-ID: <urn:uuid:1>\r\nContent-Type: text/plain\r\n' 'Three\n' > 5
cat 0 1 2 3 4 5 > t.warc; for i in 0 1 2 3 4 5; do gzip -nc $i; done > t.warc.gz; zstd -q t.warc
lm-cat --from warc --source cc --report r.json t.warc -o out.zst && zstdcat out.zst; jq -c .metrics.ingest r.json
for f in t.warc.gz t.warc.zst; do lm-cat --compare out.zst <(lm-cat --from warc --source cc $f) && echo $f; done
lm-cat --from wet -v -o wet.jsonl - < t.warc.gz 2>&1 | grep -e --from; cat wet.jsonl
for t in 1 2 7; do for n in $(seq 200); do cat 1 4; done | lm-cat --from warc -t $t -z none | cksum; done | sort -u | wc -l
lm-cat --from warc --head 1 -z none t.warc | jq -r .text
lm-cat --from warc 0 2 -z none
# Nothing that is torn passes.
head -c 700 t.warc | lm-cat --from warc -z none > cut; echo "$?"; wc -l < cut
sed 's/Content-Length: 6/Content-Length: 5/' 5 | lm-cat --from wet -z none; echo "$?"
sed 's/Content-Length: 6/Content-Length: 60/' 5 | lm-cat --from wet -z none; echo "$?"
echo '{}' | lm-cat --from wet -z none; echo "$?"; cat 0 <(echo) 5 | lm-cat --from wet -z none; echo "$?"
head -c -3 t.warc.gz | lm-cat --from warc -o out; echo "$?"
printf "WARC/1.0\r\n" | lm-cat -z none; echo "$?"
