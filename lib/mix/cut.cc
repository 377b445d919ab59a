#include "mix/cut.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/str.h"
#include "text/utf8.h"

namespace lm::mix {

void CutCounts::add(const CutCounts& other) {
  documents += other.documents;
  spans += other.spans;
  chars += other.chars;
  skipped += other.skipped;
  bad += other.bad;
}

namespace {

constexpr f64 kInfinity = std::numeric_limits<f64>::infinity();
constexpr std::string_view kForm = "expected KEY[>=MIN][<MAX][:REPLACEMENT]";

/// Reads a number up to the next of "<" and ":" and moves text behind it.
std::optional<f64> take_number(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("<:"), text.size());
  const std::optional<f64> value = parse_float(text.substr(0, end));
  text.remove_prefix(end);
  return value;
}

}  // namespace

void Cutter::add(std::string_view spec, Names& names, const std::string& where, ErrorKind kind) {
  const auto fail = [&](std::string_view what) {
    throw Error(kind, cat(where, ": ", quote(spec), ": ", what));
  };
  CutRule rule;
  std::string_view rest = spec;
  const std::size_t end = std::min(rest.find_first_of(">=<:"), rest.size());
  const std::string name = attribute_name(rest.substr(0, end));
  if (name.empty()) fail(cat("names no attribute, ", kForm));
  rest.remove_prefix(end);
  rule.min = -kInfinity;
  rule.max = kInfinity;
  if (rest.starts_with(">=")) {
    rest.remove_prefix(2);
    const std::optional<f64> min = take_number(rest);
    if (!min) fail("MIN is no number");
    rule.min = *min;
  }
  if (rest.starts_with("<")) {
    rest.remove_prefix(1);
    const std::optional<f64> max = take_number(rest);
    if (!max) fail("MAX is no number");
    rule.max = *max;
  }
  if (!rest.empty() && rest.front() != ':') fail(kForm);
  if (!(rule.min < rule.max)) fail("MIN is not below MAX: no span has such a score");
  std::string_view text = rest.empty() ? rest : rest.substr(1);
  rule.deletes = text.empty();
  if (text.starts_with("$") && !text.starts_with("$$")) {
    const std::string_view path = text.substr(1);
    for (const std::string_view part : split(path, '.')) {
      if (part.empty()) fail("$ needs the path of a field behind it; $$ stands for $");
    }
    rule.field = names.field(path);
  } else {
    if (text.starts_with("$$")) text.remove_prefix(1);
    for (std::size_t at = text.find("{}"); at != std::string_view::npos; at = text.find("{}")) {
      rule.literal.emplace_back(text.substr(0, at));
      text.remove_prefix(at + 2);
    }
    rule.literal.emplace_back(text);
  }
  rule.attribute = names.attribute(name);
  rules_.push_back(std::move(rule));
  specs_.emplace_back(spec);
}

std::optional<Fault> Cutter::collect(Values& values, CutWork& work) const {
  work.edits.clear();
  std::fill(work.now.begin(), work.now.end(), CutCounts());
  for (i64 r = 0; r < size(); ++r) {
    const CutRule& rule = rules_[usize(r)];
    const std::string& name = values.names().attributes()[usize(rule.attribute)];
    const io::JsonField& field = values.json().field(values.names().field_of(rule.attribute));
    if (field.type == io::JsonType::kNumber)
      return Fault{"type", cat("attribute ", quote(name), " is a number, expected a list of spans"),
                   field.begin};
    const std::vector<text::ScoredSpan>* const spans = values.spans(rule.attribute);
    if (spans == nullptr) return values.fault;
    if (spans->empty()) continue;
    const i64 length = values.text_length();
    if (length < 0) return values.fault;
    for (const text::ScoredSpan& span : *spans) {
      if (span.score < rule.min || span.score >= rule.max) continue;
      if (span.end > length && bad_ == BadSpans::kError)
        return Fault{"range",
                     cat("attribute ", quote(name), ": span [", span.begin, ", ", span.end,
                         "] in a text of ", length, " characters"),
                     field.begin};
      ++work.now[usize(r)].spans;
      if (span.end > length) ++work.now[usize(r)].bad;
      if (span.end > length && bad_ == BadSpans::kDrop) continue;
      work.edits.push_back({std::min(span.begin, length), std::min(span.end, length), r});
    }
  }
  return std::nullopt;
}

std::optional<Fault> Cutter::replacement(const CutRule& rule, Values& values,
                                         std::string_view original, std::string& out) const {
  if (rule.field < 0) {
    for (std::size_t i = 0; i < rule.literal.size(); ++i) {
      if (i > 0) out.append(original);
      out.append(rule.literal[i]);
    }
    return std::nullopt;
  }
  const Value value = values.field(rule.field);
  const io::JsonReader& json = values.json();
  switch (value.type) {
    case Value::Type::kString:
      out.append(value.text);
      return std::nullopt;
    case Value::Type::kNumber:
    case Value::Type::kBool:
      out.append(json.raw(rule.field));
      return std::nullopt;
    case Value::Type::kFault:
      return values.fault;
    default:
      return Fault{value.type == Value::Type::kNone ? "missing" : "type",
                   cat("field ", quote(json.path(rule.field)), " is ",
                       io::json_type_name(json.field(rule.field).type),
                       ", expected what spans are replaced with"),
                   -1};
  }
}

namespace {

/// A place in a text, known in code points and in bytes; moves forward.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  std::size_t to(i64 code_point) {
    for (; at_ < code_point; ++at_)
      byte_ += usize(text::sequence_size(text_[byte_]));
    return byte_;
  }

 private:
  std::string_view text_;
  i64 at_ = 0;
  std::size_t byte_ = 0;
};

}  // namespace

Result<bool> Cutter::cut(Values& values, CutWork& work) const {
  if (std::optional<Fault> fault = collect(values, work)) return *fault;
  std::sort(work.edits.begin(), work.edits.end(),
            [](const CutWork::Edit& a, const CutWork::Edit& b) {
              return std::tie(a.begin, a.end, a.rule) < std::tie(b.begin, b.end, b.rule);
            });
  const std::string_view text = work.edits.empty() ? "" : values.field(Names::kText).text;
  Cursor cursor(text);
  i64 reached = 0;               // code points of the text that are copied or gone
  std::size_t reached_byte = 0;  // the same place
  bool changed = false;
  work.out.clear();
  for (const CutWork::Edit& edit : work.edits) {
    const CutRule& rule = rules_[usize(edit.rule)];
    CutCounts& count = work.now[usize(edit.rule)];
    if (!rule.deletes && edit.begin < reached) {
      ++count.skipped;
      continue;
    }
    // Of a deletion, what is left of it.
    const i64 from = std::max(edit.begin, reached);
    if (rule.deletes && edit.end <= from) continue;
    const std::size_t begin = cursor.to(from);
    work.out.append(text.substr(reached_byte, begin - reached_byte));
    reached = edit.end;
    reached_byte = cursor.to(reached);
    count.chars += reached - from;
    count.documents = 1;
    changed = true;
    if (rule.deletes) continue;
    if (std::optional<Fault> fault =
            replacement(rule, values, text.substr(begin, reached_byte - begin), work.out))
      return *fault;
  }
  work.out.append(text.substr(reached_byte));
  for (std::size_t i = 0; i < work.now.size(); ++i)
    work.counts[i].add(work.now[i]);
  return changed;
}

}  // namespace lm::mix
