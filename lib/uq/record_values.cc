#include "uq/record_values.h"

#include <cmath>

namespace lm::uq {

void bad(const char* code, std::string_view where, std::string_view what) {
  throw Bad{code, std::string(where), std::string(what)};
}

namespace {

const char* type_name(dom::element value) {
  switch (value.type()) {
    case dom::element_type::ARRAY:
      return "an array";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

// Numbers nested `depth` deep, all lists of a level of one length.
void table_level(dom::element value, std::string_view where, std::size_t depth, Table& out) {
  const dom::array items = array_of(value, where);
  const i64 n = static_cast<i64>(items.size());
  const std::size_t level = out.shape.size() - depth;
  if (out.shape[level] < 0) out.shape[level] = n;
  if (out.shape[level] != n)
    bad("shape", where, cat("has lists of ", out.shape[level], " and of ", n));
  for (const dom::element item : items) {
    if (depth == 1) {
      out.values.push_back(number_of(item, where));
    } else {
      table_level(item, where, depth - 1, out);
    }
  }
}

}  // namespace

dom::array array_of(dom::element value, std::string_view where) {
  dom::array out;
  if (value.get(out) != simdjson::SUCCESS)
    bad("type", where, cat("is ", type_name(value), ", expected an array"));
  return out;
}

dom::object object_of(dom::element value, std::string_view where) {
  dom::object out;
  if (value.get(out) != simdjson::SUCCESS)
    bad("type", where, cat("is ", type_name(value), ", expected an object"));
  return out;
}

std::string_view text_of(dom::element value, std::string_view where) {
  std::string_view out;
  if (value.get(out) != simdjson::SUCCESS)
    bad("type", where, cat("is ", type_name(value), ", expected a string"));
  return out;
}

f64 number_of(dom::element value, std::string_view where) {
  f64 out = 0;
  if (value.get(out) != simdjson::SUCCESS)
    bad("type", where, cat("is ", type_name(value), ", expected a number"));
  return out;
}

i64 count_of(dom::element value, std::string_view where) {
  i64 out = 0;
  if (value.get(out) != simdjson::SUCCESS || out < 0)
    bad("type", where, "expected a whole number from 0");
  return out;
}

f64 probability_of(dom::element value, std::string_view where) {
  const f64 p = number_of(value, where);
  if (!(p >= 0 && p <= 1)) bad("range", where, cat("is ", p, ", expected 0 to 1"));
  return p;
}

void check_range(std::span<const f64> values, f64 low, f64 high, std::string_view where) {
  for (const f64 v : values) {
    if (v >= low && v <= high + kRounding) continue;
    bad("range", where,
        !std::isfinite(low)    ? cat("has ", v, ", expected at most ", high)
        : !std::isfinite(high) ? cat("has ", v, ", expected at least ", low)
                               : cat("has ", v, ", expected ", low, " to ", high));
  }
}

void numbers_of(dom::element value, std::string_view where, std::vector<f64>& out) {
  const dom::array items = array_of(value, where);
  out.clear();
  out.reserve(items.size());
  for (const dom::element item : items)
    out.push_back(number_of(item, where));
}

void check_log_probability(f64 logp, std::string_view where) {
  if (!(logp <= kRounding)) bad("range", where, cat("has ", logp, ", expected at most 0"));
}

void log_probabilities_of(dom::element value, std::string_view where, std::vector<f64>& out) {
  numbers_of(value, where, out);
  for (const f64 logp : out)
    check_log_probability(logp, where);
}

void table_of(dom::element value, std::string_view where, std::size_t depth, Table& out) {
  out.values.clear();
  out.shape.assign(depth, -1);
  table_level(value, where, depth, out);
}

void check_length(std::size_t got, std::size_t want, std::string_view where) {
  if (got != 0 && want != 0 && got != want)
    bad("shape", where, cat("has ", got, " tokens, logp has ", want));
}

i64 id_of(dom::element value, std::string_view where) {
  i64 id = 0;
  if (value.get(id) != simdjson::SUCCESS || id < 0)
    bad("type", where, "expected token ids, whole numbers from 0");
  return id;
}

void ids_of(dom::element value, std::string_view where, std::vector<i64>& out) {
  for (const dom::element item : array_of(value, where)) {
    out.push_back(id_of(item, where));
  }
}

}  // namespace lm::uq
