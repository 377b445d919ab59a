#pragma once
// The pass structure of the verbs that ask about keys: prepare a batch in parallel, ask the judge
// in order, finish in parallel. Batches that the exact set can no longer hold are spooled and
// finished after everything has been sorted.

#include <atomic>
#include <memory>

#include "cli/tool.h"
#include "dedup.h"
#include "io/spool.h"
#include "judge.h"

namespace lm::dedup_tool {

struct KeyedCounts {
  std::atomic<i64> duplicates{0};        // keys seen before
  std::atomic<i64> documents_marked{0};  // with at least one
  std::atomic<i64> documents_dropped{0};
};

/// What a verb does with one record. Called from several threads at once.
class KeyedMode {
 public:
  virtual ~KeyedMode() = default;
  /// True if prepare() gives priorities: nothing can be answered before all records are read.
  virtual bool prefers() const { return false; }
  /// The parsed record's keys into work.keys (none: it takes no part). A fault: a bad record.
  virtual std::optional<Fault> prepare(io::JsonReader& json, Work& work) const = 0;
  /// The record number `line` of work with its answers; appends the output line, or nothing.
  virtual void finish(io::JsonReader& json, const Work& work, i64 line, std::span<const u8> seen,
                      std::string& out, KeyedCounts& counts) const = 0;
};

void run_keyed(cli::Tool& tool, const Fields& fields, const KeyedMode& mode, KeyJudge& judge);

}  // namespace lm::dedup_tool
