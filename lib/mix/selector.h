#pragma once
// Filters in the languages of other mixers, JSONPath and jq, over whole records: what they lead to,
// as a truth, as JSON texts.
// Thread rule: Selectors are read-only once filled; a Selection is a worker's own.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "mix/jq.h"
#include "mix/json_path.h"

namespace lm::mix {

enum class Syntax : u8 { kJsonPath, kJq };

/// A run's selectors, each once.
class Selectors {
 public:
  /// Index of the selector. Throws Error{kind} "WHERE: ..." for what is none.
  i64 add(std::string_view text, Syntax syntax, const std::string& where, ErrorKind kind);

  i64 size() const { return isize(all_); }
  const std::string& text(i64 i) const { return all_[usize(i)].text; }
  /// Names of attributes that it spells out.
  std::vector<std::string> attributes(i64 i) const;
  const std::vector<std::string>& jq() const { return jq_; }

 private:
  friend class Selection;
  struct One {
    std::string text;
    Syntax syntax;
    std::optional<JsonPath> path;
    i64 jq = -1;  // among the jq filters
  };
  std::vector<One> all_;
  std::vector<std::string> jq_;
};

/// The dot path that a selector is, if it is one of names alone.
std::optional<std::string> selector_fields(std::string_view text, Syntax syntax,
                                           const std::string& where, ErrorKind kind);

/// What selectors find in the record at hand; it is read when the first of them asks.
class Selection {
 public:
  /// selectors: complete and outlives this.
  explicit Selection(const Selectors& selectors);
  ~Selection();
  Selection(Selection&&) noexcept;
  Selection& operator=(Selection&&) noexcept;

  /// Begins a record: a line with kJsonPadding readable bytes behind it, which outlives its use.
  void open(std::string_view line);
  /// Whether the selector picks the record. JSONPath: it leads to something. jq: it gives values,
  /// and all are true, or one is where any is set. Faults: jq, json, range (JSONPath: a whole
  /// number of more than 64 bits), utf8.
  Result<bool> picks(i64 selector, bool any);
  /// What it leads to, as JSON.
  Result<std::vector<std::string>> values(i64 selector);

 private:
  struct State;
  std::optional<Fault> read_tree();
  std::optional<Fault> read_jq();

  const Selectors* selectors_;
  std::unique_ptr<State> state_;
};

}  // namespace lm::mix
