lm-synth task --list
echo
lm-synth --task mqar --list -o mqar.txt && cat mqar.txt
