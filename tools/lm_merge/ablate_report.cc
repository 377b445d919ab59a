// ablate report: scores to an order of sets, with the baseline beside it.

#include <algorithm>

#include "ablate.h"
#include "ablate/ranking.h"
#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"
#include "io/json_node.h"
#include "streams.h"

namespace lm::merge_tool {

namespace {

constexpr f64 kMostNats = 1e6;  // a token; whatever predicts anything loses far less

enum Field : i64 { kKind, kSet, kEval, kNll, kTokens, kTrainedTokens, kBytesRead, kSize };

const std::vector<std::string>& paths() {
  static const std::vector<std::string> kPaths = {
      "kind", "set", "eval", "nll", "tokens", "trained_tokens", "bytes_read", "size"};
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
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    return Fault{"range", cat("field \"set\" has ", quote(*twice), " twice"),
                 json.field(kSet).begin};
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
  if (json.has(kSize)) {
    const Result<i64> size = json.integer(kSize);
    if (!size) return size.fault();
    if (*size != isize(row.set))
      return Fault{"range", cat("size ", *size, " is not that of the set, ", row.set.size()),
                   json.field(kSize).begin};
  }
  const Result<std::string_view> eval = json.string(kEval);
  if (!eval) return eval.fault();
  row.eval = *eval;
  const Result<f64> nll = json.number(kNll);
  if (!nll) return nll.fault();
  if (!(*nll >= 0 && *nll <= kMostNats))
    return Fault{"range", cat("nll ", *nll, " is not from 0 to ", kMostNats, " nats a token"),
                 json.field(kNll).begin};
  row.nll_nats = *nll;
  const Result<i64> tokens = json.integer(kTokens);
  if (!tokens) return tokens.fault();
  if (*tokens < 1)
    return Fault{"range", cat("tokens ", *tokens, ": expected at least 1"),
                 json.field(kTokens).begin};
  row.tokens = *tokens;
  for (const auto& [field, to] :
       {std::pair{kTrainedTokens, &row.trained_tokens}, {kBytesRead, &row.bytes_read}}) {
    if (!json.has(field)) continue;
    const Result<i64> value = json.integer(field);
    if (!value) return value.fault();
    if (*value < 0)
      return Fault{"range", cat(json.path(field), " ", *value, ": expected at least 0"),
                   json.field(field).begin};
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
  tool_options::refuse_output_options(tool);
  tool.input();
  tool_options::TextOutput out(tool);
  ablate::Scores scores;
  read_scores(tool.records_only(), false, scores);
  if (options.given("truth")) {
    io::InputStream input(input_options(options, options.text("truth")), tool.ctx());
    io::RecordRun run(input, nullptr, nullptr, {}, tool.ctx(), tool.counters());
    without_policy_hint([&] { read_scores(run, true, scores); });
  }
  const ablate::Ranking ranking = scores.rank(options.on("allow-mixed-sizes"));
  tool.add_metric("sets", cat(ranking.overall.sets.size()));
  tool.add_metric("trained_sets", cat(ranking.overall.truths));
  out.write(options.on("json")
                ? ablate::ranking_json(ranking, options.on("cost"))
                : ablate::ranking_text(ranking, options.on("cost"), options.integer("top")));
}

}  // namespace lm::merge_tool
