# shellcheck shell=bash disable=SC2034
# --from warc: pages of a crawl, each packed by itself as crawls have them.
streams=0
args=(--from warc --source crawl)
pages() {
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; ++i) {
      body = sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<title>t</title><nav>menu</nav><p>Page %d of many, caf\351.\n%0200d", i, i)
      printf "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/%d\r\nWARC-Record-ID: <urn:uuid:%d>\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, i, length(body), body
    }
  }'
}
setup() {
  pages 6000 >"$work/a.warc"
  pages 3000 | gzip -n >"$work/b.warc.gz"
}
operands=("$work/a.warc" "$work/b.warc.gz")
kills=3
fault_runs=8
fault_step=2
starts=20
