#pragma once
// A YAML file as values that know where they stand, so that every complaint about a task or a
// recipe names file and line. JSON is YAML. Plain scalars have the types of YAML 1.1 (yes and no
// are booleans), as other readers of such files have them.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/value.h"

namespace lm::text {

struct ConfigField;

struct ConfigNode {
  std::string where;                // "FILE:LINE"
  Value value;                      // the whole content below
  std::vector<ConfigField> fields;  // of a map
  std::vector<ConfigNode> items;    // of a list

  /// Throws Error{kConfig} "FILE:LINE: what".
  [[noreturn]] void fail(const std::string& what, const std::string& hint = {}) const;

  /// The field, or null if it is absent or null.
  const ConfigNode* find(std::string_view key) const;
  /// Refuses fields that are not listed; what: "a task", for the message.
  void only(std::initializer_list<const char*> known, const char* what) const;

  /// What stands here, for messages: "nothing", "true", "3", the text in quotes, "a list", "keys".
  std::string shown() const;

  // The value as a type; fail() says what stands there instead.
  std::string text() const;  // numbers and booleans as they print
  i64 whole(i64 least) const;
  f64 number() const;
  bool flag() const;
  /// A list of texts, or one text.
  std::vector<std::string> texts() const;
};

struct ConfigField {
  std::string key;
  ConfigNode node;
};

/// Reads one document. Throws Error{kNoInput} and Error{kConfig}: what is no YAML, keys that stand
/// twice or are no words, tags (no code of other languages runs here), more than a million nodes.
ConfigNode read_config(const std::string& path);
/// The same of a text; name: of the file in messages.
ConfigNode parse_config(std::string_view text, const std::string& name);

}  // namespace lm::text
