#pragma once
// The fields, attributes and selectors that rules name, each once: what a JsonReader has to look
// for and what a Selection may be asked. Filled while rules are compiled, read-only afterwards.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "mix/selector.h"

namespace lm::mix {

/// The whole name of an attribute: "TAGGER.TYPE" stands for TAGGER__TAGGER__TYPE as a tagger whose
/// experiment has no name of its own writes it (characters outside A-Z a-z 0-9 _ of tagger and type
/// become _). Other names are whole. Empty for what cannot be a name.
std::string attribute_name(std::string_view given);

class Names {
 public:
  /// The text is field 0.
  explicit Names(std::string text_path = "text");
  /// Index of the field at this dot path. Of a path into attributes, the attribute counts as named.
  i64 field(std::string_view path);
  /// Index of the attribute, by its whole name.
  i64 attribute(std::string_view name);
  /// Index of the selector; attributes that it spells out count as named. Throws Error{kind}
  /// "WHERE: ..." for what is no selector.
  i64 selector(std::string_view text, Syntax syntax, const std::string& where, ErrorKind kind);

  static constexpr i64 kText = 0;
  /// Paths for the JsonReader, by field index.
  const std::vector<std::string>& paths() const { return paths_; }
  const std::vector<std::string>& attributes() const { return attributes_; }
  bool has_attribute(std::string_view name) const {
    return std::find(attributes_.begin(), attributes_.end(), name) != attributes_.end();
  }
  /// The field of an attribute.
  i64 field_of(i64 attribute) const { return fields_[usize(attribute)]; }
  const Selectors& selectors() const { return selectors_; }

 private:
  std::vector<std::string> paths_;
  std::vector<std::string> attributes_;
  std::vector<i64> fields_;  // by attribute
  Selectors selectors_;
};

}  // namespace lm::mix
