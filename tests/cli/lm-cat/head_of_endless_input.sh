yes '{"n":1}' 2>/dev/null | lm-cat -z none -n 2
echo "${PIPESTATUS[1]}"
