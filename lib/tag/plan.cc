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

TagWorker::TagWorker(const TagPlan& plan, LongTexts* long_texts)
    : plan_(plan), long_texts_(long_texts) {
  i64 lists = 0;
  for (const TaggerDef& def : plan.taggers()) {
    taggers_.push_back(def.make(plan.settings()));
    first_.push_back(lists);
    lists += isize(def.types);
  }
  lists_.resize(usize(lists));
  for (const TagKey& key : plan.keys())
    places_.push_back(first_[usize(key.tagger)] + key.type);
}

std::optional<Fault> TagWorker::tag(io::JsonReader& json, const FieldPlaces& places) {
  const Result<std::string_view> value = json.string(places.text());
  if (!value) return value.fault();
  const bool is_long = isize(*value) >= Document::kLongBytes;
  const auto work = [&] {
    read(*value, json, places);
    std::optional<Fault> fault = ask_all(is_long);
    if (!fault) name_keys();
    return fault;
  };
  return is_long && long_texts_ != nullptr ? long_texts_->with(isize(*value), work) : work();
}

void TagWorker::read(std::string_view text, io::JsonReader& json, const FieldPlaces& places) {
  document_.reset(text);
  for (std::size_t i = 0; i < plan_.fields().size(); ++i)
    document_.set_field(plan_.fields()[i], json.text_of(places.fields()[i]));
  for (std::vector<text::ScoredSpan>& list : lists_) {
    if (was_long_) list = {};
    list.clear();
  }
  named_.clear();
}

std::optional<Fault> TagWorker::ask_all(bool is_long) {
  was_long_ = is_long;
  for (std::size_t i = 0; i < taggers_.size(); ++i) {
    const TaggerDef& def = plan_.taggers()[i];
    Emitter out(document_, std::span(lists_).subspan(usize(first_[i]), def.types.size()), named_,
                static_cast<i64>(i));
    const std::unique_ptr<Tagger> own =
        is_long && !def.lasting ? def.make(plan_.settings()) : nullptr;
    Tagger& tagger = own ? *own : *taggers_[i];
    if (std::optional<Fault> fault = tagger.tag(document_, out)) return fault;
    if (is_long) document_.forget();
  }
  return std::nullopt;
}

void TagWorker::name_keys() {
  std::sort(named_.begin(), named_.end(), [](const NamedSpans& a, const NamedSpans& b) {
    return a.tagger != b.tagger ? a.tagger < b.tagger : a.key < b.key;
  });
  for (NamedSpans& own : named_)
    own.key = cat(plan_.experiment(own.tagger), "__",
                  key_part(plan_.taggers()[usize(own.tagger)].name), "__", key_part(own.key));
}

void append_attributes(std::string& out, const TagPlan& plan, const TagWorker& worker, i64 first,
                       i64 last, bool all) {
  bool comma = false;
  const auto put = [&](std::string_view member, std::span<const text::ScoredSpan> spans) {
    if (comma) out += ',';
    out += member;
    text::append_spans(out, spans);
    comma = true;
  };
  for (i64 key = first; key < last; ++key) {
    const TagKey& own = plan.keys()[usize(key)];
    const std::span<const text::ScoredSpan> spans = worker.spans(key);
    if (all || !spans.empty()) put(own.member, spans);
    if (worker.named().empty()) continue;
    if (key + 1 < last && plan.keys()[usize(key + 1)].tagger == own.tagger) continue;
    for (const NamedSpans& named : worker.named()) {
      if (named.tagger == own.tagger) put(cat("\"", named.key, "\":"), named.spans);
    }
  }
}

}  // namespace lm::tag
