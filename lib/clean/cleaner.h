#pragma once
// What a cleaner is: a definition in a table and an object per worker that says of one text which
// stretches it takes away or replaces, or that the document is dropped.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tag/document.h"

namespace lm::clean {

/// A stretch of a text that is replaced; by nothing: taken away. Offsets are bytes, bounds of
/// characters.
struct Edit {
  i64 begin = 0;
  i64 end = 0;
  i64 type = 0;  // place in CleanerDef::types
  std::string with;
};

/// What a cleaner says of one text.
struct Findings {
  std::vector<Edit> edits;  // rising, apart, none empty
  i64 drop = -1;            // place in CleanerDef::reasons: the edits do not count then
  i64 lines = 0;            // looked at
  i64 lines_removed = 0;
  void clear() {
    edits.clear();
    drop = -1;
    lines = lines_removed = 0;
  }
  void remove(i64 begin, i64 end, i64 type) {
    if (begin < end) edits.push_back({begin, end, type, {}});
  }
};

/// One object per worker; keeps scratch memory only.
class Cleaner {
 public:
  virtual ~Cleaner() = default;
  /// original: the text before the first cleaner of the run. out is cleared.
  virtual void clean(tag::Document& document, std::string_view original, Findings& out) = 0;
};

/// Something that has a name in reports and attributes.
struct Named {
  std::string name;
  std::string meaning;  // without full stop
};

enum class OptionKind { kNumber, kShare, kCount, kSwitch, kChoice, kFile };

struct OptionDef {
  std::string name;
  OptionKind kind = OptionKind::kNumber;
  std::string def;  // as it is written in a command; of a file without default empty
  std::string meaning;
  std::vector<std::string> choices = {};
};

/// The values of a cleaner's options, in the order of its definition.
class OptionValues {
 public:
  struct Value {
    f64 number = 0;    // 0 or 1 of a switch, the place of a choice
    std::string text;  // the bytes of a file
    std::string path;  // of the file
  };
  explicit OptionValues(std::vector<Value> values) : values_(std::move(values)) {}
  f64 number(i64 option) const { return values_[usize(option)].number; }
  i64 count(i64 option) const { return static_cast<i64>(number(option)); }
  bool on(i64 option) const { return number(option) != 0; }
  const std::string& text(i64 option) const { return values_[usize(option)].text; }
  const std::string& path(i64 option) const { return values_[usize(option)].path; }

 private:
  std::vector<Value> values_;
};

struct CleanerDef {
  std::string name;
  std::string summary;
  std::string source;          // where the rule comes from
  std::vector<Named> types;    // of edits
  std::vector<Named> reasons;  // of drops
  std::vector<OptionDef> options;
  std::function<std::unique_ptr<Cleaner>(const OptionValues&)> make;
};

}  // namespace lm::clean
