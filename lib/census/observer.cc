#include "census/observer.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "core/str.h"
#include "io/json_string.h"
#include "io/object_fields.h"
#include "mix/sample.h"
#include "mix/strict.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::census {

namespace {

constexpr std::size_t kNotes = 6;  // values shown beside an example

bool is_number(std::string_view raw) {
  return raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9');
}

}  // namespace

std::vector<RuleText> read_rules(std::string_view text, const std::string& file) {
  std::vector<RuleText> out;
  i64 number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    std::string_view rule = trim(line);
    if (rule.empty() || rule.front() == '#') continue;
    mix::RuleKind kind = mix::RuleKind::kDrop;
    if (rule.starts_with("where ")) kind = mix::RuleKind::kWhere;
    if (rule.starts_with("where ") || rule.starts_with("drop "))
      rule = trim(rule.substr(rule.find(' ')));
    const std::string where = cat(file, ":", number);
    if (mix::split_rule(rule).first.empty())
      throw Error(ErrorKind::kConfig, cat(where, ": ", quote(rule), ", expected NAME=EXPR"),
                  "a rule of a file has a name; before it may stand drop or where");
    out.push_back({kind, std::string(rule), where});
  }
  return out;
}

Survey::Key Survey::key(std::string_view text, std::string_view option) {
  const FieldKey parsed = FieldKey::parse(text, option);
  return {parsed.part, names.field(parsed.path)};
}

Survey::Survey(Plan the_plan, mix::OnMissing on_missing, const std::vector<RuleText>& rule_texts,
               const std::vector<std::string>& number_texts)
    : plan(std::move(the_plan)), names(plan.field), rules(on_missing) {
  for (const RuleText& rule : rule_texts) {
    const bool option = rule.option.starts_with("--");
    rules.add(rule.kind, rule.text, rule.option, names,
              option ? ErrorKind::kUsage : ErrorKind::kConfig);
    const i64 last = rules.size() - 1;
    plan.rules.push_back({rules.name(last), mix::kind_name(rule.kind), rules.source(last)});
  }
  for (const std::string& text : number_texts) {
    const auto [given, expression] = mix::split_rule(text);
    const std::string name = given.empty() ? std::string(expression) : given;
    if (std::find(plan.numbers.begin(), plan.numbers.end(), name) != plan.numbers.end())
      throw Error(ErrorKind::kUsage, cat("--number: two are called ", quote(name)),
                  "a name of your own: NAME=EXPR");
    numbers.emplace_back(expression, mix::Expression::Yields::kNumber, names,
                         cat("--number ", name));
    plan.numbers.push_back(name);
    plan.number_expressions.emplace_back(expression);
  }
  if (!plan.tokens.empty())
    tokens.emplace(plan.tokens, mix::Expression::Yields::kNumber, names, "--count");
  for (const std::string& top : plan.tops)
    tops.push_back(key(top, "--top"));
  if (!plan.group.empty()) group = key(plan.group, "--group");
  for (const std::string& field : plan.cross)
    cross.push_back(key(field, "--cross"));
  number_edges.resize(numbers.size(), -1);
  edge_paths.resize(plan.edges.size());
  for (std::size_t i = 0; i < plan.edges.size(); ++i) {
    const std::string& name = plan.edges[i].name;
    for (std::size_t j = 0; j < i; ++j) {
      if (plan.edges[j].name == name)
        throw Error(ErrorKind::kUsage, cat("--edges: ", quote(name), " is given twice"));
    }
    const auto asked = std::find(plan.numbers.begin(), plan.numbers.end(), name);
    if (asked != plan.numbers.end()) {
      number_edges[usize(asked - plan.numbers.begin())] = static_cast<i64>(i);
    } else if (plan.discover) {
      edge_paths[i] = name;
    } else {
      throw Error(ErrorKind::kUsage, cat("--edges: no number is called ", quote(name)),
                  "--number NAME=EXPR makes one");
    }
  }
  id = names.field("id");
  source = names.field("source");
  attributes = names.field("attributes");
  metadata = names.field("metadata");
}

void Survey::require_attributes(const std::vector<std::string>& allowed) {
  for (i64 i = 0; i < isize(names.attributes()); ++i) {
    const std::string& name = names.attributes()[usize(i)];
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    plan.attributes.push_back(name);
    required.push_back(i);
  }
}

