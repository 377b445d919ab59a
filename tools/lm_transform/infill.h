#pragma once
// What the two directions of infill share.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/run.h"
#include "text/infill_format.h"
#include "text/tokenizer.h"
#include "transform/infill.h"
#include "transform/infill_text.h"

namespace lm::transform_tool {

namespace tf = lm::transform;

struct InfillSetup {
  tf::InfillRules rules;
  std::string format;             // its name, or "file"
  bool loss_on_fillings = false;  // variant B
  bool loss_mask = true;
  bool meta = true;
  bool drop_text = false;
  i64 most = 0;  // tokens of a row; 0: no limit
  i64 epoch = 0;
  u64 seed = 0;
  // Either rows of ids,
  const text::Tokenizer* tokenizer = nullptr;
  text::InfillTokens tokens;
  // or of text.
  std::optional<tf::InfillText> as_text;
  std::vector<std::string> paths;

  bool masks() const {
    return (as_text ? as_text->tokens() : tokens).layout == text::InfillLayout::kMasks;
  }
};

/// Places in InfillSetup::paths.
enum InfillField : i64 {
  kInfillId,
  kInfillText,
  kInfillMeta,
  kInfillIds,
  kInfillMask,
  kInfillPrefix
};

/// Counts over all worker threads, for the report.
struct InfillTotals {
  std::atomic<i64> causal{0};
  std::atomic<i64> prefix{0};
  std::atomic<i64> infill{0};
  std::atomic<i64> tokens{0};  // of documents that got holes
  std::atomic<i64> masked{0};
  std::atomic<i64> holes{0};
  std::atomic<i64> cut{0};  // documents that were cut at a line end
  std::atomic<i64> bytes_cut{0};
  std::atomic<i64> few_masks{0};  // documents that were to have more holes than there are masks
};

/// Makes rows. Both outlive it (infill_rows.cc).
std::unique_ptr<io::RecordMapper> make_infiller(const InfillSetup& setup, InfillTotals& totals);

/// Makes documents of rows again, and checks them (restore_infill.cc). setup outlives it.
std::unique_ptr<io::RecordMapper> make_infill_restorer(const InfillSetup& setup);

}  // namespace lm::transform_tool
