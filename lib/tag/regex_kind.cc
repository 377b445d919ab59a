// Taggers that count or find the matches of an expression.

#include <limits>

#include "core/str.h"
#include "tag/kinds.h"
#include "tag/patterns.h"

namespace lm::tag {

namespace {

constexpr i64 kAll = std::numeric_limits<i64>::max();

struct Pattern {
  std::string text;
  text::Regex regex;
};

class RegexTagger : public Tagger {
 public:
  RegexTagger(std::shared_ptr<const Pattern> pattern, std::string unit)
      : pattern_(std::move(pattern)), unit_(std::move(unit)) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    if (unit_ == "document" || unit_ == "match") {
      if (std::optional<Fault> fault = find(document.text())) return fault;
      if (unit_ == "document") {
        out.value(0, static_cast<f64>(matches_.size()));
        return std::nullopt;
      }
      for (const text::Span match : matches_)
        out.span(0, match.begin, match.end);
      return std::nullopt;
    }
    for (const Range part : unit_ == "line" ? document.lines_n() : document.paragraphs()) {
      if (std::optional<Fault> fault = find(document.slice(part))) return fault;
      if (!matches_.empty()) out.span(0, part.begin, part.end, static_cast<f64>(matches_.size()));
    }
    return std::nullopt;
  }

 private:
  std::optional<Fault> find(std::string_view text) {
    matches_.clear();
    const std::optional<std::string> why = pattern_->regex.try_find(text, kAll, work_, matches_);
    if (why) return pattern_fault(pattern_->text, *why);
    return std::nullopt;
  }

  std::shared_ptr<const Pattern> pattern_;
  std::string unit_;
  text::RegexWork work_;
  std::vector<text::Span> matches_;
};

}  // namespace

TaggerDef regex_tagger(const Definition& of, TagFiles&) {
  std::shared_ptr<const Pattern> pattern;
  try {
    pattern = std::make_shared<const Pattern>(
        Pattern{of.argument, text::Regex(of.argument, text::RegexDialect::kRust)});
  } catch (const Error& error) {
    throw Error(ErrorKind::kUsage, cat("--define ", of.name, ": ", error.message()), error.hint());
  }
  TaggerDef def;
  def.summary = "matches of an expression";
  if (of.unit == "match") {
    def.types = {{"match", "a match of the expression"}};
  } else {
    def.types = {{"count", cat("matches in a ", of.unit)}};
  }
  def.make = [pattern, unit = of.unit](const TagSettings&) {
    return std::make_unique<RegexTagger>(pattern, unit);
  };
  return def;
}

}  // namespace lm::tag
