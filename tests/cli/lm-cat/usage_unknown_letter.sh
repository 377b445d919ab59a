lm-cat -y
