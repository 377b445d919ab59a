#include "clean/chain.h"

#include <algorithm>
#include <tuple>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::clean {

i64 ChainPlan::key(std::string name) {
  const auto found = std::find(keys_.begin(), keys_.end(), name);
  if (found != keys_.end()) return found - keys_.begin();
  keys_.push_back(std::move(name));
  return isize(keys_) - 1;
}

void ChainPlan::add(std::string_view spec, const std::string& where, ErrorKind kind) {
  ParsedCleaner parsed = parse_cleaner(spec, where, kind);
  parsed.def->make(parsed.values);  // what is wrong with a file shows now
  Step step = {std::string(spec), parsed.def, std::move(parsed.values), {}};
  for (const Named& type : parsed.def->types)
    step.keys.push_back(key(attribute_key(*parsed.def, type.name)));
  for (const Named& reason : parsed.def->reasons)
    step.keys.push_back(key(attribute_key(*parsed.def, drop_type(reason))));
  steps_.push_back(std::move(step));
}

void StepCounts::add(const StepCounts& other) {
  documents += other.documents;
  changed += other.changed;
  dropped += other.dropped;
  lines += other.lines;
  lines_removed += other.lines_removed;
  chars_removed += other.chars_removed;
  chars_added += other.chars_added;
  edits.resize(std::max(edits.size(), other.edits.size()));
  for (std::size_t i = 0; i < other.edits.size(); ++i)
    edits[i] += other.edits[i];
  by_reason.resize(std::max(by_reason.size(), other.by_reason.size()));
  for (std::size_t i = 0; i < other.by_reason.size(); ++i)
    by_reason[i] += other.by_reason[i];
}

Chain::Chain(const ChainPlan& plan) : plan_(plan), spans_(plan.keys().size()) {
  for (const ChainPlan::Step& step : plan.steps_) {
    cleaners_.push_back(step.def->make(step.values));
    StepCounts& counts = counts_.emplace_back();
    counts.edits.resize(step.def->types.size());
    counts.by_reason.resize(step.def->reasons.size());
  }
}

Chain::Outcome Chain::run(std::string_view text) {
  original_ = text;
  origins_.reset(isize(text));
  marks_.clear();
  drop_key_ = -1;
  bool changed = false;
  for (std::size_t i = 0; i < cleaners_.size(); ++i) {
    changed = step(i, changed ? std::string_view(text_) : text) || changed;
    if (drop_key_ >= 0) return Outcome::kDropped;
  }
  return changed ? Outcome::kChanged : Outcome::kSame;
}

/// True if the text was changed. Sets drop_key_ where the document is dropped.
bool Chain::step(std::size_t i, std::string_view text) {
  const ChainPlan::Step& step = plan_.steps_[i];
  StepCounts& counts = counts_[i];
  document_.reset(text);
  findings_.clear();
  cleaners_[i]->clean(document_, original_, findings_);
  ++counts.documents;
  counts.lines += findings_.lines;
  if (findings_.drop >= 0) {
    ++counts.dropped;
    ++counts.by_reason[usize(findings_.drop)];
    drop_key_ = step.keys[step.def->types.size() + usize(findings_.drop)];
    return false;
  }
  std::erase_if(findings_.edits, [&](const Edit& edit) {
    return edit.with == document_.slice(tag::Range{edit.begin, edit.end});
  });
  if (findings_.edits.empty()) return false;
  counts.lines_removed += findings_.lines_removed;
  count(findings_.edits, counts);
  for (const Edit& edit : findings_.edits)
    marks_.push_back({origins_.of(edit.begin, edit.end), step.keys[usize(edit.type)]});
  apply(text, findings_.edits);
  origins_.apply(findings_.edits);
  return true;
}

void Chain::count(const std::vector<Edit>& edits, StepCounts& counts) {
  ++counts.changed;
  for (const Edit& edit : edits) {
    ++counts.edits[usize(edit.type)];
    counts.chars_removed += document_.chars_of({edit.begin, edit.end});
    counts.chars_added += text::count_code_points(edit.with);
  }
}

void Chain::apply(std::string_view text, const std::vector<Edit>& edits) {
  next_.clear();
  i64 reached = 0;
  for (const Edit& edit : edits) {
    LM_CHECK(edit.begin >= reached && edit.begin < edit.end, "edits rise and are apart");
    next_.append(text.substr(usize(reached), usize(edit.begin - reached)));
    next_.append(edit.with);
    reached = edit.end;
  }
  next_.append(text.substr(usize(reached)));
  text_.swap(next_);
}

void Chain::append_attributes(std::string& out) {
  for (std::vector<text::ScoredSpan>& list : spans_)
    list.clear();
  document_.reset(original_);
  std::sort(marks_.begin(), marks_.end(), [](const Mark& a, const Mark& b) {
    return std::tie(a.bytes.begin, a.bytes.end) < std::tie(b.bytes.begin, b.bytes.end);
  });
  for (const Mark& mark : marks_) {
    const i64 begin = document_.chars_before(mark.bytes.begin);
    spans_[usize(mark.key)].push_back({begin, document_.chars_before(mark.bytes.end), 1});
  }
  if (drop_key_ >= 0) spans_[usize(drop_key_)].push_back({0, document_.chars(), 1});
  out += '{';
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    append(out, i > 0 ? ",\"" : "\"", plan_.keys()[i], "\":");
    text::append_spans(out, spans_[i]);
  }
  out += '}';
}

}  // namespace lm::clean
