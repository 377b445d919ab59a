// Units by English rules (units.h): a sentence becomes words and marks, these become units.

#include <algorithm>
#include <iterator>

#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "transform/units.h"

namespace lm::transform {

namespace {

// Words that relate others: a run of them is a unit. In the order of bytes, as is the next list.
constexpr std::string_view kClosedClass[] = {
    "about",   "above",      "across", "after",   "against", "along", "am",      "amid",   "among",
    "are",     "around",     "as",     "at",      "be",      "been",  "before",  "behind", "being",
    "below",   "beneath",    "beside", "between", "beyond",  "by",    "despite", "during", "except",
    "for",     "from",       "in",     "inside",  "into",    "is",    "like",    "near",   "of",
    "off",     "on",         "onto",   "outside", "over",    "per",   "since",   "than",   "that",
    "through", "throughout", "to",     "toward",  "towards", "under", "until",   "upon",   "via",
    "was",     "were",       "what",   "when",    "where",   "which", "while",   "who",    "whom",
    "whose",   "why",        "with",   "within",  "without"};

// What is counted or measured in.
constexpr std::string_view kMeasures[] = {
    "%",        "a.m.",     "acres",  "billion",   "bytes",      "c",          "cents",
    "cm",       "cups",     "day",    "days",      "degrees",    "dollars",    "euros",
    "feet",     "foot",     "ft",     "g",         "gallons",    "gb",         "grams",
    "hectares", "hour",     "hours",  "hz",        "inch",       "inches",     "kb",
    "kelvin",   "kg",       "khz",    "kilograms", "kilometers", "kilometres", "km",
    "kw",       "l",        "lb",     "lbs",       "liters",     "litres",     "m",
    "mb",       "meters",   "metres", "mg",        "mhz",        "mile",       "miles",
    "million",  "millions", "minute", "minutes",   "mm",         "month",      "months",
    "mph",      "ms",       "nm",     "ounces",    "oz",         "p.m.",       "percent",
    "pm",       "points",   "pounds", "rupees",    "second",     "seconds",    "star",
    "stars",    "thousand", "times",  "tonnes",    "tons",       "trillion",   "watts",
    "week",     "weeks",    "yards",  "year",      "years"};

template <typename List>
bool is_listed(const List& list, std::string_view word) {
  return std::binary_search(std::begin(list), std::end(list), word);
}

enum class Kind : u8 {
  kWord,       // begins with a small letter or anything else that is no mark
  kCapital,    // begins with a capital
  kNumber,     // begins with a digit, or with a sign of a currency and a digit
  kRelation,   // of the closed class
  kOpen,       // ( [ and opening quotes
  kClose,      // ) ] and closing quotes
  kQuote,      // the quote that opens and closes
  kSeparator,  // any other punctuation between words
};

struct Item {
  Span span;
  Kind kind = Kind::kWord;
  char32_t mark = 0;     // of a mark
  bool measure = false;  // a word that numbers are counted in
};

/// Marks that are cut off wherever they stand in a run without white space.
bool cuts_anywhere(char32_t cp) {
  return cp == 0x2014 || cp == 0x2015 || (cp >= 0x3001 && cp <= 0x3003) ||
         (cp >= 0x3008 && cp <= 0x3011) || (cp >= 0x3014 && cp <= 0x301B) || cp == 0xFF01 ||
         cp == 0xFF08 || cp == 0xFF09 || cp == 0xFF0C || cp == 0xFF1A || cp == 0xFF1B ||
         cp == 0xFF1F || cp == 0x060C || cp == 0x061B;
}

/// Punctuation that belongs to words: apostrophes and hyphens, and what is a sign more than a mark.
bool belongs_to_words(char32_t cp) {
  switch (cp) {
    case '\'':
    case '-':
    case '_':
    case '%':
    case '#':
    case '@':
    case '&':
    case '*':
    case '/':
    case '\\':
    case 0x2010:
    case 0x2011:
      return true;
    default:
      return !text::is_punctuation(cp);
  }
}

Kind mark_kind(char32_t cp) {
  if (cp == '"') return Kind::kQuote;
  switch (text::general_category(cp)) {
    case text::Category::kPs:
    case text::Category::kPi:
      return Kind::kOpen;
    case text::Category::kPe:
    case text::Category::kPf:
      return Kind::kClose;
    default:
      return Kind::kSeparator;
  }
}

bool closes(char32_t open, char32_t close) {
  switch (open) {
    case '(':
      return close == ')';
    case '[':
      return close == ']';
    case '{':
      return close == '}';
    case '"':
      return close == '"';
    case 0x2018:
      return close == 0x2019;
    case 0x201C:
      return close == 0x201D;
    case 0xAB:
      return close == 0xBB;
    default:
      return close == open + 1;  // the paired marks of CJK
  }
}

class Items {
 public:
  Items(std::string_view text, Span body) : text_(text) {
    text::WordCursor runs(part(text, body));
    for (std::string_view run; runs.next(run);)
      add_run({run.data() - text.data(), run.data() - text.data() + isize(run)});
  }
  std::vector<Item> take() { return std::move(items_); }

