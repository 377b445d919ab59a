// ablate report: scores to an order of sets, with the baseline beside it.

#include <algorithm>

#include "ablate.h"
#include "ablate/ranking.h"
#include "core/str.h"
#include "io/json.h"
#include "io/json_node.h"
#include "merge.h"
#include "streams.h"

namespace lm::merge_tool {

namespace {

enum Field : i64 { kKind, kSet, kEval, kNll, kTokens, kTrainedTokens, kBytesRead };

const std::vector<std::string>& paths() {
  static const std::vector<std::string> kPaths = {
      "kind", "set", "eval", "nll", "tokens", "trained_tokens", "bytes_read"};
  return kPaths;
}

Result<std::vector<std::string>> names_of(io::JsonReader& json) {
  if (!json.has(kSet)) return Fault{"missing", "field \"set\" is missing", -1};
  const io::Json list = io::Json::parse(json.raw(kSet), nullptr, false);
  const bool good =
      list.is_array() && !list.empty() &&
      std::all_of(list.begin(), list.end(), [](const io::Json& one) { return one.is_string(); });
  if (!good) return Fault{"type", "field \"set\" is not an array of names", json.field(kSet).begin};
  std::vector<std::string> names = list.get<std::vector<std::string>>();
  std::sort(names.begin(), names.end());
  return names;
}

Result<ablate::ScoreRow> row_of(io::JsonReader& json) {
  ablate::ScoreRow row;
  const Result<std::string_view> kind = json.string(kKind);
  if (!kind) return kind.fault();
  const std::optional<ablate::ScoreKind> known = ablate::parse_score_kind(*kind);
  if (!known)
    return Fault{"range", cat("kind ", quote(*kind), " is not merged, single or trained"), -1};
  row.kind = *known;
  Result<std::vector<std::string>> names = names_of(json);
  if (!names) return names.fault();
  row.set = std::move(*names);
  const Result<std::string_view> eval = json.string(kEval);
  if (!eval) return eval.fault();
  row.eval = *eval;
  const Result<f64> nll = json.number(kNll);
  if (!nll) return nll.fault();
  row.nll_nats = *nll;
  const Result<i64> tokens = json.integer(kTokens);
  if (!tokens) return tokens.fault();
  row.tokens = *tokens;
  for (const auto& [field, to] :
       {std::pair{kTrainedTokens, &row.trained_tokens}, {kBytesRead, &row.bytes_read}}) {
    if (!json.has(field)) continue;
    const Result<i64> value = json.integer(field);
    if (!value) return value.fault();
    *to = *value;
  }
  return row;
}

// truth: only rows of trained models count.
void read_scores(io::RecordRun& run, bool truth, ablate::Scores& scores) {
  io::JsonReader json(paths());
  run.run({{StageMode::kSerial, [&](io::Batch& batch) {
              run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                const Result<ablate::ScoreRow> row = row_of(record.json);
                if (!row) return row.fault();
                if (!truth || row->kind == ablate::ScoreKind::kTrained) scores.add(*row);
                return std::nullopt;
              });
            }}});
}

}  // namespace

void run_ablate_report(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  refuse_options(tool, {"compress", "seekable"}, "prints text");
  ablate::Scores scores;
  read_scores(tool.records_only(), false, scores);
  if (options.given("truth")) {
    io::InputStream input(input_options(options, options.text("truth")), tool.ctx());
    io::RecordRun run(input, nullptr, nullptr, {}, tool.ctx(), tool.counters());
    read_scores(run, true, scores);
  }
  const ablate::Ranking ranking = scores.rank(options.on("allow-mixed-sizes"));
  tool.add_metric("sets", cat(ranking.overall.sets.size()));
  tool.add_metric("trained_sets", cat(ranking.overall.truths));
  print(tool, options.on("json")
                  ? ablate::ranking_json(ranking, options.on("cost"))
                  : ablate::ranking_text(ranking, options.on("cost"), options.integer("top")));
}

}  // namespace lm::merge_tool
