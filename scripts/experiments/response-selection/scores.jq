# Rankings of lm-ppl-filter responses to a record a strategy, with its mean of every metric.
[.metrics[] | .metric as $metric | .ranking[] | {strategy, key: $metric, value: .mean}]
| group_by(.strategy)[] | {strategy: .[0].strategy} + from_entries
