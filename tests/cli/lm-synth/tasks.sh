# Records of every task: what they say, and that answers follow from prompts.
make() { lm-synth task "$@" -q -z none; }
for task in facts permute-bits invperm lookup permutation cipher setdisjoint mqar prefs knapsack binpack tsp vrp jssp fssp; do
  make $task -n 2 --seed 1 | head -n 1
done
echo 'other forms and splits'
make facts -n 2 --split test --seed 1
make permute-bits -n 1 --split test --form text
make invperm -n 1 --form text --set d=4 --set pause=2
make invperm -n 1 --form pauses --set d=3 --set pause=3
make lookup -n 1 --form ids --set k=2
make cipher -n 1 --form ids --set length=8
make prefs -n 1 --set kind=labels --form ids
make tsp -n 1 --form lists --set most=5 --set solution=random-feasible | jq -c '[.completion, .objective, .opt, .opt_proved]'
echo 'a text to encipher'
printf 'All the king'\''s horses and all the king'\''s men\ncould not put it together again. ' >rhyme
make cipher -n 3 --set length=12 --text rhyme --no-distinct | jq -c '[.plain, (.key | sort == [range(27)])]'
