#pragma once
// What is counted of a set of records: of all, or of one group.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "census/numbers.h"
#include "census/plan.h"

namespace lm::census {

struct Totals {
  i64 documents = 0;
  i64 line_bytes = 0;  // of their lines, newlines included
  i64 without_text = 0;
  i64 empty = 0;  // texts of no characters
  i64 without_id = 0;
  i64 bytes = 0;  // of texts, and what follows
  i64 chars = 0;
  i64 words = 0;
  i64 tokens = 0;
  i64 kept = 0;  // documents that no rule removes
  i64 kept_line_bytes = 0;
  i64 kept_tokens = 0;
  i64 longest = -1;  // bytes of the longest text, of equal ones of the least source and id
  std::string longest_source{};
  std::string longest_id{};
  void add(const Totals& other);
  void offer(i64 text_bytes, std::string_view source, std::string_view id);
  void save(PartWriter& out) const;
  void load(PartReader& in);
};

/// A number of a field or attribute that was found on the way.
struct Field {
  explicit Field(bool exact) : value(exact) {}
  i64 nulls = 0;
  i64 empty = 0;  // lists without spans
  i64 unfit = 0;  // values that are no numbers and no lists of spans
  Numbers value;  // the number, or the score of the first span
  i64 plain = 0;  // numbers as they are, without spans
  i64 whole = 0;  // one span over the whole text
  // Of other lists: how many spans, the share of the text's characters that they cover.
  std::unique_ptr<Numbers> spans{};
  std::unique_ptr<Numbers> covered{};
  bool begun = false;  // edge is looked up
  i64 edge = -1;       // index into Plan::edges
  void add(Field&& other);
  /// spans and covered with what is known of lists over the whole text.
  Numbers all_spans() const;
  Numbers all_covered() const;
  i64 bytes() const;
  void save(PartWriter& out) const;
  void load(PartReader& in);
};

/// Fields by their path. Beyond a limit those of names whose hashes begin with level() zero bits.
class Fields {
 public:
  static constexpr i64 kMost = 4096;
  explicit Fields(bool exact) : exact_(exact) {}
  /// Null for one that is given up.
  Field* at(std::string_view path);
  void add(Fields&& other);
  i64 level() const { return level_; }
  i64 bytes() const;
  std::map<std::string_view, const Field*> sorted() const;
  void raise(i64 level);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return xxh3_64(text); }
  };
  bool exact_;
  i64 level_ = 0;
  std::unordered_map<std::string, Field, Hash, std::equal_to<>> fields_;
};

/// Everything, or one group.
struct Cell {
  explicit Cell(const Plan& plan);
  bool exact;
  Totals totals;
  std::vector<Numbers> numbers;  // those asked for
  Fields fields;
  void add(Cell&& other);
  i64 bytes() const;
  /// In parts, in a fixed order: emit(part, name, data).
  using Emit = std::function<void(std::string_view part, std::string_view name, std::string data)>;
  void save(const Emit& emit) const;
  /// Adds a part; false if `part` is none of a cell. Throws Error{kData}.
  bool load(std::string_view part, std::string_view name, PartReader& in);
};

/// The index that a part's name stands for, of `size`. Throws Error{kData}.
i64 part_index(std::string_view name, i64 size, const PartReader& in);

}  // namespace lm::census
