#pragma once
// A JSON Schema as places that say something about a value: looking up keywords, following
// references, forming complements. Every place knows its pointer, so that every refusal names it.

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/json_schema.h"
#include "io/json_node.h"

namespace lm::grammar {

// What complements need and JSON Schema has no word for. Texts cannot contain them by accident.
inline constexpr const char* kBroken =
    "\x01"
    "broken";  // a number that is not whole
inline constexpr const char* kNotPattern =
    "\x01"
    "notPattern";  // a string without match
inline constexpr const char* kNotStrings =
    "\x01"
    "notStrings";  // a string that is none of these
inline constexpr const char* kNotMultipleOf =
    "\x01"
    "notMultipleOf";

class SchemaDocument {
 public:
  /// schema, options and warnings outlive this.
  SchemaDocument(const io::Json& schema, const SchemaOptions& options,
                 std::vector<std::string>& warnings);

  i32 root() const { return 0; }
  const io::Json& schema(i32 site) const { return *sites_[usize(site)].schema; }
  const std::string& pointer(i32 site) const { return sites_[usize(site)].pointer; }

  /// The value of a keyword; null if it is absent or left out under `lenient`.
  const io::Json* get(i32 site, const char* key) const;
  std::optional<i64> count(i32 site, const char* key) const;
  /// The schema that is the value of a keyword, or an element or field of it.
  i32 at(i32 site, const char* key);
  i32 at(i32 site, const char* key, std::size_t index);
  i32 at(i32 site, const char* key, const std::string& name);
  /// Where $ref leads.
  i32 reference(i32 site);
  /// Schemas for items: the i-th of the first ones, and that of the rest, if there are any.
  std::size_t prefix_size(i32 site) const;
  i32 prefix(i32 site, std::size_t index);
  std::optional<i32> rest_items(i32 site);

  /// A schema that is not in the document, about the value that `site` is about.
  i32 make(io::Json schema, i32 site);
  /// The schema of exactly the values that site does not allow. Refuses what cannot be expressed.
  i32 negated(i32 site) { return make(complement(site, 0), site); }
  /// Allows everything, or nothing.
  bool trivial(i32 site) const;
  bool impossible(i32 site) const;

  /// "schema POINTER/key: what".
  [[noreturn]] void fail(i32 site, std::string_view key, std::string_view what) const;
  /// The same, or a warning where that is wanted.
  void give_up(i32 site, std::string_view key, std::string_view what);
  bool lenient() const { return options_.lenient; }

 private:
  struct Site {
    const io::Json* schema;
    std::string pointer;
    std::vector<std::string> ignored;  // keywords
  };
  i32 add(const io::Json& schema, std::string pointer);
  void check(i32 site);
  void find_anchors(const io::Json& at, const std::string& pointer);
  const io::Json* resolve(std::string_view fragment, std::string& pointer) const;
  io::Json complement(i32 site, int depth);
  void complement_numbers(i32 site, std::vector<io::Json>& out);
  void complement_strings(i32 site, std::vector<io::Json>& out);
  void complement_arrays(i32 site, int depth, std::vector<io::Json>& out);
  void complement_objects(i32 site, int depth, std::vector<io::Json>& out);
  void complement_values(i32 site, std::vector<io::Json>& out);
  void complement_logic(i32 site, int depth, std::vector<io::Json>& out);

  const io::Json& document_;
  const SchemaOptions& options_;
  std::vector<std::string>& warnings_;
  std::deque<Site> sites_;
  std::map<const io::Json*, i32> known_;
  std::deque<io::Json> made_;
  std::map<std::string, std::pair<const io::Json*, std::string>, std::less<>> anchors_;
  std::vector<std::string> resources_;  // pointers of inner schemas with an $id
};

/// A name inside a pointer.
std::string pointer_name(std::string_view name);

}  // namespace lm::grammar
