#include "tag/plan.h"

#include <algorithm>
#include <set>

#include "core/str.h"
#include "tag/catalogue.h"

namespace lm::tag {

namespace {

bool is_met(Needs needs, const TagSettings& settings) {
  switch (needs) {
    case Needs::kNaughtyWords:
      return settings.naughty != nullptr;
    case Needs::kDolma:
      return settings.dolma;
    case Needs::kCorrected:
      return !settings.dolma;
    case Needs::kNothing:
      break;
  }
  return true;
}

}  // namespace

TagPlan::TagPlan(std::vector<TaggerDef> taggers, const std::string& experiment,
                 const TagSettings& settings)
    : settings_(settings), taggers_(std::move(taggers)) {
  if (taggers_.empty()) throw Error(ErrorKind::kUsage, "no tagger is named");
  if (experiment != key_part(experiment))
    throw Error(ErrorKind::kUsage,
                cat("--experiment: ", quote(experiment), " has characters outside A-Z a-z 0-9 _"));
  std::set<std::string> names;
  for (i64 tagger = 0; tagger < isize(taggers_); ++tagger) {
    const TaggerDef& def = taggers_[usize(tagger)];
    const std::string name = key_part(def.name);
    if (!names.insert(name).second)
      throw Error(ErrorKind::kUsage, cat("tagger ", def.name, " is named twice"));
    experiments_.push_back(experiment.empty() ? name : experiment);
    for (i64 type = 0; type < isize(def.types); ++type) {
      const TagType& own = def.types[usize(type)];
      if (is_met(own.needs, settings)) {
        const std::string key = cat(experiments_.back(), "__", name, "__", key_part(own.name));
        keys_.push_back({key, cat("\"", key, "\":"), tagger, type});
      } else if (own.needs == Needs::kNaughtyWords) {
        missing_.push_back(cat(def.name, ": ", own.name));
      }
    }
    for (const std::string& field : def.fields)
      if (std::find(fields_.begin(), fields_.end(), field) == fields_.end())
        fields_.push_back(field);
  }
}

FieldPlaces::FieldPlaces(const std::string& text_path, const TagPlan& plan) : paths_{text_path} {
  for (const std::string& field : plan.fields())
    fields_.push_back(add(field));
}

i64 FieldPlaces::add(const std::string& path) {
  const std::vector<std::string>::iterator at = std::find(paths_.begin(), paths_.end(), path);
  if (at != paths_.end()) return at - paths_.begin();
  paths_.push_back(path);
  return isize(paths_) - 1;
}

namespace {

/// Charges what is not all: more spans, their print and those of other taggers follow.
void charge_part(MemoryHold& hold, i64 bytes, const std::string& what) {
  try {
    hold.add(bytes, what);
  } catch (const Error& e) {
    const std::string enough = e.hint().substr(0, e.hint().rfind(" would do"));
    throw Error(e.kind(), e.message(),
                cat("more than ", enough, " is needed; fewer taggers at once (-T) need less"));
  }
}

}  // namespace

void SpanMemory::grow(std::vector<text::ScoredSpan>& list) {
  constexpr i64 kSize = sizeof(text::ScoredSpan);
  const i64 more = 2 * isize(list);
  if (more <= kFew) return;
  // The old room is there until the new one is filled.
  charge_part(hold_, more * kSize, cat("a tagger's ", more, " spans"));
  const i64 old = static_cast<i64>(list.capacity());
  list.reserve(usize(more));
  if (old > kFew) hold_.add(-old * kSize, "");
}

TagWorker::TagWorker(const TagPlan& plan, LongTexts* long_texts)
    : plan_(plan), long_texts_(long_texts) {
  i64 lists = 0;
  for (const TaggerDef& def : plan.taggers()) {
    taggers_.push_back(def.make(plan.settings()));
    first_.push_back(lists);
    lists += isize(def.types);
  }
  lists_.resize(usize(lists));
  for (const TagKey& key : plan.keys()) {
    while (isize(keys_) <= key.tagger)
      keys_.push_back(isize(places_));
    places_.push_back(first_[usize(key.tagger)] + key.type);
  }
  keys_.resize(taggers_.size() + 1, isize(places_));
  if (long_texts != nullptr) memory_.emplace(long_texts->budget());
}

std::optional<Fault> TagWorker::tag(io::JsonReader& json, const FieldPlaces& places,
                                    LongForm form) {
  const Result<std::string_view> value = json.string(places.text());
  if (!value) return value.fault();
  const bool is_long = isize(*value) >= Document::kLongBytes;
  const auto work = [&] {
    read(*value, json, places, is_long);
    return ask_all(is_long, form);
  };
  return long_texts_ != nullptr ? long_texts_->with(isize(*value), work) : work();
}

void TagWorker::read(std::string_view text, io::JsonReader& json, const FieldPlaces& places,
                     bool is_long) {
  document_.reset(text);
  for (std::size_t i = 0; i < plan_.fields().size(); ++i)
    document_.set_field(plan_.fields()[i], json.text_of(places.fields()[i]));
  printed_.clear();
  printing_.reset();
  for (std::vector<text::ScoredSpan>& list : lists_) {
    if (was_long_ || is_long) list = {};
    list.clear();
  }
  if ((was_long_ || is_long) && memory_) memory_->release();
  named_.clear();
  was_long_ = is_long;
}

std::optional<Fault> TagWorker::ask_all(bool is_long, LongForm form) {
  const bool prints = is_long && form != LongForm::kSpans;
  if (prints) printed_.resize(taggers_.size());
  for (std::size_t i = 0; i < taggers_.size(); ++i) {
    const TaggerDef& def = plan_.taggers()[i];
    Emitter out(document_, std::span(lists_).subspan(usize(first_[i]), def.types.size()), named_,
                static_cast<i64>(i), memory_ ? &*memory_ : nullptr);
    const std::unique_ptr<Tagger> own =
        is_long && !def.lasting ? def.make(plan_.settings()) : nullptr;
    Tagger& tagger = own ? *own : *taggers_[i];
    const i64 first_named = isize(named_);
    if (std::optional<Fault> fault = tagger.tag(document_, out)) return fault;
    name_keys(first_named);
    if (is_long) document_.forget();
    if (prints) print(static_cast<i64>(i), form == LongForm::kAll);
  }
  return std::nullopt;
}

void TagWorker::finish() {
  for (const std::unique_ptr<Tagger>& tagger : taggers_)
    tagger->finish();
}

void TagWorker::name_keys(i64 first) {
  std::sort(named_.begin() + first, named_.end(),
            [](const NamedSpans& a, const NamedSpans& b) { return a.key < b.key; });
  for (i64 i = first; i < isize(named_); ++i) {
    NamedSpans& own = named_[usize(i)];
    own.key = cat(plan_.experiment(own.tagger), "__",
                  key_part(plan_.taggers()[usize(own.tagger)].name), "__", key_part(own.key));
  }
}

/// Bytes that the spans of the keys take as text, if they are many. Begin and end have no more
/// digits than the text's length, a score is mostly 1.
i64 TagWorker::print_bytes(i64 first, i64 last) const {
  i64 count = 0;
  for (i64 key = first; key < last; ++key)
    count += isize(spans(key));
  return count > SpanMemory::kFew ? count * (2 * isize(cat(document_.chars())) + 6) : 0;
}

void TagWorker::charge_print(i64 times, io::Batch& batch) const {
  const i64 bytes = print_bytes(0, isize(plan_.keys()));
  if (long_texts_ == nullptr || bytes == 0) return;
  batch.holds.push_back(std::make_shared<MemoryHold>(long_texts_->budget()));
  batch.holds.back()->add(
      times * bytes, cat("the attributes of a text of ", format_bytes(isize(document_.text()))));
}

void TagWorker::print(i64 tagger, bool all) {
  const i64 first = keys_[usize(tagger)];
  const i64 last = keys_[usize(tagger) + 1];
  std::string& out = printed_[usize(tagger)];
  const i64 bytes = print_bytes(first, last);
  if (long_texts_ != nullptr && bytes > 0) {
    if (!printing_) printing_ = std::make_shared<MemoryHold>(long_texts_->budget());
    // Twice: what is written is there once more while it is packed.
    charge_part(*printing_, 2 * bytes,
                cat("the spans of ", plan_.taggers()[usize(tagger)].name, " in a text of ",
                    format_bytes(isize(document_.text()))));
    out.reserve(usize(bytes));
  }
  append_spans_of(out, first, last, all);
  for (i64 key = first; key < last; ++key)
    lists_[usize(places_[usize(key)])] = {};
  named_.clear();
  if (memory_) memory_->release();
}

i64 TagWorker::printed_bytes() const {
  i64 sum = 0;
  for (const std::string& one : printed_)
    sum += isize(one) + 1;
  return sum;
}

void TagWorker::append(std::string& out, i64 first, i64 last, bool all, io::Batch* batch) {
  if (printed_.empty()) return append_spans_of(out, first, last, all);
  bool comma = false;
  for (i64 tagger = 0; tagger < isize(taggers_); ++tagger) {
    std::string& own = printed_[usize(tagger)];
    if (keys_[usize(tagger)] < first || keys_[usize(tagger) + 1] > last || own.empty()) continue;
    if (comma) out += ',';
    out += own;
    comma = true;
    std::string().swap(own);
  }
  if (batch != nullptr && printing_) batch->holds.push_back(printing_);
  const auto is_given = [](const std::string& one) { return one.empty(); };
  if (std::all_of(printed_.begin(), printed_.end(), is_given)) printing_.reset();
}

void TagWorker::append_spans_of(std::string& out, i64 first, i64 last, bool all) const {
  bool comma = false;
  const auto put = [&](std::string_view member, std::span<const text::ScoredSpan> spans) {
    if (comma) out += ',';
    out += member;
    text::append_spans(out, spans);
    comma = true;
  };
  for (i64 key = first; key < last; ++key) {
    const TagKey& own = plan_.keys()[usize(key)];
    if (all || !spans(key).empty()) put(own.member, spans(key));
    if (named_.empty() || key + 1 < keys_[usize(own.tagger) + 1]) continue;
    for (const NamedSpans& named : named_) {
      if (named.tagger == own.tagger) put(cat("\"", named.key, "\":"), named.spans);
    }
  }
}

}  // namespace lm::tag
