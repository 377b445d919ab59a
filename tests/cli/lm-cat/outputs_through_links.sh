# A link is resolved and its target replaced, whether or not the target exists.
printf '{"a":1}\n' >in; mkdir d
ln -s real link; lm-cat in -o link; readlink link; cat real
ln -s ../d/second d/first; ln -s d/first chain; lm-cat in -o chain; readlink chain d/first; cat d/second
ln -s loop loop; lm-cat in -o loop; echo "$?"
find . -name '.*.lm-*'
