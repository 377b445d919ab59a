#include "tag/rules.h"

#include "core/str.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

std::string limits(const Rule& rule) {
  if (rule.most == kAny) return cat("; at least ", rule.least);
  if (rule.least == -kAny) return cat("; at most ", rule.most);
  return cat("; from ", rule.least, " to ", rule.most);
}

}  // namespace

std::vector<TagType> rule_types(std::span<const Rule> rules) {
  std::vector<TagType> types;
  for (const Rule& rule : rules)
    types.push_back({rule.type, rule.meaning + limits(rule)});
  types.push_back({"failed_rules", "how many of these are outside their limits"});
  return types;
}

void RuleWriter::put(f64 value) {
  const Rule& rule = rules_[usize(next_)];
  failed_ += value < rule.least || value > rule.most;
  out_.value(next_++, value);
}

void RuleWriter::finish() {
  LM_CHECK(next_ == isize(rules_), "every rule has its measure");
  out_.value(next_, static_cast<f64>(failed_));
}

Copies count_copies(Document& document, std::span<const Range> parts, WordTable& scratch) {
  scratch.reset(isize(parts));
  Copies copies;
  for (const Range part : parts) {
    const i64 before = scratch.size();
    scratch.add(document.slice(part));
    if (scratch.size() > before) continue;
    ++copies.parts;
    copies.chars += document.chars_of(part);
  }
  return copies;
}

i64 count_of(std::string_view text, std::string_view part) {
  i64 n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++n;
  return n;
}

i64 count_dclm_words(std::string_view text) {
  constexpr std::string_view kEnds(" \n\r\t\v\f\0", 7);
  i64 count = 0;
  for (std::size_t at = text.find_first_not_of(kEnds); at != std::string_view::npos;
       at = text.find_first_not_of(kEnds, text.find_first_of(kEnds, at))) {
    const char* p = text.data() + at;
    count += text::is_alnum(text::next_valid(p));
  }
  return count;
}

}  // namespace lm::tag
