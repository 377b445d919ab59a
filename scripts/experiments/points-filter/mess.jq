# A pool as the web has one, from pieces of clean text ($clean) and of other languages ($other): every other
# clean piece stays as it is, those between become broken text and listings. Draws are a function of
# $seed alone. Records: text, source (the domain), kind.
def next: . * 16807 % 2147483647;    # Lehmer's generator, exact in doubles
# $n draws from 0 up to and without 1.
def draws($n): [foreach range($n) as $_ (. * 7919 + 12345 | next | next; next; . / 2147483647)];
def pick($list): $list[. * ($list | length) | floor];

def tokens: split("\n") | join(" ") | split(" ") | map(select(. != ""));
def shuffled($state): tokens | . as $words | ($state | draws($words | length)) as $at
  | [range(length)] | sort_by($at[.]) | map($words[.]) | join(" ");
# One letter of eight is lost, torn off or read as another.
def misread($state): explode | . as $letters | ($state | draws(2 * ($letters | length))) as $x
  | [range($letters | length) | $letters[.] as $c | $x[2 * .] as $what | $x[2 * . + 1] as $which
    | if $what > 0.125 or $c < 65 then $c
      elif $what < 0.03 then empty
      elif $what < 0.06 then $c, 32
      else $which | pick([105, 108, 49, 99, 101, 111, 48, 114, 110, 109, 116, 102, 46, 44, 39, 126]) end] | implode;
def navigation($state): ["Home", "About us", "Contact", "Log in", "Register", "Search", "Sitemap", "Next page",
    "Previous page", "Share", "Print", "Subscribe", "Privacy", "Terms of use", "Add to cart", "Read more",
    "Back to top", "Archive", "FAQ", "Newsletter", "RSS", "Help", "Language", "Follow us"] as $links
  | [$state | draws(90)[] | pick($links)] as $line
  | [range(0; 90; 6) | $line[.:. + 6] | join(" | ")] | join("\n");
def table($state): def digits($n): . * $n | floor | tostring;
  [$state | draws(120) | range(0; 120; 4) as $i
    | "\(.[$i] | pick(["SKU", "REF", "ISBN", "ORD"]))-\(.[$i + 1] | digits(1e7)) \(.[$i + 2] | digits(1e9)) \(.[$i + 3] | digits(100)).\(.[$i + 1] | digits(90))"]
  | join("\n");
def caption: tokens[:7] | join(" ");

def made($text; $kind): {text: $text, source, kind: $kind} | select(.text != "");
range($clean | length) as $i | $clean[$i] | ($seed * 1000003 + $i * 31) as $state
| if $i % 2 == 0 then made(.text; "clean")
  elif $i % 4 == 1 then made(.text | shuffled($state); "shuffled"), made(navigation($state); "navigation")
  else made(.text | misread($state); "misread"), made(table($state); "table"),
    (made(.text | caption; "caption") | range(4) as $copy | .) end,
  ($other[$i] | select($i % 3 == 0 and . != null) | made(.text; "language"))