Observer::Observer(const Survey& survey, Spill* spill)
    : survey_(survey),
      json_(survey.names.paths()),
      values_(survey.names),
      census_(survey.plan, spill),
      numbers_(survey.numbers.size()),
      tops_(survey.tops.size()),
      cross_(survey.cross.size()) {}

std::optional<Fault> Observer::observe(const io::Record& record, i64 line_bytes,
                                       std::vector<u64>& ids) {
  if (std::optional<Fault> fault = read(record, line_bytes)) return fault;
  if (seen_.has_id) {
    key_.assign(seen_.source);
    key_.push_back('\0');
    key_.append(seen_.id);
    ids.push_back(xxh3_64(key_));
  }
  count();
  return std::nullopt;
}

// Whatever can be wrong with a record is found here, before anything is counted.
std::optional<Fault> Observer::read(const io::Record& record, i64 line_bytes) {
  values_.open(json_);
  seen_ = {};
  seen_.line_bytes = line_bytes;
  if (std::optional<Fault> fault = json_.object_or_none(survey_.attributes)) return fault;
  seen_.has_text = json_.has(mix::Names::kText);
  if (seen_.has_text) {
    const Result<std::string_view> text = json_.string(mix::Names::kText);
    if (!text) return text.fault();
    seen_.text = *text;
    seen_.chars = values_.text_length();
  }
  seen_.has_id = json_.has(survey_.id);
  if (seen_.has_id) {
    const Result<std::string_view> id = mix::id_text(json_, survey_.id);
    if (!id) return id.fault();
    seen_.id = *id;
  }
  const Result<std::string_view> source = mix::source_text(json_, survey_.source);
  if (!source) return source.fault();
  seen_.source = *source;
  if (seen_.has_id) {
    key_ = cat("stats", '\0', seen_.source, '\0', seen_.id);
    seen_.key = xxh3_64(key_, survey_.plan.seed);
  } else {
    seen_.key = xxh3_64(record.line, survey_.plan.seed);
  }
  if (survey_.tokens) {
    const Result<i64> tokens = survey_.tokens->whole_amount(values_, "--count");
    if (!tokens) return tokens.fault();
    seen_.tokens = *tokens;
  }
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    const std::string& name = survey_.plan.numbers[i];
    const Result<mix::Expression::Amount> amount = survey_.numbers[i].amount(values_);
    if (!amount) {
      Fault fault = amount.fault();
      fault.detail = cat("--number ", name, ": ", fault.detail);
      return fault;
    }
    numbers_[i].reset();
    if (amount->none) continue;
    if (!std::isfinite(amount->value))
      return Fault{"range", cat("--number ", name, " is not finite"), -1};
    numbers_[i] = amount->value;
  }
  for (std::size_t i = 0; i < tops_.size(); ++i) {
    if (std::optional<Fault> fault = read_key(survey_.tops[i], tops_[i])) return fault;
  }
  if (survey_.group) {
    if (std::optional<Fault> fault = read_key(*survey_.group, group_)) return fault;
  }
  for (std::size_t i = 0; i < cross_.size(); ++i) {
    if (std::optional<Fault> fault = read_key(survey_.cross[i], cross_[i])) return fault;
  }
  if (survey_.plan.discover) {
    if (std::optional<Fault> fault = find_fields()) return fault;
  }
  const Result<bool> kept =
      survey_.rules.judge(values_, seen_.line_bytes, seen_.tokens, census_.rules);
  if (!kept) return kept.fault();
  seen_.kept = *kept;
  return std::nullopt;
}

std::optional<Fault> Observer::read_key(const Survey::Key& key, KeyValue& value) {
  value.none = true;
  const io::JsonType type = json_.field(key.field).type;
  if (type == io::JsonType::kString) {
    const Result<std::string_view> text = json_.string(key.field);
    if (!text) return text.fault();
    if (key.part == FieldKey::Part::kWhole) {
      value.text = *text;
      value.none = false;
      return std::nullopt;
    }
    std::string_view part = host_of(*text, key_);
    if (key.part == FieldKey::Part::kSuffix) part = suffix_of(part);
    value.text = part;
    value.none = part.empty();
  } else if (json_.has(key.field) && key.part == FieldKey::Part::kWhole) {
    value.text = json_.raw(key.field);
    value.none = false;
  }
  return std::nullopt;
}

