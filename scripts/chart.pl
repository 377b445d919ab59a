# Charts as SVG: one drawing rule for the demonstration's page and the plots of the experiments. Drawn
# 360 units wide, as a phone is; colours are those of chart_colours, which follow the reader's choice of
# light or dark. Read with require; needs perl-base only.
use strict;
use warnings;

sub chart_colours {    # custom properties for the page, or the SVG, around the charts
  return <<'CSS';
:root { color-scheme: light dark; --back: #fff; --text: #222; --soft: #555; --rule: #ddd; --pre: #f4f4f1; --c0: #2563a8; --c1: #b84a0f; --c2: #2e7d45; }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --text: #e4e4e0; --soft: #a9adb3; --rule: #3a3e44; --pre: #22252a; --c0: #6fa8e8; --c1: #f09a5b; --c2: #7cc48f; } }
CSS
}

sub chart_style {    # what the classes of the charts look like
  return <<'CSS';
.grid { stroke: var(--rule); } svg text { font-size: 11px; fill: var(--soft); } .ytick { text-anchor: end; dominant-baseline: middle; } .xtick, .yname { text-anchor: middle; } .legend { text-anchor: end; }
.line { fill: none; stroke-width: 1.8; } .line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); stroke-width: 1; }
svg .fill.c0 { fill: var(--c0); } svg .fill.c1 { fill: var(--c1); } svg .fill.c2 { fill: var(--c2); }
CSS
}

# A chart as a file of its own.
sub standalone {
  my $svg = shift;
  my $style = 'svg { font-family: system-ui, sans-serif; background: var(--back); }';
  my $sheet = "<style>\n" . chart_colours() . chart_style() . "$style\n</style>\n";
  $svg =~ s/<svg ([^>]*)>\n?/<svg xmlns="http:\/\/www.w3.org\/2000\/svg" $1>\n$sheet/;
  return $svg;
}

sub html {
  my $text = shift;
  $text =~ s/&/&amp;/g;
  $text =~ s/</&lt;/g;
  $text =~ s/>/&gt;/g;
  return $text;
}

sub count_text {
  my $n = shift;
  for my $unit ([1e9, 'G'], [1e6, 'M'], [1e3, 'k']) {
    return sprintf '%.3g%s', $n / $unit->[0], $unit->[1] if abs $n >= $unit->[0];
  }
  return sprintf '%.4g', $n;
}

sub ticks {    # about four round values between low and high
  my ($low, $high) = @_;
  my $span = $high - $low || 1;
  my $step = 10**int(log($span / 4) / log(10) - ($span < 4 ? 1 : 0));
  for my $factor (1, 2, 5, 10, 20, 50) {
    if ($span / ($step * $factor) <= 5) { $step *= $factor; last }
  }
  my @ticks;
  for (my $t = $step * int($low / $step); $t <= $high + 1e-9 * $span; $t += $step) {
    push @ticks, $t if $t >= $low - 1e-9 * $span;
  }
  return @ticks;
}

my ($W, $H, $L, $B, $T) = (360, 230, 50, 42, 14);

sub log10 { return log($_[0]) / log(10) }

sub colour { return 'c' . $_[0] % 3 }    # of series number so and so