 private:
  void add_run(Span run) {
    const i64 trail = trailing_marks(run);
    i64 word = run.begin;  // where the word under way begins
    for (i64 at = run.begin; at < run.end;) {
      const Decoded d = decode_at(text_, at);
      const i64 end = at + d.size;
      const bool leads = at == word && !belongs_to_words(d.cp);
      if (leads || at >= trail || cuts_anywhere(d.cp)) {
        add_word({word, at});
        add_mark({at, end}, d.cp);
        word = end;
      }
      at = end;
    }
    add_word({word, run.end});
  }

  /// Where the marks begin that a run ends with. A single dot is an abbreviation's, since no
  /// sentence ends there.
  i64 trailing_marks(Span run) const {
    i64 begin = run.end;
    while (begin > run.begin) {
      i64 at = begin - 1;
      while ((static_cast<u8>(text_[usize(at)]) & 0xC0) == 0x80)
        --at;
      if (belongs_to_words(decode_at(text_, at).cp)) break;
      begin = at;
    }
    return part(text_, {begin, run.end}) == "." ? run.end : begin;
  }

  void add_mark(Span span, char32_t cp) {
    const Kind kind = mark_kind(cp);
    if (kind == Kind::kSeparator && !items_.empty() && items_.back().kind == kind &&
        items_.back().mark == cp && items_.back().span.end == span.begin) {
      items_.back().span.end = span.end;  // "..."
      return;
    }
    items_.push_back({span, kind, cp, false});
  }

  void add_word(Span span) {
    if (span.begin >= span.end) return;
    const std::string_view word = part(text_, span);
    const std::string lower = text::to_lower(word);
    const bool first = std::none_of(items_.begin(), items_.end(),
                                    [](const Item& item) { return item.kind <= Kind::kRelation; });
    const Decoded d = decode_at(word, 0);
    const char32_t next = d.size < isize(word) ? decode_at(word, d.size).cp : 0;
    Item item{span, Kind::kWord, 0, is_listed(kMeasures, lower)};
    const text::Category category = text::general_category(d.cp);
    const bool capital = category == text::Category::kLu || category == text::Category::kLt;
    if (is_listed(kClosedClass, lower) && (!capital || first))
      item.kind = Kind::kRelation;
    else if (text::is_decimal_digit(d.cp) ||
             (category == text::Category::kSc && text::is_decimal_digit(next)))
      item.kind = Kind::kNumber;
    else if (capital)
      item.kind = Kind::kCapital;
    items_.push_back(item);
  }

  std::string_view text_;
  std::vector<Item> items_;
};

class Grouper {
 public:
  Grouper(std::vector<Item> items, std::span<const Span> tokens)
      : items_(std::move(items)), tokens_(tokens) {}

