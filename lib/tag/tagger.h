#pragma once
// What a family of taggers is: definitions in a table, an object per worker that emits spans or
// values of a document by the number of their type. A family is one file of definitions and one
// line in catalogue.cc.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory_hold.h"
#include "core/result.h"
#include "core/types.h"
#include "tag/document.h"
#include "tag/files.h"
#include "tag/word_list.h"
#include "text/spans.h"

namespace lm::tag {

/// What shapes the values of a run beside the text.
struct TagSettings {
  bool dolma = false;  // the reference's results, defects included
  u64 seed = 0;
  i64 max_period = 256;               // characters of a repeated group that are looked for
  i64 external_timeout_s = 60;        // for an answer of a command of --define
  const WordList* naughty = nullptr;  // null: no list was given
};

/// What a tagger of open types found under a name of its own.
struct NamedSpans {
  std::string key;  // of the attribute
  i64 tagger = 0;   // place in the plan's taggers
  std::vector<text::ScoredSpan> spans;
};

/// What lists of spans take beyond a few, charged before they grow.
class SpanMemory {
 public:
  explicit SpanMemory(MemoryBudget& budget) : hold_(budget) {}
  /// Room for twice as many. Throws Error{kOs} beyond the budget.
  void grow(std::vector<text::ScoredSpan>& list);
  /// All lists have given their room back.
  void release() { hold_.release(); }
  static constexpr i64 kFew = i64{1} << 16;

 private:
  MemoryHold hold_;
};

/// Takes what a tagger finds in one document; turns bytes into code points.
class Emitter {
 public:
  /// lists: one per type of the tagger, to be appended to. named: of all taggers, key: the name
  /// of a type alone. memory: null where nothing is charged.
  Emitter(Document& document, std::span<std::vector<text::ScoredSpan>> lists,
          std::vector<NamedSpans>& named, i64 tagger, SpanMemory* memory = nullptr)
      : document_(document), lists_(lists), named_(named), tagger_(tagger), memory_(memory) {}
  /// A value of the whole document under a type that is not in the definition (open_types).
  void named_value(const std::string& type, f64 value) {
    for (NamedSpans& own : named_) {
      if (own.tagger == tagger_ && own.key == type) {
        own.spans.push_back({0, document_.chars(), value});
        return;
      }
    }
    named_.push_back({type, tagger_, {{0, document_.chars(), value}}});
  }
  /// A value of the whole document: [0, its length, value].
  void value(i64 type, f64 value) { span_at(type, 0, document_.chars(), value); }
  /// A span of bytes; in rising order within a type.
  void span(i64 type, i64 begin, i64 end, f64 score = 1) {
    const i64 first = document_.chars_before(begin);
    span_at(type, first, document_.chars_before(end), score);
  }
  /// A span in code points.
  void span_at(i64 type, i64 begin, i64 end, f64 score = 1) {
    std::vector<text::ScoredSpan>& list = lists_[usize(type)];
    if (list.size() == list.capacity() && memory_ != nullptr) memory_->grow(list);
    list.push_back({begin, end, score});
  }
  std::span<const text::ScoredSpan> spans(i64 type) const { return lists_[usize(type)]; }

 private:
  Document& document_;
  std::span<std::vector<text::ScoredSpan>> lists_;
  std::vector<NamedSpans>& named_;
  i64 tagger_;
  SpanMemory* memory_;
};

/// Judges documents, one at a time; keeps scratch memory only, so that a result depends on the
/// document and the settings alone.
class Tagger {
 public:
  virtual ~Tagger() = default;
  /// A fault makes the record a bad one.
  virtual std::optional<Fault> tag(Document& document, Emitter& out) = 0;
  /// After its last document; throws if what it gave was wrong.
  virtual void finish() {}
};

/// What a type needs beside the text: a list, or to be asked as the reference is or not so, where
/// it spells a type otherwise.
enum class Needs { kNothing, kNaughtyWords, kDolma, kCorrected };

struct TagType {
  std::string name;
  std::string meaning;  // for --list and --explain, without full stop
  Needs needs = Needs::kNothing;
};

struct TaggerDef {
  std::string name;
  std::string unit;  // what is judged: document, line, paragraph, match
  std::string summary;
  std::string source;               // where the rule comes from
  std::vector<TagType> types;       // their numbers are their places
  std::vector<std::string> fields;  // of the record, beside the text
  std::function<std::unique_ptr<Tagger>(const TagSettings&)> make;  // one per worker
  // A tagger that needs a file: the name by which --model gives it, and what completes the
  // definition with the file at path: make, and types where they are the labels of a model. bind
  // throws Error{kNoInput} and Error{kData} for the file.
  std::string file = {};
  std::function<void(TaggerDef& def, const std::string& path, TagFiles& files)> bind = {};
  bool types_of_file = false;
  // Finds types beside those above, which have names of the document's making.
  bool open_types = false;
  // A worker's object is kept whatever the text; of other taggers a long one has its own.
  bool lasting = false;
};

}  // namespace lm::tag
