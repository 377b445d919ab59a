#include "mix/cut.h"

#include <algorithm>
#include <cmath>
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
  std::optional<f64> value = parse_float(text.substr(0, end));
  text.remove_prefix(end);
  if (value && std::isnan(*value)) value.reset();
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
  set_replacement(rule, rest.empty() ? rest : rest.substr(1), names, cat(where, ": ", quote(spec)),
                  kind);
  rule.attribute = names.attribute(name);
  rules_.push_back(std::move(rule));
  specs_.emplace_back(spec);
}

void Cutter::set_replacement(CutRule& rule, std::string_view text, Names& names,
                             const std::string& where, ErrorKind kind) {
  rule.deletes = text.empty();
  if (!text.starts_with("$") || text.starts_with("$$")) {
    if (text.starts_with("$$")) text.remove_prefix(1);
    for (std::size_t at = text.find("{}"); at != std::string_view::npos; at = text.find("{}")) {
      rule.literal.emplace_back(text.substr(0, at));
      text.remove_prefix(at + 2);
    }
    rule.literal.emplace_back(text);
    return;
  }
  const std::string_view path = text.substr(1);
  if (path.starts_with(".")) {
    if (const std::optional<std::string> fields = jq_fields(path)) {
      rule.field = names.field(*fields);
    } else {
      rule.value = names.selector(path, Syntax::kJq, where, kind);
    }
    return;
  }
  for (const std::string_view part : split(path, '.')) {
    if (part.empty())
      throw Error(kind, cat(where, ": $ needs the path of a field behind it; $$ stands for $"));
  }
  rule.field = names.field(path);
}

void Cutter::add(const SpanReplacement& spec, Names& names, const std::string& where,
                 ErrorKind kind) {
  CutRule rule;
  rule.min = spec.min.value_or(-kInfinity);
  rule.max = spec.max.value_or(kInfinity);
  if (!(rule.min < rule.max))
    throw Error(kind, cat(where, ": min_score is not below max_score: no span has such a score"));
  const std::optional<std::string> fields = selector_fields(spec.span, spec.syntax, where, kind);
  constexpr std::string_view kParent = "attributes.";
  if (fields && fields->starts_with(kParent) &&
      fields->find('.', kParent.size()) == std::string::npos) {
    rule.attribute = names.attribute(fields->substr(kParent.size()));
  } else if (fields) {
    rule.spans = names.field(*fields);
  } else {
    rule.selector = names.selector(spec.span, spec.syntax, where, kind);
  }
  set_replacement(rule, spec.replacement, names, where, kind);
  rules_.push_back(std::move(rule));
  specs_.push_back(cat(spec.span, spec.min ? cat(">=", *spec.min) : std::string(),
                       spec.max ? cat("<", *spec.max) : std::string(),
                       spec.replacement.empty() ? "" : ":", spec.replacement));
}

