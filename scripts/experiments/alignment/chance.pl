# Answers a completion with a number that depends on its bytes and its record's name and means nothing.
use strict;
use warnings;
$| = 1;
while (<STDIN>) {
  my ($id) = /"id":"([^"]*)"/;
  my ($text) = /"completion":"((?:[^"\\]|\\.)*)"/;
  my $hash = 7;
  $hash = ($hash * 7919 + ord $_) % 1000003 for split //, "$id $text $id";
  printf "%.3f\n", ($hash % 2001) / 1000 - 1;
}
