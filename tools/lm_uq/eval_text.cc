#include "eval_text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::uq_tool {

namespace {

std::string fixed(f64 value, int digits) {
  return std::isnan(value) ? "-" : format_fixed(value, digits);
}

std::string measured_text(const uq::Measured& m, int digits) {
  std::string out = fixed(m.value, digits);
  if (!std::isnan(m.interval.low))
    append(out, " [", fixed(m.interval.low, digits), ", ", fixed(m.interval.high, digits), "]");
  return out;
}

std::string measured_json(const uq::Measured& m) {
  std::string out = "{\"value\":";
  io::append_json_number(out, m.value);
  if (m.interval.defined > 0) {
    out += ",\"low\":";
    io::append_json_number(out, m.interval.low);
    out += ",\"high\":";
    io::append_json_number(out, m.interval.high);
  }
  return out + "}";
}

std::string number_json(f64 value) {
  std::string out;
  io::append_json_number(out, value);
  return out;
}

std::string temperatures_text(const std::vector<f64>& temperatures, const char* separator) {
  std::string out;
  for (const f64 t : temperatures)
    append(out, out.empty() ? "" : separator, t);
  return out;
}

}  // namespace

std::vector<i64> best_first(const uq::Evaluation& evaluation, const uq::EvalOptions& options) {
  std::vector<i64> order(evaluation.estimators.size());
  std::iota(order.begin(), order.end(), i64{0});
  if (options.chosen.empty()) return order;
  const auto goodness = [&](i64 i) {
    const f64 value = evaluation.estimators[usize(i)].values[0].value;
    if (std::isnan(value)) return -std::numeric_limits<f64>::infinity();
    return options.chosen[0]->larger_is_better ? value : -value;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](i64 a, i64 b) { return goodness(a) > goodness(b); });
  return order;
}

std::string result_table(const EvalResult& result, const uq::EvalOptions& options) {
  const uq::Evaluation& evaluation = result.evaluation;
  std::string out =
      cat(evaluation.questions, " questions, ", fixed(100 * evaluation.accuracy, 1), " % right");
  if (result.temperature) append(out, ", at temperature ", *result.temperature);
  for (const auto& [code, count] : result.left_out)
    append(out, code == result.left_out.begin()->first ? "; left out: " : ", ", count, " ", code);
  out += "\n\n";
  std::vector<std::vector<std::string>> rows = {{"estimator", "generations", "questions"}};
  for (const uq::Metric* metric : options.chosen)
    rows[0].emplace_back(metric->name);
  for (const i64 i : best_first(evaluation, options)) {
    const uq::EstimatorResult& one = evaluation.estimators[usize(i)];
    std::vector<std::string>& row = rows.emplace_back();
    row = {one.name, fixed(one.generations, one.generations == std::floor(one.generations) ? 0 : 1),
           cat(one.questions)};
    for (const uq::Measured& value : one.values)
      row.push_back(measured_text(value, 3));
  }
  out += tool_options::aligned_table(rows);
  if (!evaluation.differences.empty()) {
    rows = {{"difference", "metric", "value"}};
    for (const uq::Difference& d : evaluation.differences)
      rows.push_back({cat(d.first, " - ", d.second), options.chosen[usize(d.metric)]->name,
                      measured_text(d.value, 3)});
    append(out, "\n", tool_options::aligned_table(rows));
  }
  if (!result.tsu.empty()) {
    append(out, "\nscores that rise with temperature (", temperatures_text(result.compared, " < "),
           "), % of ids; chance ", fixed(result.tsu[0].share.chance_percent, 1), " %\n");
    rows = {{"estimator", "ids", "tsu", "tied"}};
    for (const uq::TsuResult& one : result.tsu)
      rows.push_back({one.name, cat(one.share.items),
                      measured_text({one.share.percent, one.interval}, 1),
                      fixed(one.share.tied_percent, 1)});
    out += tool_options::aligned_table(rows);
  }
  return out;
}

std::string result_json(const EvalResult& result, const uq::EvalOptions& options) {
  const uq::Evaluation& evaluation = result.evaluation;
  std::string left_out;
  for (const auto& [code, count] : result.left_out)
    append(left_out, left_out.empty() ? "" : ",", io::json_string(code), ":", count);
  std::string out = cat("{\"questions\":", evaluation.questions, ",\"left_out\":{", left_out,
                        "},\"accuracy\":", number_json(evaluation.accuracy),
                        ",\"mean_quality\":", number_json(evaluation.mean_quality));
  if (result.temperature) append(out, ",\"temperature\":", *result.temperature);
  out += ",\"estimators\":[";
  for (const uq::EstimatorResult& one : evaluation.estimators) {
    append(out, out.back() == '[' ? "" : ",", "{\"name\":", io::json_string(one.name),
           ",\"questions\":", one.questions, ",\"generations\":", number_json(one.generations),
           ",\"metrics\":{");
    for (std::size_t k = 0; k < one.values.size(); ++k)
      append(out, k > 0 ? "," : "", io::json_string(options.chosen[k]->name), ":",
             measured_json(one.values[k]));
    out += "}}";
  }
  out += "]";
  if (options.differences) {
    out += ",\"differences\":[";
    for (const uq::Difference& d : evaluation.differences)
      append(out, out.back() == '[' ? "" : ",", "{\"first\":", io::json_string(d.first),
             ",\"second\":", io::json_string(d.second),
             ",\"metric\":", io::json_string(options.chosen[usize(d.metric)]->name),
             ",\"difference\":", measured_json(d.value), "}");
    out += "]";
  }
  if (!result.compared.empty()) {
    append(out, ",\"temperatures\":[", temperatures_text(result.compared, ","), "],\"tsu\":[");
    for (const uq::TsuResult& one : result.tsu)
      append(out, out.back() == '[' ? "" : ",", "{\"name\":", io::json_string(one.name),
             ",\"ids\":", one.share.items,
             ",\"percent\":", measured_json({one.share.percent, one.interval}),
             ",\"tied_percent\":", number_json(one.share.tied_percent),
             ",\"chance_percent\":", number_json(one.share.chance_percent), "}");
    out += "]";
  }
  return out + "}";
}

}  // namespace lm::uq_tool
