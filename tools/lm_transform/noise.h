#pragma once
// What noise works with and counts.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/context.h"
#include "io/run.h"
#include "transform/noise.h"

namespace lm::transform_tool {

namespace tf = lm::transform;

struct NoiseSetup {
  std::vector<tf::NoiseStep> steps;
  f64 strength = 1;
  tf::NoiseKnowledge knowledge;
  bool log = true;
  bool marks = false;       // write the utterance with marks instead
  bool rewordings = false;  // take what a model made of it first
  i64 epoch = 0;
  u64 seed = 0;
  MemoryBudget* memory = nullptr;
};

/// Places in the list of paths.
enum NoiseField : i64 { kNoiseId, kWords, kLabels, kText, kLog, kMarked };

/// Counts over all worker threads, for the report.
struct NoiseTotals {
  std::atomic<i64> words{0};
  std::atomic<i64> changed{0};  // words that edits took
  std::atomic<i64> characters{0};
  std::atomic<i64> edited{0};
  std::atomic<i64> rejected{0};  // rewordings without every mark once
  std::atomic<i64> records{0};   // changed ones
  std::mutex mutex;
  std::map<std::string, i64> edits;  // by operator
  std::set<std::string> slots;       // names of labels
};

/// Perturbs records. Both outlive it (noise_words.cc).
std::unique_ptr<io::RecordMapper> make_noise(const NoiseSetup& setup, NoiseTotals& totals);

}  // namespace lm::transform_tool
