cat > app.py <<'PY'
import os
password = "hunter2"
token = os.environ["TOKEN"]
aws_key = "AKIAQWERTYUIOPASDFGH"  # pragma: allowlist secret
url = "http://me:pw1@host/"
PY
jq -Rsc '{id:"a",text:.,metadata:{ext:"py"}}' app.py > in.jsonl
lm-tag -q -T code_secrets_v1 --explain in.jsonl
lm-tag -q -T code_starcoder_taggers_v2,code_copyright_comments_v1,code_redpajama_taggers_v1 --no-declare -z none in.jsonl | jq -c '.attributes | map_values(.[0])'
