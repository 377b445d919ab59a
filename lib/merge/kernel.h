#pragma once
// What a method does with one tensor, as the engine drives it. The engine cuts the tensor into
// blocks of fixed bounds, widens the inputs and hands them over in chunks, several blocks at a time
// on several threads: first every pass of statistics, then the one that makes the output. Sums are
// kept per block and added in the order of blocks, so that no result depends on threads or tiles.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"

namespace lm::merge {

/// Elements that have one sum. A block holds as many, or as many whole rows as fit, or one row.
inline constexpr i64 kBlockElements = 65536;
/// Elements handed over at once, under the same rule.
inline constexpr i64 kChunkElements = 4096;

/// Where chunks may begin: anywhere, or only where a row does (rows: all dimensions but the last
/// are flattened; a tensor of one dimension is one row).
enum class Cut : u8 { kElements, kRows };

/// Scratch of one thread; buffers keep their size between chunks.
template <class A>
struct Workspace {
  std::vector<A> a, b;
  std::vector<std::vector<A>> parts;
  std::vector<u32> words, order, other_order, ranks;
  std::vector<f64> wide;
};

/// Neighbouring elements of every input, widened to A (f32 or f64).
template <class A>
struct Chunk {
  i64 first = 0;  // place of the first element in the tensor
  i64 count = 0;
  i64 cols = 1;                   // length of a row
  i64 number = 0;                 // of the chunk within the tensor
  std::span<const A* const> x;    // the models that take part
  const A* base = nullptr;        // null without a base
  std::span<const A* const> aux;  // further files of the models, in their order
  Workspace<A>* work = nullptr;

  /// Task vector element: model i minus base.
  A delta(std::size_t i, i64 at) const { return x[i][at] - base[at]; }
};

/// What a pass of statistics collects: sums per block, maxima and counts over the tensor.
struct PassNeeds {
  i64 sums = 0;
  i64 maxima = 0;
  i64 counts = 0;
};

/// The share of one chunk: added to, not set.
struct Partial {
  std::span<f64> sums;
  std::span<f64> maxima;
  std::span<u32> counts;
};

struct Totals {
  std::span<const f64> sums;
  std::span<const f64> maxima;
  std::span<const i64> counts;
};

template <class A>
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Cut cut() const { return Cut::kElements; }
  /// The next pass of statistics, until there is none.
  virtual std::optional<PassNeeds> next_pass() { return std::nullopt; }
  /// Called for every chunk of the pass, from several threads; chunks of a block in order.
  virtual void observe(const Chunk<A>& /*in*/, const Partial& /*out*/) {}
  virtual void end_pass(const Totals& /*totals*/) {}
  /// Writes in.count merged elements. Called for every chunk, from several threads. in.x may be
  /// overwritten through the workspace only.
  virtual void combine(const Chunk<A>& in, A* out) const = 0;
  /// The same from bf16 to bf16 as they are stored, x as in a chunk, without widened copies
  /// between. False if the kernel has no such form for these models, or if an input or an output is
  /// not finite: then `to` holds nothing and combine() has to say.
  virtual bool combine_bf16(std::span<const u8* const> /*x*/, i64 /*count*/, u8* /*to*/) const {
    return false;
  }
  /// Something the user should know of how this tensor was merged, or empty.
  virtual std::string note() const { return {}; }
};

}  // namespace lm::merge
