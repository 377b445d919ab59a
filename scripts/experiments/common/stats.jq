# Statistics of small tables. Lists are of numbers; null where a value is not defined.
def mean: if length == 0 then null else add / length end;
def variance: if length < 2 then null else mean as $m | (map(. - $m | . * .) | add) / (length - 1) end;

# Places from 1, equal values share their mean place.
def ranks: . as $all | map(. as $v
  | ($all | map(select(. < $v)) | length) + (($all | map(select(. == $v)) | length) + 1) / 2);

# Pearson's correlation of pairs [x, y]; null when one side is constant.
def pearson: (map(.[0]) | mean) as $mx | (map(.[1]) | mean) as $my
  | (map((.[0] - $mx) * (.[1] - $my)) | add) as $xy
  | (map(.[0] - $mx | . * .) | add) as $xx | (map(.[1] - $my | . * .) | add) as $yy
  | if $xx == 0 or $yy == 0 then null else $xy / ($xx * $yy | sqrt) end;
def spearman: [(map(.[0]) | ranks), (map(.[1]) | ranks)] | transpose | pearson;

# 97.5 % points of Student's t for 1 to 9 degrees of freedom: intervals over a few repetitions.
def t975: [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262][. - 1];
# {mean, low, high, values}: the mean over repetitions and its 95 % interval.
def interval: . as $values | length as $n | mean as $mean
  | (if $n < 2 or $n > 10 then null else ($n - 1 | t975) * ((variance / $n) | sqrt) end) as $half
  | {mean: $mean, low: (if $half == null then null else $mean - $half end),
     high: (if $half == null then null else $mean + $half end), values: $values};

def words: split(" ") | map(select(. != ""));

# The whole of results.json. It is an error if a repetition lacks a figure or has one that is not declared.
def results($name; $seeds; $figures; $tables; $reports; $runs):
  ($figures | words) as $names
  | ($runs | map(keys_unsorted | (. - $names) + ($names - .)) | add | unique) as $odd
  | if $odd != [] then error("figures that are declared and made differ: \($odd | join(", "))") else . end
  | {schema: "lm-experiment/1", experiment: $name, seeds: ($seeds | words | map(tonumber)),
     figures: (reduce $names[] as $f ({}; .[$f] = ($runs | map(.[$f]) | interval))),
     cost: {cpu_s: ($reports | map(.cpu_s + (.metrics.children_cpu_s? // 0)) | add // 0), wall_s: ($reports | map(.wall_s) | add // 0),
            commands: ($reports | length)},
     tables: $tables};
