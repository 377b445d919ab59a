#pragma once
// Values of a record's JSON, checked: what record.cc reads fields with. Everything throws Bad,
// which RecordReader::read makes a fault of.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "core/str.h"
#include "uq/record.h"

namespace lm::uq {

namespace dom = simdjson::dom;

/// A fault on its way up; caught in read() and nowhere else.
struct Bad {
  const char* code;
  std::string where;  // path inside what is being read
  std::string what;
};

[[noreturn]] void bad(const char* code, std::string_view where, std::string_view what);

/// Reads a part of `outer`, or its element `item`: a fault's path begins there.
template <typename Body>
void within(std::string_view outer, Body body, i64 item = -1) {
  try {
    body();
  } catch (Bad& seen) {
    std::string path(outer);
    if (item >= 0) append(path, "[", item, "]");
    seen.where = cat(path, seen.where.empty() ? "" : ".", seen.where);
    throw;
  }
}

/// Rounding in f32 may lift a log-probability this far above zero, a probability above one.
inline constexpr f64 kRounding = 1e-3;

dom::array array_of(dom::element value, std::string_view where);
dom::object object_of(dom::element value, std::string_view where);
std::string_view text_of(dom::element value, std::string_view where);
f64 number_of(dom::element value, std::string_view where);
/// A whole number from 0.
i64 count_of(dom::element value, std::string_view where);
/// 0 to 1.
f64 probability_of(dom::element value, std::string_view where);
void numbers_of(dom::element value, std::string_view where, std::vector<f64>& out);
/// At least `low`, and at most `high` but for rounding.
void check_range(std::span<const f64> values, f64 low, f64 high, std::string_view where);
void check_log_probability(f64 logp, std::string_view where);
void log_probabilities_of(dom::element value, std::string_view where, std::vector<f64>& out);
/// Numbers nested `depth` deep, all lists of a level of one length.
void table_of(dom::element value, std::string_view where, std::size_t depth, Table& out);
/// `got` tokens where logp has `want`; none on either side is right.
void check_length(std::size_t got, std::size_t want, std::string_view where);
/// A token id.
i64 id_of(dom::element value, std::string_view where);
void ids_of(dom::element value, std::string_view where, std::vector<i64>& out);

}  // namespace lm::uq
