# A name that is empty names nothing.
for option in output report rejects config tmp-dir files-from; do
  echo '{}' | lm-cat --$option ''; echo "$option $?"
done
printf '[lm-cat]\noutput = ""\n' > run.toml
echo '{}' | lm-cat --config run.toml; echo "status $?"
echo '{}' | LM_TMPDIR= lm-cat -z none