# Axes, grid and labels, above them the names of the series, where no point can lie; returns the SVG so far
# and the mapping functions.
sub frame {
  my ($names, $x0, $x1, $y0, $y1, $xname, $yname, @xticks) = @_;
  my $above = 13 * @$names;
  my ($height, $top) = ($H + $above, $T + $above);
  $x1 = $x0 + 1 if $x1 <= $x0;
  $y1 = $y0 + 1 if $y1 <= $y0;
  my $fx = sub { $L + ($_[0] - $x0) / ($x1 - $x0) * ($W - $L - 12) };
  my $fy = sub { $height - $B - ($_[0] - $y0) / ($y1 - $y0) * ($height - $B - $top) };
  my $svg = qq{<svg viewBox="0 0 $W $height" role="img" aria-label="} . html("$yname by $xname") . qq{">\n};
  for my $number (0 .. $#$names) {
    $svg .= qq{<text x="} . ($W - 14) . qq{" y="} . (13 * $number + 14) . qq{" class="legend fill } . colour($number) . qq{">} . html($names->[$number]) . qq{</text>\n};
  }
  for my $y (ticks($y0, $y1)) {
    my $at = sprintf '%.1f', $fy->($y);
    $svg .= qq{<line x1="$L" x2="} . ($W - 12) . qq{" y1="$at" y2="$at" class="grid"/>};
    $svg .= qq{<text x="} . ($L - 5) . qq{" y="$at" class="ytick">} . count_text($y) . qq{</text>\n};
  }
  for my $tick (@xticks) {
    my ($x, $text) = @$tick;
    $svg .= sprintf qq{<text x="%.1f" y="%d" class="xtick">%s</text>\n}, $fx->($x), $height - $B + 15, $text;
  }
  $svg .= qq{<text x="} . ($L + ($W - $L) / 2) . qq{" y="} . ($height - 8) . qq{" class="xtick">$xname</text>};
  $svg .= qq{<text x="12" y="} . (($height + $above) / 2 - 10) . qq{" class="yname" transform="rotate(-90 12 } . (($height + $above) / 2 - 10) . qq{)">$yname</text>\n};
  return ($svg, $fx, $fy);
}

sub log_ticks {    # round values of each decade between two logarithms
  my ($low, $high) = @_;
  my @ticks;
  my @in_decade = $high - $low > 1.5 ? (1, 3) : (1, 2, 5);
  for my $e (int($low) - 1 .. int($high) + 1) {
    for my $m (@in_decade) {
      my $at = $e + log10($m);
      push @ticks, [$at, count_text($m * 10**$e)] if $at >= $low && $at <= $high;
    }
  }
  return @ticks;
}

sub curves {    # over a logarithmic axis; each {name, points => [[x, y], ...], dots}
  my ($xname, $yname, @series) = @_;
  my @all = map { @{$_->{points}} } @series;
  return '<p>no data</p>' unless @all;
  my @x = sort { $a <=> $b } map { log10($_->[0]) } @all;
  my @y = sort { $a <=> $b } map { $_->[1] } @all;
  my ($svg, $fx, $fy) =
    frame([map { $_->{name} } @series], $x[0], $x[-1], $y[0] * 0.95, $y[-1], $xname, $yname, log_ticks($x[0], $x[-1]));
  my $number = 0;
  for my $s (@series) {
    my $class = colour($number++);
    my @at = map { [$fx->(log10($_->[0])), $fy->($_->[1])] } @{$s->{points}};
    my $path = join ' ', map { sprintf '%.1f,%.1f', @$_ } @at;
    $svg .= qq{<polyline points="$path" class="line $class"/>};
    if ($s->{dots}) {
      $svg .= sprintf qq{<circle cx="%.1f" cy="%.1f" r="3" class="fill $class"/>}, @$_ for @at;
    }
  }
  return "$svg</svg>\n";
}

sub histogram {    # logarithmic bins over positive values
  my ($xname, @values) = @_;
  @values = sort { $a <=> $b } grep { $_ > 0 } @values;
  return '<p>no data</p>' unless @values;
  my ($low, $high) = (log10($values[0]), log10($values[-1]));
  $high = $low + 1 if $high - $low < 0.01;
  my $bins = 40;
  my @count = (0) x $bins;
  for my $v (@values) {
    my $bin = int((log10($v) - $low) / ($high - $low) * $bins);
    $count[$bin >= $bins ? $bins - 1 : $bin]++;
  }
  my $most = (sort { $b <=> $a } @count)[0];
  my ($svg, $fx, $fy) = frame([], $low, $high, 0, $most, $xname, 'documents', log_ticks($low, $high));
  my $width = ($high - $low) / $bins;
  for my $i (0 .. $bins - 1) {
    my ($x, $next, $y) = ($fx->($low + $i * $width), $fx->($low + ($i + 1) * $width), $fy->($count[$i]));
    $svg .= sprintf qq{<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="fill c0"/>\n}, $x, $y, $next - $x - 0.7, $fy->(0) - $y;
  }
  return "$svg</svg>\n";
}

