# Systems with closed forms: formulas, draws and training agree; the same bytes for any threads; bad settings.
lm-train bits --k 5 --scaling standard
lm-train bits --k 6 --ones 1 --method draw --networks 2 | tail -n 1 | jq -c '[.seen.variance < 1e-12, .mean_off]'
lm-train bits --k 4 --width 200 --method train --networks 12 --inputs 3 -t 1 > one
lm-train bits --k 4 --width 200 --method train --networks 12 --inputs 3 -t 2 -o two && cmp one two
wc -l < one; jq -c 'select(.seen) | [.seen.training_mse < 1e-6, .seen.needed != 0]' one
lm-train inverse --d 5 --mask full --construct --texts 50 --save w.safetensors | jq -c '[.mse < 1e-12, .texts_right, .mse_floor]'
head -c 8 w.safetensors | od -An -tu8 | tr -d ' ' > /dev/null && ls w.safetensors
lm-train inverse --d 3 --scratch 3 --readout scratch --steps 600 --batch 64 --log-every 300 --texts 200 > trained
jq -c 'select(.step) | .step' trained; jq -c 'select(.d) | [.texts_right > 0.9]' trained
lm-train inverse --d 3 --steps 200 --batch 64 --texts 2000 --log-every 200 | tail -n 1 | jq -c '[.mse > .mse_floor - 0.01, .bits_right < .bits_ceiling + 0.05]'
try() { lm-train "$@"; echo "status $?"; }
try bits --k 3 --ones 4
try bits --networks 3
try bits in.jsonl
try inverse --readout scratch --scratch 2
try inverse --construct
try inverse --construct --steps 3
try inverse --d 0
try bits --inputs 5000 --method draw