  std::vector<Span> run() {
    // A sentence begins with a capital whatever its first word is.
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].kind > Kind::kRelation) continue;
      const bool joined = i + 1 < items_.size() && is_name(i + 1);
      if (items_[i].kind == Kind::kCapital && !joined) items_[i].kind = Kind::kWord;
      break;
    }
    for (std::size_t i = 0; i < items_.size();)
      i = unit_from(i);
    if (held_ >= 0) units_.push_back({held_, items_.back().span.end});
    return std::move(units_);
  }

 private:
  /// What goes on with a name: a capital, or a number that counts nothing.
  bool is_name(std::size_t i) const {
    return items_[i].kind == Kind::kCapital || (items_[i].kind == Kind::kNumber && !counts(i));
  }
  bool counts(std::size_t number) const {
    return number + 1 < items_.size() && items_[number + 1].measure;
  }

  /// Adds the unit that item i begins, or joins it to the last one; the item behind it.
  std::size_t unit_from(std::size_t i) {
    const Item& item = items_[i];
    switch (item.kind) {
      case Kind::kOpen:
      case Kind::kQuote:
        if (const std::size_t close = closing(i); close != 0) return add(i, close + 1);
        if (item.kind == Kind::kQuote && joins_back(i)) return i + 1;
        return with_next(i);
      case Kind::kClose:
        if (!joins_back(i)) add(i, i + 1);
        return i + 1;
      case Kind::kSeparator:
        return add(i, i + 1);
      case Kind::kRelation:
        return add(i, end_of(i, [&](std::size_t j) { return items_[j].kind == Kind::kRelation; }));
      case Kind::kCapital:
        return add(i, end_of(i, [&](std::size_t j) { return is_name(j); }));
      case Kind::kNumber:
        if (counts(i)) return add(i, end_of(i, [&](std::size_t j) { return items_[j].measure; }));
        return add_words(i);
      case Kind::kWord:
        return add_words(i);
    }
    return i + 1;
  }

  /// Words up to what is a unit of its own.
  std::size_t add_words(std::size_t i) {
    return add(i, end_of(i, [&](std::size_t j) {
                 return items_[j].kind == Kind::kWord ||
                        (items_[j].kind == Kind::kNumber && !counts(j));
               }));
  }

  template <typename Goes>
  std::size_t end_of(std::size_t i, Goes goes) const {
    std::size_t end = i + 1;
    while (end < items_.size() && goes(end))
      ++end;
    return end;
  }

  /// The item that closes item i, or 0 if there is none near enough for one unit.
  std::size_t closing(std::size_t i) const {
    for (std::size_t j = i + 1; j < items_.size(); ++j) {
      if (count_tokens({items_[i].span.begin, items_[j].span.end}) > kMostTokens) return 0;
      if ((items_[j].kind == Kind::kClose || items_[j].kind == Kind::kQuote) &&
          closes(items_[i].mark, items_[j].mark))
        return j;
    }
    return 0;
  }

  i64 count_tokens(Span span) const {
    const auto first = std::partition_point(tokens_.begin(), tokens_.end(),
                                            [&](const Span& t) { return t.end <= span.begin; });
    const auto last = std::partition_point(first, tokens_.end(),
                                           [&](const Span& t) { return t.begin < span.end; });
    return last - first;
  }

  /// A mark that stands right behind the last unit becomes its end.
  bool joins_back(std::size_t i) {
    if (held_ >= 0 || units_.empty() || units_.back().end != items_[i].span.begin) return false;
    units_.back().end = items_[i].span.end;
    return true;
  }

  /// An opening mark that nothing closes goes with what follows.
  std::size_t with_next(std::size_t i) {
    if (held_ < 0) held_ = items_[i].span.begin;
    return i + 1;
  }

  std::size_t add(std::size_t begin, std::size_t end) {
    units_.push_back({held_ < 0 ? items_[begin].span.begin : held_, items_[end - 1].span.end});
    held_ = -1;
    return end;
  }

  std::vector<Item> items_;
  std::span<const Span> tokens_;
  std::vector<Span> units_;
  i64 held_ = -1;  // where opening marks begin that wait for the next unit
};

}  // namespace

std::vector<Span> units_by_rules(std::string_view text, Span body, std::span<const Span> tokens) {
  return Grouper(Items(text, body).take(), tokens).run();
}

}  // namespace lm::transform
