#pragma once
// The models of a run of lm-decode.

#include <memory>
#include <vector>

#include "adapters.h"
#include "cli/tool.h"
#include "decode/draft_ngram_model.h"
#include "decode/session.h"

namespace lm::decode_tool {

struct Models {
  std::unique_ptr<decode::Session> main;              // --model
  std::shared_ptr<decode::Session> second;            // --draft-model or --small-model, else null
  bool both_write = false;                            // the second one shapes results
  std::shared_ptr<const decode::TokenNgrams> ngrams;  // --draft-model, else null

  /// Of what shapes results (Session::key).
  std::vector<u64> keys() const;
};

/// Opens them within --memory, the adapters beside the main one. Throws Error{kUsage} where a
/// folder is missing on the command line, Error{kData} when their tokenizers differ, and what
/// Session and TokenNgrams throw.
Models open_models(cli::Tool& tool, const Adapters& adapters);

}  // namespace lm::decode_tool
