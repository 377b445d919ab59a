# Figures of one seed: error, bits and whole texts right of each arm at its end; texts that built weights get right.
def arm($name; $lines): $lines[-1] as $last
  | {("mse_\($name)"): $last.mse, ("bits_\($name)"): $last.bits_right, ("texts_\($name)"): $last.texts_right};
arm("full"; $f) + arm("first"; $p) + arm("second"; $t) + arm("scratch"; $s)
+ {built_full: $full, built_scratch: $scratch, built_noise: $noise}
