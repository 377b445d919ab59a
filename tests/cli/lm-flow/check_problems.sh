# Every problem is checked by rules; the needle without its target too.
cat >rules.script <<'END'
{"when":{"meta.role":"lists"},"fn":"sort_numbers","input":{"meta":"item"},"prefix":"[","suffix":"]","noise":{"kind":"drop","rate":0.002}}
{"when":{"meta.role":"answers"},"fn":"find_needle","input":{"meta":"item"},"needle":{"meta":"question"},"noise":{"kind":"needle","rate_per_char":1e-4,"false_rate":0.02}}
{"when":{"meta.role":"extracts"},"reply":"none"}
{"when":{"meta.role":"answer"},"reply":"none"}
END
check() { lm-flow check "$@" --engine script:rules.script --call-time 0.3,0.001,0,0.02,0 --draws 200 | grep -v '^ *[0-9]\|^n '; echo "status ${PIPESTATUS[0]}"; }
check sort --sizes 10,20,50,100 --length 60,100 --check-sizes 15,30,70
check needle --sizes 300,600,1200,2400 --length 1800,2400 --check-sizes 450,900,1500
check needle --no-target --sizes 300,600,1200,2400 --length 1800,2400 --check-sizes 450,900,1500
echo 'what finds nothing is predicted to find nothing'
check multineedle --sizes 300,600,1200 --length 1200 --check-sizes 450,900 --trials 30
