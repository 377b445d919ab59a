printf '{"a":1}\n' >in
for device in auto cpu; do lm-cat --device $device in -z none; done
for device in cuda cuda:1 cuda: gpu; do lm-cat --device $device in -o out --report r.json; echo "$?"; jq -c '[.status, .exit]' r.json; done
# The environment is a wish that a program without kernels cannot have.
LM_DEVICE=cuda lm-cat in -z none
LM_DEVICE=gpu lm-cat in -z none; echo "$?"
