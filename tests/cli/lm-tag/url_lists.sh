printf '# hosts\n0.0.0.0 ads.bad.org\nshop.net/deals\n||block.de^\n||third.com^$third-party\n' > list.txt
record() { printf '{"text":"x","metadata":{"url":"%s"}}\n' "$1"; }
{ record http://a.ads.bad.org/x; record shop.net/deals/; record shop.net; record http://block.de; record http://third.com; echo '{"text":"no address"}'; } > in.jsonl
lm-tag -T domain_blocklist_utp_v1 --model domain_blocklist_utp_v1=list.txt --no-declare -z none in.jsonl | jq -c '[.metadata.url, .attributes]'
echo 'the same by a name of the user, for 1, 2 and 7 threads'
for n in 1 2 7; do lm-tag --define bad=urls:list.txt -q -t $n -z none in.jsonl | jq -c .attributes | md5sum; done
echo 'the report knows the list'
lm-tag --define bad=urls:list.txt -q --report r.json in.jsonl -o out.zst
jq -c '.metrics.file_entries' r.json
echo 'files that are no lists'
printf 'a.com\n<html>\n' > page.txt
lm-tag --define bad=urls:page.txt in.jsonl; echo "status $?"
lm-tag -T url_words --model url_words=page.txt in.jsonl; echo "status $?"
lm-tag -T oisd_small_abp_v1 in.jsonl; echo "status $?"
