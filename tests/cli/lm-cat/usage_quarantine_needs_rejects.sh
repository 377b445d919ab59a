printf '{}\n' | lm-cat --on-error quarantine
