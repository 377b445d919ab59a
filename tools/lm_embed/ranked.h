#pragma once
// A ranked language, and what is written of it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "embed/language_rank.h"

namespace lm::embed_tool {

/// Sentences of a language that no pair came of, by reason.
struct Skipped {
  i64 short_text = 0;  // empty, or one token
  i64 unpaired = 0;    // nothing usable in the pivot
  i64 refused = 0;     // the tokenizer does not take the text
};

struct Ranked {
  std::string lang;
  i64 pairs = 0;
  i64 mexa_pairs = 0;
  Skipped skipped;
  std::vector<embed::LayerScore> layers;
  embed::LayerScore all;  // over the layers
  std::optional<f64> share;
};

/// Lines "LANG<tab>SHARE"; "#" begins a comment. Throws Error{kData} naming the line.
std::map<std::string, f64> read_shares(const std::string& path);

/// "cos", "corrected" or "mexa".
f64 score_of(const embed::LayerScore& score, const std::string& name);

/// What --metric names.
struct Metrics {
  bool cos = false;
  bool mexa = false;
};
/// Throws Error{kUsage}, also where --rank-by needs another one.
Metrics metrics_of(const cli::Options& options);

/// The record, with its newline.
std::string line_of(const Ranked& one, i64 rank, const std::vector<i64>& layers,
                    const Metrics& metrics);

/// Of one score with the logarithms of the shares, over the languages that have both, as JSON.
/// Appends Spearman's to the summary.
std::string correlation(const std::vector<Ranked>& languages, const std::string& name,
                        std::string& summary);

}  // namespace lm::embed_tool