void Observer::count() {
  if (seen_.has_text) seen_.words = text::count_words_ws(seen_.text);
  for (std::size_t i = 0; i < survey_.required.size(); ++i) {
    const i64 field = survey_.names.field_of(survey_.required[i]);
    if (json_.field(field).type != io::JsonType::kMissing) census_.seen[i] = 1;
  }
  count_cell(census_.whole, true);
  if (survey_.group) count_cell(census_.groups.at(group_key(group_.text, group_.none)), false);
  for (std::size_t i = 0; i < tops_.size(); ++i) {
    if (tops_[i].none) {
      ++census_.top_missing[i];
    } else {
      census_.tops[i].add(tops_[i].text, seen_.key);
    }
  }
  if (!cross_.empty()) {
    const auto part = [this](std::size_t i) {
      return group_key(cross_[i].text, cross_[i].none, kLongestInPair);
    };
    census_.cross.add(pair_key(part(0), part(1)), seen_.key);
  }
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    if (numbers_[i] && survey_.number_edges[i] >= 0)
      count_edge(survey_.number_edges[i], *numbers_[i]);
  }
  if (!seen_.kept && survey_.plan.examples > 0) show_rules();
}

void Observer::count_cell(Cell& cell, bool whole) {
  Totals& totals = cell.totals;
  ++totals.documents;
  totals.line_bytes += seen_.line_bytes;
  totals.without_text += seen_.has_text ? 0 : 1;
  totals.empty += seen_.has_text && seen_.text.empty() ? 1 : 0;
  totals.without_id += seen_.has_id ? 0 : 1;
  totals.bytes += isize(seen_.text);
  totals.chars += seen_.chars;
  totals.words += seen_.words;
  totals.tokens += seen_.tokens;
  if (seen_.kept) {
    ++totals.kept;
    totals.kept_line_bytes += seen_.line_bytes;
    totals.kept_tokens += seen_.tokens;
  }
  if (seen_.has_text) totals.offer(isize(seen_.text), seen_.source, seen_.id);
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    if (numbers_[i]) cell.numbers[i].add(*numbers_[i]);
  }
  if (survey_.plan.discover) count_fields(cell, whole);
}

std::optional<Fault> Observer::find_fields() {
  paths_.clear();
  found_.clear();
  const auto below = [this](i64 field, std::string_view prefix, bool lists) {
    if (json_.field(field).type != io::JsonType::kObject) return std::optional<Fault>();
    return find_fields(json_.raw(field), prefix, lists);
  };
  if (std::optional<Fault> fault = below(survey_.attributes, "attributes.", true)) return fault;
  if (std::optional<Fault> fault = below(survey_.metadata, "metadata.", false)) return fault;
  return find_fields(json_.line(), "", false);
}

// Every key is read, so none may be there twice.
std::optional<Fault> Observer::find_fields(std::string_view object, std::string_view prefix,
                                           bool lists) {
  key_hashes_.clear();
  std::optional<Fault> fault;
  io::each_object_field(object, [&](std::string_view key, std::string_view raw) {
    if (key.find('\\') != std::string_view::npos) {
      if (!fault) fault = io::unescape(key, key_);
      key = key_;
    }
    key_hashes_.push_back(xxh3_64(key));
    if (!is_number(raw) && !lists) return;
    if (prefix.empty() && (key == "id" || key == "source")) return;
    found_.push_back({paths_.size(), prefix.size() + key.size(), raw});
    paths_.append(prefix).append(key);
  });
  if (fault) return fault;
  std::sort(key_hashes_.begin(), key_hashes_.end());
  const auto twice = std::adjacent_find(key_hashes_.begin(), key_hashes_.end());
  if (twice == key_hashes_.end()) return std::nullopt;
  const u64 hash = *twice;
  io::each_object_field(object, [&](std::string_view key, std::string_view raw) {
    io::unescape(key, key_);
    if (xxh3_64(key_) == hash)
      fault = {"duplicate_key", cat("key ", quote(key_), " occurs twice"),
               raw.data() - json_.line().data()};
  });
  return fault;
}

void Observer::count_fields(Cell& cell, bool whole) {
  for (const Found& found : found_)
    count_field(cell, whole, std::string_view(paths_).substr(found.begin, found.size), found.raw);
}

