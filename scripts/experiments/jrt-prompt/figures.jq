# Figures of one seed: right answers of each model by order, and what putting the question first and reading twice add.
def of($arm; $results): ($results[0].results | with_entries(.key |= ltrimstr("recall_") | .value |= .["contains,none"])) as $r
  | ($r | with_entries(.key = "\($arm)_\(.key | ascii_downcase)"))
  + {"\($arm)_first": ($r.QCQ - $r.CQ), "\($arm)_twice": ($r.CCQ - $r.CQ), "\($arm)_both": ($r.QCCQ - $r.CQ),
     "\($arm)_first_less_twice": ($r.QCQ - $r.CCQ)};
of("full"; $full) + of("window"; $window)
