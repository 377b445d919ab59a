# Answers a completion with a number that depends on its bytes and means nothing.
use strict;
use warnings;
$| = 1;
while (<STDIN>) {
  my ($text) = /"completion":"((?:[^"\\]|\\.)*)"/;
  my $hash = 7;
  $hash = ($hash * 33 + ord $_) % 1000003 for split //, $text;
  printf "%.3f\n", ($hash % 2001) / 1000 - 1;
}
