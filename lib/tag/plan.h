#pragma once
// The taggers of one run: which, under which keys, and what they read. A plan is shared by all
// workers; each worker has the taggers' objects of its own.

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/str.h"
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

/// Long texts (Document::is_long) take turns: what a tagger knows of one is several times as large
/// as it is; it is charged, and given back before the next tagger's turn. Thread-safe.
class LongTexts {
 public:
  explicit LongTexts(MemoryBudget& budget) : budget_(budget) {}
  /// Calls work() when it is this text's turn. Throws Error{kOs} beyond the budget.
  template <typename Work>
  auto with(i64 bytes, const Work& work) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const MemoryCharge charge(budget_, kTimes * bytes,
                              cat("the taggers of a text of ", format_bytes(bytes)));
    return work();
  }

 private:
  static constexpr i64 kTimes = 8;  // of a text in one-letter words; of prose 6
  MemoryBudget& budget_;
  std::mutex mutex_;
};

/// The taggers of a plan at work on one document after another. One per thread.
class TagWorker {
 public:
  /// long_texts: of all workers; null: nothing is charged.
  explicit TagWorker(const TagPlan& plan, LongTexts* long_texts = nullptr);
  /// Judges the document that json holds at these places. A fault: the text is no string, or a
  /// tagger's.
  std::optional<Fault> tag(io::JsonReader& json, const FieldPlaces& places);
  /// What was found, by place of the key in plan.keys().
  std::span<const text::ScoredSpan> spans(i64 key) const {
    return lists_[usize(places_[usize(key)])];
  }
  /// Of taggers of open types, by tagger and name of the type.
  std::span<const NamedSpans> named() const { return named_; }
  Document& document() { return document_; }

 private:
  void read(std::string_view text, io::JsonReader& json, const FieldPlaces& places);
  std::optional<Fault> ask_all(bool is_long);
  void name_keys();

  const TagPlan& plan_;
  LongTexts* long_texts_;
  bool was_long_ = false;
  std::vector<std::unique_ptr<Tagger>> taggers_;
  std::vector<std::vector<text::ScoredSpan>> lists_;  // tagger by tagger, by type
  std::vector<i64> first_;                            // [taggers] into lists_
  std::vector<i64> places_;                           // [keys] into lists_
  std::vector<NamedSpans> named_;
  Document document_;
};

/// Appends the members "KEY":[...],... of the keys from first to last; empty ones too if all is
/// set. Behind the last key of a tagger its open types. Without braces.
void append_attributes(std::string& out, const TagPlan& plan, const TagWorker& worker, i64 first,
                       i64 last, bool all);

}  // namespace lm::tag