namespace {

/// Appends the spans of one JSON value: null, a span, or a list of spans.
std::optional<Fault> append_spans_of(std::string_view json, std::vector<text::ScoredSpan>& out) {
  std::vector<text::ScoredSpan> some;
  const std::string_view inside = json.starts_with('[') ? trim(json.substr(1)) : json;
  const bool one = json.starts_with('[') && !inside.starts_with('[') && !inside.starts_with(']');
  const std::string list = one ? cat("[", json, "]") : std::string();
  if (std::optional<Fault> fault = text::read_spans(one ? list : json, some)) return fault;
  out.insert(out.end(), some.begin(), some.end());
  return std::nullopt;
}

/// What messages call a rule's spans.
std::string name_of(const CutRule& rule, Values& values) {
  if (rule.selector >= 0) return quote(values.names().selectors().text(rule.selector));
  if (rule.spans >= 0) return cat("field ", quote(values.json().path(rule.spans)));
  return cat("attribute ", quote(values.names().attributes()[usize(rule.attribute)]));
}

/// The rule's spans; null with a fault.
const std::vector<text::ScoredSpan>* spans_of(const CutRule& rule, Values& values, CutWork& work) {
  const auto refuse = [&](Fault fault) {
    fault.detail = cat(name_of(rule, values), ": ", fault.detail);
    values.fault = std::move(fault);
    return nullptr;
  };
  work.spans.clear();
  if (rule.selector >= 0) {
    const Result<std::vector<std::string>> found = values.selection().values(rule.selector);
    if (!found) return refuse(found.fault());
    for (const std::string& one : *found) {
      if (std::optional<Fault> fault = append_spans_of(one, work.spans))
        return refuse(std::move(*fault));
    }
    return &work.spans;
  }
  const io::JsonReader& json = values.json();
  const i64 field = rule.spans >= 0 ? rule.spans : values.names().field_of(rule.attribute);
  if (json.field(field).type == io::JsonType::kNumber) {
    values.fault =
        Fault{"type", cat(name_of(rule, values), " is a number, expected a list of spans"),
              json.field(field).begin};
    return nullptr;
  }
  if (rule.spans < 0) return values.spans(rule.attribute);
  if (!json.has(field)) return &work.spans;
  if (std::optional<Fault> fault = text::read_spans(json.raw(field), work.spans))
    return refuse(std::move(*fault));
  return &work.spans;
}

}  // namespace

std::optional<Fault> Cutter::collect(Values& values, CutWork& work) const {
  work.edits.clear();
  std::fill(work.now.begin(), work.now.end(), CutCounts());
  for (i64 r = 0; r < size(); ++r) {
    const CutRule& rule = rules_[usize(r)];
    const std::vector<text::ScoredSpan>* const spans = spans_of(rule, values, work);
    if (spans == nullptr) return values.fault;
    if (spans->empty()) continue;
    const i64 length = values.text_length();
    if (length < 0) return values.fault;
    for (const text::ScoredSpan& span : *spans) {
      if (span.score < rule.min || span.score >= rule.max) continue;
      if (span.end > length && bad_ == BadSpans::kError)
        return Fault{"range",
                     cat(name_of(rule, values), ": span [", span.begin, ", ", span.end,
                         "] in a text of ", length, " characters"),
                     -1};
      ++work.now[usize(r)].spans;
      if (span.end > length) ++work.now[usize(r)].bad;
      if (span.end > length && bad_ == BadSpans::kDrop) continue;
      work.edits.push_back({std::min(span.begin, length), std::min(span.end, length), r});
    }
  }
  return std::nullopt;
}

namespace {

/// Appends the one text or number that a replacement's filter gives.
std::optional<Fault> computed(const CutRule& rule, Values& values, std::string& out) {
  const Result<std::vector<std::string>> found = values.selection().values(rule.value);
  if (!found) return found.fault();
  const std::string& filter = values.names().selectors().text(rule.value);
  if (found->size() != 1)
    return Fault{"missing", cat(quote(filter), " gives ", found->size(), " values, expected one"),
                 -1};
  const std::string line = cat("{\"v\":", (*found)[0], "}");
  std::string padded = line;
  padded.append(usize(io::kJsonPadding), '\0');
  io::JsonReader reader({"v"});
  if (std::optional<Fault> fault = reader.parse(std::string_view(padded).substr(0, line.size())))
    return fault;
  const io::JsonType type = reader.field(0).type;
  if (type == io::JsonType::kNumber || type == io::JsonType::kBool) {
    out.append(reader.raw(0));
    return std::nullopt;
  }
  const Result<std::string_view> text = reader.string(0);
  if (!text)
    return Fault{"type",
                 cat(quote(filter), " gives ", io::json_type_name(type),
                     ", expected what spans are replaced with"),
                 -1};
  out.append(*text);
  return std::nullopt;
}

}  // namespace

std::optional<Fault> Cutter::replacement(const CutRule& rule, Values& values,
                                         std::string_view original, std::string& out) const {
  if (rule.value >= 0) return computed(rule, values, out);
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
