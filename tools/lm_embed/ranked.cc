#include "ranked.h"

#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "stat/rank.h"

namespace lm::embed_tool {
namespace {

std::string number(f64 value) {
  std::string out;
  io::append_json_number(out, value);
  return out;
}

std::string scores_json(const embed::LayerScore& s, const Metrics& metrics) {
  std::string out;
  if (metrics.cos)
    append(out, "\"cos\":", number(s.cos), ",\"corrected\":", number(s.corrected),
           ",\"anisotropy\":", number(s.anisotropy));
  if (metrics.mexa) append(out, out.empty() ? "" : ",", "\"mexa\":", number(s.mexa));
  return out;
}

}  // namespace

std::map<std::string, f64> read_shares(const std::string& path) {
  std::map<std::string, f64> out;
  const std::string content = io::read_file(path, i64{64} << 20);
  i64 number = 0;
  for (std::string_view line : split(content, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    const std::optional<f64> share =
        tab == std::string_view::npos ? std::nullopt : parse_float(line.substr(tab + 1));
    if (!share || !(*share > 0) || !std::isfinite(*share))
      throw Error(ErrorKind::kData, cat(path, ":", number,
                                        ": expected LANG, a tab and a share above "
                                        "0, found ",
                                        quote(line)));
    if (!out.emplace(line.substr(0, tab), *share).second)
      throw Error(ErrorKind::kData,
                  cat(path, ":", number, ": ", quote(line.substr(0, tab)), " stands there twice"));
  }
  return out;
}

f64 score_of(const embed::LayerScore& score, const std::string& name) {
  return name == "mexa" ? score.mexa : name == "corrected" ? score.corrected : score.cos;
}

std::string correlation(const std::vector<Ranked>& languages, const std::string& name,
                        std::string& summary) {
  std::vector<f64> scores;
  std::vector<f64> shares;
  for (const Ranked& one : languages) {
    const f64 score = score_of(one.all, name);
    if (!one.share || std::isnan(score)) continue;
    scores.push_back(score);
    shares.push_back(std::log10(*one.share));
  }
  const f64 spearman = stat::spearman(stat::Ranking(scores), stat::Ranking(shares));
  const f64 pearson = stat::pearson(scores, shares);
  if (!std::isnan(spearman))
    append(summary, summary.empty() ? "" : ", ", name, " ", format_fixed(spearman, 3));
  return cat("{\"languages\":", scores.size(), ",\"spearman\":", number(spearman),
             ",\"pearson\":", number(pearson), "}");
}

Metrics metrics_of(const cli::Options& options) {
  Metrics out;
  for (const std::string_view name : split(options.text("metric"), ',')) {
    if (name != "cos" && name != "mexa")
      throw Error(ErrorKind::kUsage, cat("--metric: ", quote(name), " is not cos or mexa"));
    (name == "cos" ? out.cos : out.mexa) = true;
  }
  for (const char* const name : {"mexa-pool", "mexa-pairs", "mexa-layers"})
    if (!out.mexa && options.asked(name))
      throw Error(ErrorKind::kUsage, cat("--", name, " needs mexa among --metric"));
  const std::string& by = options.text("rank-by");
  if (by == "mexa" ? !out.mexa : !out.cos)
    throw Error(ErrorKind::kUsage,
                cat("--rank-by ", by, " is not among --metric ", options.text("metric")));
  return out;
}

std::string line_of(const Ranked& one, i64 rank, const std::vector<i64>& layers,
                    const Metrics& metrics) {
  std::string out = cat("{\"rank\":", rank, ",\"lang\":", io::json_string(one.lang), ",",
                        scores_json(one.all, metrics), ",\"pairs\":", one.pairs);
  if (metrics.mexa) append(out, ",\"mexa_pairs\":", one.mexa_pairs);
  append(out, ",\"skipped\":{\"short\":", one.skipped.short_text,
         ",\"unpaired\":", one.skipped.unpaired, ",\"refused\":", one.skipped.refused, "}");
  if (one.share) append(out, ",\"share\":", number(*one.share));
  append(out, ",\"layers\":[");
  for (std::size_t l = 0; l < layers.size(); ++l)
    append(out, l > 0 ? "," : "", "{\"layer\":", layers[l], ",",
           scores_json(one.layers[l], metrics), "}");
  return out + "]}\n";
}

}  // namespace lm::embed_tool