sub bars {    # paired horizontal bars: [label, a, b]
  my ($name_a, $name_b, @rows) = @_;
  return '<p>no data</p>' unless @rows;
  my $most = (sort { $b <=> $a } map { ($_->[1], $_->[2]) } @rows)[0];
  my $height = 46 * @rows + 22;
  my $svg = qq{<svg viewBox="0 0 $W $height" role="img">\n};
  $svg .= qq{<text x="4" y="13" class="fill c0">} . html($name_a) . qq{</text><text x="} . ($W / 2) . qq{" y="13" class="fill c1">} . html($name_b) . qq{</text>\n};
  my $y = 22;
  for my $r (@rows) {
    $svg .= sprintf qq{<text x="4" y="%d">%s</text>\n}, $y + 11, html($r->[0]);
    for my $k (1, 2) {
      my $w = $r->[$k] / $most * ($W - 60);
      my $top = $y + 15 + ($k - 1) * 13;
      $svg .= sprintf qq{<rect x="4" y="%d" width="%.1f" height="11" class="fill c%d"/><text x="%.1f" y="%d">%.3f</text>\n},
        $top, $w, $k - 1, 8 + $w, $top + 10, $r->[$k];
    }
    $y += 46;
  }
  return "$svg</svg>\n";
}

sub scatter {    # linear axes; each {name, points => [[x, y], ...]}
  my ($xname, $yname, @series) = @_;
  my @all = map { @{$_->{points}} } @series;
  return '<p>no data</p>' unless @all;
  my @x = sort { $a <=> $b } map { $_->[0] } @all;
  my @y = sort { $a <=> $b } map { $_->[1] } @all;
  my $room = 0.06 * ($y[-1] - $y[0] || 1);
  my $beside = 0.04 * ($x[-1] - $x[0] || 1);
  my ($x0, $x1) = ($x[0] - $beside, $x[-1] + $beside);
  my ($svg, $fx, $fy) = frame([map { $_->{name} } @series], $x0, $x1, $y[0] - $room, $y[-1] + $room, $xname, $yname,
    map { [$_, count_text($_)] } ticks($x0, $x1));
  my $number = 0;
  for my $s (@series) {
    my $class = colour($number++);
    $svg .= sprintf qq{<circle cx="%.1f" cy="%.1f" r="3" class="fill $class"/>\n}, $fx->($_->[0]), $fy->($_->[1]) for @{$s->{points}};
  }
  return "$svg</svg>\n";
}

sub intervals {    # a dot with its interval a row: [label, value, low, high, class]
  my ($xname, @rows) = @_;
  return '<p>no data</p>' unless @rows;
  my @x = sort { $a <=> $b } map { @$_[1 .. 3] } @rows;
  my $beside = 0.04 * ($x[-1] - $x[0] || 1);
  my ($x0, $x1, $left) = ($x[0] - $beside, $x[-1] + $beside, 140);
  my $height = 16 * @rows + 40;
  my $fx = sub { $left + ($_[0] - $x0) / ($x1 - $x0) * ($W - $left - 12) };
  my $svg = qq{<svg viewBox="0 0 $W $height" role="img" aria-label="} . html($xname) . qq{">\n};
  for my $tick (ticks($x0, $x1)) {
    my $at = sprintf '%.1f', $fx->($tick);
    $svg .= qq{<line x1="$at" x2="$at" y1="4" y2="} . ($height - 36) . qq{" class="grid"/>};
    $svg .= qq{<text x="$at" y="} . ($height - 24) . qq{" class="xtick">} . count_text($tick) . qq{</text>\n};
  }
  my $y = 12;
  for my $r (@rows) {
    my ($label, $value, $low, $high, $class) = @$r;
    $class = 'c' . ($class || 0);
    $svg .= sprintf qq{<text x="%d" y="%d" class="ytick">%s</text>}, $left - 6, $y, html($label);
    $svg .= sprintf qq{<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="line $class"/>}, $fx->($low), $fx->($high), $y, $y;
    $svg .= sprintf qq{<circle cx="%.1f" cy="%d" r="3" class="fill $class"/>\n}, $fx->($value), $y;
    $y += 16;
  }
  $svg .= sprintf qq{<text x="%.1f" y="%d" class="xtick">%s</text>\n}, $left + ($W - $left) / 2, $height - 8, html($xname);
  return "$svg</svg>\n";
}

1;
