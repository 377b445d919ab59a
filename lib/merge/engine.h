#pragma once
// Merges planned tensors, one after the other or several small ones at once, and hands the result
// over in order. Tiles pass through threads x (models + 2) buffers of a few KiB and as many tiles
// of output: private memory does not depend on the size of a tensor, except where a row must be
// there as a whole. Inputs are mapped files; pages that are done with are let go.

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/hash.h"
#include "merge/method.h"
#include "merge/source.h"

namespace lm::merge {

/// Where a tensor of the output comes from.
struct InputTensor {
  SourcePtr source;
  i64 model = 0;  // number of the opened model
};

struct PlannedTensor {
  Job job;
  DType dtype = DType::kF32;        // as stored in the output
  std::vector<InputTensor> inputs;  // of job.models; for a copy, one; all, where they must be equal
  InputTensor base;                 // empty source without one
  std::vector<SourcePtr> aux;       // what job.aux_sources points to
  bool must_be_equal = false;  // integers and bools: one is copied, the others must be the same
};

/// Takes the output. write() is called for the tensors in the order that order() gives, with
/// neighbouring elements, from one thread at a time.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void declare(const std::string& name, DType dtype, const Shape& shape) = 0;
  virtual void begin() = 0;
  virtual std::span<const i64> order() const = 0;
  virtual void write(std::string_view name, std::string_view bytes) = 0;
  virtual void commit() = 0;
};

struct EngineOptions {
  i64 tile_bytes = i64{1} << 20;  // of output; changes speed and memory only
  bool allow_nonfinite = false;
};

/// The digest of a set of tensors as far as they were read: independent of their order.
struct ReadDigest {
  u64 lo = 0;
  u64 hi = 0;
  i64 tensors = 0;
  void add(const Hash128& tensor);
};

struct EngineReport {
  std::map<std::string, i64> notes;  // what kernels had to say, and of how many tensors
  std::map<i64, ReadDigest> read;    // by model number
  i64 bytes_in = 0;
  i64 bytes_out = 0;
};

/// Declares and writes all tensors and commits the sink. done: bytes written so far, for progress.
/// Throws Error{kData} naming file, tensor and element for a value that is not finite, for a result
/// beyond the range of its type, and for integer tensors that differ; what kernels and sink throw.
EngineReport run(std::vector<PlannedTensor>& tensors, Sink& sink, const EngineOptions& options,
                 const Context& ctx, std::atomic<i64>* done = nullptr);

/// Drives the statistics of a kernel over inputs of one shape, without an output.
template <class A>
void observe(Kernel<A>& kernel, const Shape& shape, std::span<const TensorSource* const> inputs,
             const Context& ctx);

}  // namespace lm::merge
