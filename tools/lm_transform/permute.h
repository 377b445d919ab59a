#pragma once
// What the two directions of permute share.

#include <memory>
#include <string>
#include <vector>

#include "io/run.h"
#include "text/tokenizer.h"
#include "transform/permute.h"

namespace lm::transform_tool {

namespace tf = lm::transform;

enum class UnitsFrom : u8 { kRules, kChunks, kSurprisal };

struct PermuteSetup {
  tf::PermuteRules rules;
  std::string how;  // --permute
  UnitsFrom units_from = UnitsFrom::kRules;
  bool ids = false;  // --level token
  bool meta = true;
  bool unique_ids = false;
  i64 orders = 1;
  i64 epoch = 0;
  u64 seed = 0;
  const text::Tokenizer* tokenizer = nullptr;
  std::vector<std::string> paths;
};

/// Places in PermuteSetup::paths.
enum PermuteField : i64 { kId, kProduct, kMeta, kUnits };

/// Undoes a permutation by what --meta-field says (restore.cc). setup outlives it.
std::unique_ptr<io::RecordMapper> make_restorer(const PermuteSetup& setup);

}  // namespace lm::transform_tool