void Observer::count_field(Cell& cell, bool whole, std::string_view path, std::string_view raw) {
  Field* const field = cell.fields.at(path);
  if (field == nullptr) return;
  if (!field->begun && whole) {
    const auto edge = std::find(survey_.edge_paths.begin(), survey_.edge_paths.end(), path);
    if (edge != survey_.edge_paths.end()) field->edge = edge - survey_.edge_paths.begin();
  }
  field->begun = true;
  f64 value = 0;
  if (is_number(raw)) {
    const std::optional<f64> number = parse_float(raw);
    if (!number || !std::isfinite(*number)) {
      ++field->unfit;
      return;
    }
    value = *number;
    ++field->plain;
  } else if (raw == "null") {
    ++field->nulls;
    return;
  } else if (raw.front() != '[' || text::read_spans(raw, spans_)) {
    ++field->unfit;
    return;
  } else if (spans_.empty()) {
    ++field->empty;
    return;
  } else {
    value = spans_.front().score;
    if (spans_.size() == 1 && spans_[0].begin == 0 && spans_[0].end >= seen_.chars) {
      ++field->whole;
    } else {
      if (!field->spans) {
        field->spans = std::make_unique<Numbers>(false);
        field->covered = std::make_unique<Numbers>(false);
      }
      field->spans->add(static_cast<f64>(spans_.size()));
      field->covered->add(text::covered_share(spans_, -INFINITY, seen_.chars, sorted_));
    }
  }
  field->value.add(value);
  if (whole && field->edge >= 0) count_edge(field->edge, value);
}

void Observer::count_edge(i64 edge, f64 value) {
  EdgeCounts& counts = census_.edges[usize(edge)];
  const EdgeLabel& label = survey_.plan.edges[usize(edge)];
  const std::size_t bin = usize(label.bin(value));
  ++counts.counts[bin];
  if (counts.examples[bin].wants(seen_.key))
    counts.examples[bin].add(
        example(extract(seen_.text, survey_.plan.extract, -1), cat(label.name, "=", value)));
}

void Observer::show_rules() {
  for (i64 rule = 0; rule < survey_.rules.size(); ++rule) {
    Examples& examples = census_.rule_examples[usize(rule)];
    if (!census_.rules[usize(rule)].removes || !examples.wants(seen_.key)) continue;
    std::string notes;
    i64 at = -1;
    std::vector<i64> named = survey_.rules.expression(rule).attributes();
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    named.resize(std::min(named.size(), kNotes));
    for (const i64 attribute : named) {
      const std::vector<text::ScoredSpan>* const spans = values_.spans(attribute);
      append(notes, notes.empty() ? "" : ", ", survey_.names.attributes()[usize(attribute)], "=");
      if (spans == nullptr || spans->empty()) {
        notes += "none";
        continue;
      }
      append(notes, spans->front().score);
      const bool part = spans->front().begin > 0 || spans->front().end < seen_.chars;
      if (at < 0 && part && spans->front().begin < seen_.chars) at = spans->front().begin;
    }
    examples.add(example(extract(seen_.text, survey_.plan.extract, at), std::move(notes)));
  }
}

Example Observer::example(std::string text, std::string notes) const {
  return {seen_.key,       short_value(seen_.source), short_value(seen_.id),
          std::move(text), isize(seen_.text),         std::move(notes)};
}

std::string extract(std::string_view text, i64 chars, i64 at) {
  const text::CodePointIndex index(text);
  const i64 size = index.size();
  if (size <= chars) return std::string(text);
  const auto part = [&](i64 begin, i64 end) {
    const i64 from = index.byte_of(begin);
    return text.substr(usize(from), usize(index.byte_of(end) - from));
  };
  if (at < 0) {
    const i64 head = chars - chars / 4;
    return cat(part(0, head), " ... ", part(size - chars / 4, size));
  }
  const i64 begin = std::clamp<i64>(at - chars / 4, 0, size - chars);
  return cat(begin > 0 ? "... " : "", part(begin, begin + chars),
             begin + chars < size ? " ..." : "");
}

void check_seen(const Census& census) {
  const i64 records = census.whole.totals.documents;
  if (records == 0) return;
  constexpr std::string_view kParent = "attributes.";
  std::set<std::string> known;
  for (const auto& [path, field] : census.whole.fields.sorted()) {
    if (path.starts_with(kParent)) known.emplace(path.substr(kParent.size()));
  }
  for (std::size_t i = 0; i < census.seen.size(); ++i) {
    if (census.seen[i] == 0) throw mix::unseen_attribute(census.plan.attributes[i], records, known);
  }
}

}  // namespace lm::census
