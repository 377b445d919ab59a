printf '{\n' | lm-cat --color always -z none
printf '{\n' | NO_COLOR=1 lm-cat -z none
printf '{\n' | lm-cat -z none
