#pragma once
// What a run counts, in words: enough to read and print partial results, without the compiled form
// (observer.h). Two runs can be added up if their plans are the same.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "io/json_node.h"

namespace lm::census {

/// A field as values to count: "PATH", or "host(PATH)" or "suffix(PATH)" of a URL.
struct FieldKey {
  enum class Part { kWhole, kHost, kSuffix };
  Part part = Part::kWhole;
  std::string path;
  /// where: what messages begin with. Throws Error{kUsage}.
  static FieldKey parse(std::string_view text, std::string_view where);
};

/// The host of a URL with or without scheme, in lower case (ASCII), without user, port, a final dot
/// and one leading "www."; empty if there is none. out: scratch and result.
std::string_view host_of(std::string_view url, std::string& out);
/// The last label of a host that is a name: its top-level domain. Empty for addresses.
std::string_view suffix_of(std::string_view host);

struct RuleLabel {
  std::string name;
  std::string kind;  // "where", "drop"
  std::string expression;
};

/// Bins of a number by its name: below edges[0], from edges[i] on and below edges[i + 1], and from
/// the last edge on.
struct EdgeLabel {
  std::string name;
  std::vector<f64> edges;  // ascending
  /// "NAME=E1,E2,...". Throws Error{kUsage}.
  static EdgeLabel parse(std::string_view text);
  /// 0 to edges.size().
  i64 bin(f64 value) const;
};

struct Plan {
  std::string field = "text";
  bool discover = true;              // numbers of fields and attributes as they come
  std::vector<std::string> numbers;  // names of those asked for
  std::vector<std::string> number_expressions;
  std::vector<EdgeLabel> edges;
  std::vector<std::string> tops;   // FieldKeys
  std::string group;               // a FieldKey; empty: none
  std::vector<std::string> cross;  // two FieldKeys, or none
  std::vector<RuleLabel> rules;
  std::string on_missing = "false";
  std::string tokens;  // an expression; empty: not counted
  i64 examples = 0;    // of each rule and bin
  i64 extract = 300;   // characters of each
  bool exact = false;
  i64 values = 100'000;  // entries of a Tally
  i64 ids = 1'000'000;   // of Repeats
  u64 seed = 0;
  std::vector<std::string> attributes;  // whole names that have to be in some record

  /// One object; the same plan gives the same text.
  std::string json() const;
  /// Throws Error{kData} naming what is wrong.
  static Plan read(const io::JsonNode& node);
};

}  // namespace lm::census
