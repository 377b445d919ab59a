# A process substitution or /dev/stdout names a descriptor, not a file: it is written as it stands.
printf '{"a":1}\n' >in
lm-cat in -o /dev/stdout | lm-cat -z none
lm-cat in -z none -o >(cat >copy; : >done) --report >(jq -c .status >status; : >told)
until [ -e done ] && [ -e told ]; do sleep 0.05; done; cat copy status
echo before >all; lm-cat in -z none -o /dev/stdout >>all; lm-cat in -z none -o /dev/fd/7 7>>all; cat all
find . -name '.*.lm-*'
