#pragma once
// lm-uq score: which of the estimators that were asked for no record had the ingredients of.

#include <atomic>
#include <span>
#include <vector>

#include "cli/tool.h"
#include "uq/estimators.h"

namespace lm::uq_tool {

struct Chosen {
  std::vector<const uq::Estimator*> estimators;
  std::vector<const uq::ClaimEstimator*> of_claims;
  bool by_name = false;
  std::size_t size() const { return estimators.size() + of_claims.size(); }
};

/// Which of the chosen estimators any record had the ingredients of; shared by the workers.
class Given {
 public:
  explicit Given(std::size_t count) : given_(count) {}
  void add(std::span<const u8> given) {
    any_.store(true, std::memory_order_relaxed);
    for (std::size_t i = 0; i < given.size(); ++i)
      if (given[i] != 0) given_[i].store(true, std::memory_order_relaxed);
  }
  bool any() const { return any_; }
  bool has(std::size_t i) const { return given_[i]; }

 private:
  std::atomic<bool> any_ = false;
  std::vector<std::atomic<bool>> given_;
};

/// Warns of what was asked for, estimators by name or --sim, and was in no record.
void warn_of_missing(cli::Tool& tool, uq::Sim sim, const Chosen& chosen, const Given& given);

}  // namespace lm::uq_tool
