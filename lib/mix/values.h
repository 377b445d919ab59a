#pragma once
// One record's values as rules ask for them. Spans are parsed once a record, the text is counted
// once. Buffers are kept from record to record. One object per worker thread.

#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "io/json.h"
#include "mix/names.h"
#include "text/spans.h"

namespace lm::mix {

/// What a part of an expression has come to.
struct Value {
  enum class Type : u8 { kNone, kBool, kNumber, kString, kOther, kFault };
  Type type = Type::kNone;  // kNone: no value; kFault: Values::fault says why
  bool truth = false;
  f64 number = 0;
  std::string_view text;  // of a string; of kOther its JSON type in words

  static Value of(bool value) { return {Type::kBool, value, 0, {}}; }
  static Value of(f64 value) { return {Type::kNumber, false, value, {}}; }
  static Value of(std::string_view value) { return {Type::kString, false, 0, value}; }
  static Value bad() { return {Type::kFault, false, 0, {}}; }
};

class Values {
 public:
  /// names: complete and outlives this.
  explicit Values(const Names& names);
  /// Begins a record that json, made for names.paths(), has parsed.
  void open(io::JsonReader& json);

  io::JsonReader& json() { return *json_; }
  const Names& names() const { return *names_; }
  /// The field's value, unescaped once a record; kFault for a string with a lone surrogate or a
  /// number beyond f64.
  Value field(i64 field);
  /// The attribute's spans as they stand there; of a number one span over the whole text. Null for
  /// what is no list of spans.
  const std::vector<text::ScoredSpan>* spans(i64 attribute);
  /// Whether the attribute is there and is neither null nor an empty list. Reads no spans.
  bool has(i64 attribute) const;
  /// What selectors find in the record. Of names that have any.
  Selection& selection() { return *selection_; }
  /// Code points of the text, or -1 with a fault if it is no string.
  i64 text_length();

  /// What went wrong, when a function has said so.
  std::optional<Fault> fault;
  /// Scratch of whoever needs spans in another order.
  std::vector<text::ScoredSpan> sorted;
  /// A part without a value has decided something since this was last set to false.
  bool met_none = false;

 private:
  Value read(i64 field);

  struct Known {
    bool known = false;
    Value value;
  };
  struct Parsed {
    bool good = false;  // read, and a list of spans
    std::vector<text::ScoredSpan> spans;
  };

  const Names* names_;
  io::JsonReader* json_ = nullptr;
  std::vector<Known> known_;    // by field
  std::vector<Parsed> parsed_;  // by attribute
  std::optional<Selection> selection_;
  i64 length_ = -1;
};

}  // namespace lm::mix
