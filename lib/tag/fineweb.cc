// FineWeb's own filters: Penedo et al. 2024, section 3.6, with the thresholds of that paper. Lines
// are those between newlines that are not blank; words those between white space.

#include "tag/fineweb.h"

#include <algorithm>

#include "core/str.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> fineweb_taggers();

namespace {

constexpr std::array<Rule, 4> kRules = {{
    {"fraction_of_lines_ending_with_terminal_mark",
     "share of lines whose last character ends a sentence", kFineWebEnds, kAny},
    {"fraction_of_short_lines", "share of lines of up to 30 characters", -kAny, kFineWebShorts},
    {"fraction_of_characters_in_duplicate_lines",
     "share of characters, newlines aside, in lines that stood before", -kAny, kFineWebCopies},
    {"newline_to_word_ratio", "newlines over words", -kAny, kFineWebNewlines},
}};

struct CodeRange {
  char32_t first;
  char32_t last;
};

// datatrove's list: marks that end a sentence in any script, without quotation marks.
constexpr CodeRange kTerminal[] = {
    {0x21, 0x21},       {0x2E, 0x2E},       {0x3F, 0x3F},       {0x589, 0x589},
    {0x61D, 0x61F},     {0x6D4, 0x6D4},     {0x700, 0x702},     {0x7F9, 0x7F9},
    {0x837, 0x837},     {0x839, 0x839},     {0x83D, 0x83E},     {0x964, 0x965},
    {0x104A, 0x104B},   {0x1362, 0x1362},   {0x1367, 0x1368},   {0x166E, 0x166E},
    {0x1735, 0x1736},   {0x17D4, 0x17D6},   {0x17D9, 0x17DA},   {0x1803, 0x1803},
    {0x1809, 0x1809},   {0x1944, 0x1945},   {0x1AA8, 0x1AAB},   {0x1B5A, 0x1B5B},
    {0x1B5E, 0x1B5F},   {0x1B7D, 0x1B7E},   {0x1C3B, 0x1C3C},   {0x1C7E, 0x1C7F},
    {0x203C, 0x203D},   {0x2047, 0x2049},   {0x2E2E, 0x2E2E},   {0x2E3C, 0x2E3C},
    {0x2E53, 0x2E54},   {0x3002, 0x3002},   {0xA4FF, 0xA4FF},   {0xA60E, 0xA60F},
    {0xA6F3, 0xA6F3},   {0xA6F7, 0xA6F7},   {0xA876, 0xA877},   {0xA8CE, 0xA8CF},
    {0xA92F, 0xA92F},   {0xA9C8, 0xA9C9},   {0xAA5D, 0xAA5F},   {0xAAF0, 0xAAF1},
    {0xABEB, 0xABEB},   {0xFE52, 0xFE52},   {0xFE56, 0xFE57},   {0xFF01, 0xFF01},
    {0xFF0E, 0xFF0E},   {0xFF1F, 0xFF1F},   {0xFF61, 0xFF61},   {0x10A56, 0x10A57},
    {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x11047, 0x11048}, {0x110BE, 0x110C1},
    {0x11141, 0x11143}, {0x111C5, 0x111C6}, {0x111CD, 0x111CD}, {0x111DE, 0x111DF},
    {0x11238, 0x11239}, {0x1123B, 0x1123C}, {0x112A9, 0x112A9}, {0x1144B, 0x1144C},
    {0x115C2, 0x115C3}, {0x115C9, 0x115D7}, {0x11641, 0x11642}, {0x1173C, 0x1173E},
    {0x11944, 0x11944}, {0x11946, 0x11946}, {0x11A42, 0x11A43}, {0x11A9B, 0x11A9C},
    {0x11C41, 0x11C42}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F44}, {0x16A6E, 0x16A6F},
    {0x16AF5, 0x16AF5}, {0x16B37, 0x16B38}, {0x16B44, 0x16B44}, {0x16E98, 0x16E98},
    {0x1BC9F, 0x1BC9F}, {0x1DA88, 0x1DA88}};

char32_t last_of(std::string_view text) {
  const char* p = text.data() + text.size() - 1;
  while ((static_cast<u8>(*p) & 0xC0) == 0x80)
    --p;
  return text::next_valid(p);
}

class FineWeb : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    RuleWriter rules(kRules, out);
    for (const f64 value : meter_.measure(document, kFineWebShort))
      rules.put(value);
    rules.finish();
    return std::nullopt;
  }

 private:
  FineWebMeter meter_;
};

}  // namespace

bool is_terminal_mark(char32_t cp) {
  const auto at =
      std::lower_bound(std::begin(kTerminal), std::end(kTerminal), cp,
                       [](const CodeRange& range, char32_t value) { return range.last < value; });
  return at != std::end(kTerminal) && at->first <= cp;
}

std::array<f64, 4> FineWebMeter::measure(Document& document, i64 short_chars) {
  lines_.clear();
  i64 ends = 0;
  i64 shorts = 0;
  for (const Range range : document.lines_n()) {
    const std::string_view line = document.slice(range);
    if (text::is_blank(line)) continue;
    lines_.push_back(range);
    ends += is_terminal_mark(last_of(line));
    shorts += document.chars_of(range) <= short_chars;
  }
  const i64 newlines = isize(document.lines_n()) - 1;
  const Copies copies = count_copies(document, lines_, table_);
  return {share(ends, isize(lines_)), share(shorts, isize(lines_)),
          share(copies.chars, document.chars() - newlines),
          share(newlines, isize(document.words()))};
}

std::vector<TaggerDef> fineweb_taggers() {
  return {{"fineweb",
           "document",
           "the measures of FineWeb's own filters, and how many fail",
           "Penedo et al. 2024, 3.6; datatrove",
           rule_types(kRules),
           {},
           [](const TagSettings&) { return std::make_unique<FineWeb>(); }}};
}

}  // namespace lm::tag
