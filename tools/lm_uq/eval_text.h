#pragma once
// What eval found, as a table and as JSON.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uq/evaluate.h"

namespace lm::uq_tool {

struct EvalResult {
  uq::Evaluation evaluation;
  std::map<std::string, i64> left_out;  // bad records by their fault's code
  std::optional<f64> temperature;       // whose answers were judged, if there are several
  std::vector<f64> compared;            // temperatures of tsu
  std::vector<uq::TsuResult> tsu;
};

/// Numbers of the estimators, best by the first metric first; undefined ones last.
std::vector<i64> best_first(const uq::Evaluation& evaluation, const uq::EvalOptions& options);

std::string result_table(const EvalResult& result, const uq::EvalOptions& options);
/// {"questions","left_out":{CODE:count},"accuracy","mean_quality","temperature","estimators":[{"name","questions",
/// "generations","metrics":{NAME:{"value","low","high"}}}],"differences":[..],"tsu":[..]}
std::string result_json(const EvalResult& result, const uq::EvalOptions& options);

}  // namespace lm::uq_tool
