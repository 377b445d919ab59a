#pragma once
// The taggers of one run: which, under which keys, and what they read. A plan is shared by all
// workers; each worker has the taggers' objects of its own.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/long_texts.h"
#include "core/str.h"
#include "io/batch.h"
#include "io/json.h"
#include "tag/tagger.h"

namespace lm::tag {

/// An attribute of the run: EXPERIMENT__TAGGER__TYPE.
struct TagKey {
  std::string key;
  std::string member;  // "KEY":
  i64 tagger = 0;      // place in TagPlan::taggers()
  i64 type = 0;        // place in its definition's types
};

class TagPlan {
 public:
  /// taggers: complete ones, each name once. experiment: part of the keys; empty: each tagger's
  /// own name. Throws Error{kUsage} for names that stand twice, for no taggers, and for an
  /// experiment with other characters than A-Z a-z 0-9 _.
  TagPlan(std::vector<TaggerDef> taggers, const std::string& experiment,
          const TagSettings& settings);

  const TagSettings& settings() const { return settings_; }
  const std::vector<TaggerDef>& taggers() const { return taggers_; }
  /// Experiment of a tagger.
  const std::string& experiment(i64 tagger) const { return experiments_[usize(tagger)]; }
  /// Every attribute that a document can get, tagger by tagger, in the order of their types. Types
  /// whose need is not met are left out.
  const std::vector<TagKey>& keys() const { return keys_; }
  const TagType& type(const TagKey& key) const {
    return taggers_[usize(key.tagger)].types[usize(key.type)];
  }
  /// Fields that the taggers read beside the text, each once.
  const std::vector<std::string>& fields() const { return fields_; }
  /// Types left out for want of a list, as TAGGER: TYPE.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  TagSettings settings_;
  std::vector<TaggerDef> taggers_;
  std::vector<std::string> experiments_;
  std::vector<TagKey> keys_;
  std::vector<std::string> fields_;
  std::vector<std::string> missing_;
};

/// What a reader has to read for a plan, each path once, and where it stands among its fields.
class FieldPlaces {
 public:
  FieldPlaces(const std::string& text_path, const TagPlan& plan);
  /// Place of a further path, which is added unless it is there.
  i64 add(const std::string& path);
  const std::vector<std::string>& paths() const { return paths_; }
  i64 text() const { return 0; }
  /// Of plan.fields(), in their order.
  const std::vector<i64>& fields() const { return fields_; }

 private:
  std::vector<std::string> paths_;
  std::vector<i64> fields_;
};

/// How many times as large as a long text what a tagger knows of it is: 8 in one-letter words; of
/// prose 6.
inline constexpr i64 kLongTextTimes = 8;

/// How what is found in a long text waits to be written: as spans, or printed as soon as its tagger
/// has found it, all attributes or those with spans. Spans and their print are of a size: only one
/// of them is there.
enum class LongForm { kSpans, kAll, kFound };

/// The taggers of a plan at work on one document after another. One per thread.
class TagWorker {
 public:
  /// long_texts: of all workers; null: nothing is charged.
  explicit TagWorker(const TagPlan& plan, LongTexts* long_texts = nullptr);
  /// Judges the document that json holds at these places. A fault: the text is no string, or a
  /// tagger's. Throws Error{kOs} beyond the budget.
  std::optional<Fault> tag(io::JsonReader& json, const FieldPlaces& places,
                           LongForm form = LongForm::kSpans);
  /// After the last document: asks every tagger whether all was well; throws what one does.
  void finish();
  /// What was found, by place of the key in plan.keys(); nothing where it is printed.
  std::span<const text::ScoredSpan> spans(i64 key) const {
    return lists_[usize(places_[usize(key)])];
  }
  /// Of taggers of open types, by tagger and name of the type.
  std::span<const NamedSpans> named() const { return named_; }
  Document& document() { return document_; }

  /// Appends the members "KEY":[...],... of the keys from first to last, whole taggers; empty ones
  /// too if all is set, as tag() was told. Behind the last key of a tagger its open types. Without
  /// braces. What is printed is given away: once. batch: what is appended of a long text stays
  /// charged until it is gone.
  void append(std::string& out, i64 first, i64 last, bool all, io::Batch* batch = nullptr);
  /// Charges batch with what the spans of a long text take as text, so many times.
  void charge_print(i64 times, io::Batch& batch) const;
  /// Bytes that append() will add of a long text that is printed, 0 of others.
  i64 printed_bytes() const;

 private:
  void read(std::string_view text, io::JsonReader& json, const FieldPlaces& places, bool is_long);
  std::optional<Fault> ask_all(bool is_long, LongForm form);
  void name_keys(i64 first);
  void print(i64 tagger, bool all);
  i64 print_bytes(i64 first, i64 last) const;
  void append_spans_of(std::string& out, i64 first, i64 last, bool all) const;

  const TagPlan& plan_;
  LongTexts* long_texts_;
  bool was_long_ = false;
  std::vector<std::unique_ptr<Tagger>> taggers_;
  std::vector<std::vector<text::ScoredSpan>> lists_;  // tagger by tagger, by type
  std::vector<i64> first_;                            // [taggers] into lists_
  std::vector<i64> places_;                           // [keys] into lists_
  std::vector<i64> keys_;                             // [taggers + 1] first key of each
  std::vector<NamedSpans> named_;
  std::optional<SpanMemory> memory_;      // of lists_
  std::vector<std::string> printed_;      // [taggers], of a long text; else empty
  std::shared_ptr<MemoryHold> printing_;  // of printed_, and of what was appended of it
  Document document_;
};

}  // namespace lm::tag
