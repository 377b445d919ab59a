#pragma once
// lm-decode score: results as JSON.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "decode/prompt.h"
#include "decode/score.h"
#include "io/json.h"

namespace lm::decode_tool {

/// The texts of a list of strings, or of objects with a "text" (what generate writes), appended to
/// out; cut, if given, gets 1 for those that a limit has ended ("length", "context"), else 0. Fault
/// "type" or "range" (an empty list).
std::optional<Fault> read_texts(simdjson::dom::parser& parser, const io::JsonReader& json,
                                i64 field, std::vector<std::string>& out,
                                std::vector<u8>* cut = nullptr);
/// The same of one such object.
std::optional<Fault> read_completion(simdjson::dom::parser& parser, const io::JsonReader& json,
                                     i64 field, std::vector<std::string>& out,
                                     std::vector<u8>& cut);

/// A part in three numbers.
struct Figures {
  i64 tokens = 0;  // scored ones
  i64 bytes = 0;
  f64 sum = 0;  // log-probability
};

/// What one text, completion or choice came to.
struct Part {
  decode::ScoredTokens tokens;
  decode::BranchScore score;
  Figures figures() const;
};

/// The figures of the parts in a line that this program wrote; listed: of "scores", else "score".
/// Throws Error{kData} if the line has none.
std::vector<Figures> figures_of(std::string_view line, bool listed);

/// Totals of many parts, for the report.
struct Sums {
  i64 records = 0;
  i64 tokens = 0;
  i64 bytes = 0;
  f64 nats = 0;
  void add(const Figures& part);
  /// {"records","tokens","bytes","nats","ppl","bits_per_byte"}; null where there is nothing to
  /// divide by.
  std::string json() const;
};

struct Detail {
  bool tokens = false;  // ids and log-probabilities
  bool top = false;     // likeliest tokens
};

/// [[[id,logprob],...],...] by position.
std::string top_json(const std::vector<std::vector<decode::TokenLogprob>>& top);

/// "sum","mean","tokens","bytes","ppl","bits_per_byte" and their values: members of an object.
std::string figures_json(const Figures& figures);
std::string part_json(const Part& part, const Detail& detail);

/// {"sum":i,"mean":i,"byte":i}: the best choice by sum, by mean per token and by mean per byte;
/// ties go to the first.
std::string best_json(const std::vector<Figures>& parts);

}  // namespace lm::decode_tool
