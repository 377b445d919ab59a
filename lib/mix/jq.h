#pragma once
// Filters in the language of jq, through libjq. All of a run's filters are one program, because
// making a machine costs up to 0.1 s, most of it jq's own library: each worker makes one. Slow
// beside the other filters: every record is parsed into a tree of its own. Of libjq's results the
// order and the number of values count; numbers are f64.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "core/types.h"

namespace lm::mix {

/// Values of one filter for one record; the record of more is a bad one.
inline constexpr i64 kMostJqValues = 1'000'000;

/// What a filter gave for a record.
struct JqFound {
  i64 count = 0;
  bool all_true = true;  // neither null, false, 0, "", [] nor {}
  bool any_true = false;
};

/// Filters that are checked alone and run together. One per worker thread.
class JqMachine {
 public:
  /// filters: that check_jq() has passed. Throws Error{kUsage} for those that import modules.
  explicit JqMachine(const std::vector<std::string>& filters);
  ~JqMachine();
  JqMachine(const JqMachine&) = delete;
  JqMachine& operator=(const JqMachine&) = delete;

  /// Runs all filters on the record. Faults: "jq" for an error that a filter raises and for too
  /// many values, "json" for what libjq cannot read (more than 256 levels).
  std::optional<Fault> run(std::string_view line);
  /// Of the record at hand.
  JqFound found(i64 filter) const;
  /// The values as JSON.
  std::vector<std::string> values(i64 filter) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Throws Error{kind} "WHERE: REASON" for what is no jq filter.
void check_jq(std::string_view filter, const std::string& where, ErrorKind kind);

/// Names of attributes that a filter spells out: .attributes.NAME, .attributes["NAME"], with and
/// without question marks.
std::vector<std::string> jq_attributes(std::string_view filter);
/// "a.b" of .a.b and .a?.b?: where it is names alone.
std::optional<std::string> jq_fields(std::string_view filter);

}  // namespace lm::mix
