lm-cat --on-error skp
