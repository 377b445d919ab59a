#pragma once
// Lines kept aside for a second reading: compressed batches in an unlinked temporary file. Programs
// that must see all records before they write the first one append here and replay afterwards.
// Thread rule: append() by one thread at a time; replay() runs its stages like RecordRun::run.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "io/batch.h"
#include "io/file.h"
#include "io/output.h"
#include "io/run.h"

namespace lm::io {

class Spool {
 public:
  /// Throws Error{kCannotCreate} when ctx.tmp_dir takes no file.
  explicit Spool(const Context& ctx);
  /// Stores whole lines (given without newline) as one batch; zstd level 1. Throws kIo.
  void append(std::span<const std::string_view> lines);
  /// Batches of the stored lines, in order, through the stages; what they put into batch.out goes
  /// to out (may be null). May be called more than once. Throws what a stage throws.
  void replay(const std::vector<BatchStage>& stages, OutputStream* out) const;
  i64 bytes() const { return file_.size(); }

 private:
  struct Block {
    i64 offset;
    i64 size;
    i64 content;
  };
  void read(const Block& block, Batch& batch) const;
  void decode(i64 content, Batch& batch) const;

  const Context* ctx_;
  TempFile file_;
  std::vector<Block> blocks_;
};

}  // namespace lm::io
