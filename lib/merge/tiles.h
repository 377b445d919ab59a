#pragma once
// How a tensor is cut into blocks and chunks, and a thread's buffers for them. Private to engine.

#include <algorithm>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/str.h"
#include "merge/convert.h"
#include "merge/kernel.h"
#include "merge/source.h"

namespace lm::merge {

/// Bounds that depend on nothing but shape and cut.
struct Layout {
  i64 count = 0;
  i64 cols = 1;
  i64 block = 1;  // elements
  i64 chunk = 1;

  Layout(const Shape& shape, Cut cut) : count(shape.count()), cols(std::max<i64>(1, shape.cols())) {
    if (cut == Cut::kElements) {
      block = kBlockElements;
      chunk = kChunkElements;
    } else {
      block = std::max<i64>(1, kBlockElements / cols) * cols;
      chunk = std::max<i64>(1, kChunkElements / cols) * cols;
    }
  }
  i64 blocks() const { return (count + block - 1) / block; }
  i64 begin_of(i64 number) const { return number * block; }
  i64 end_of(i64 number) const { return std::min(count, (number + 1) * block); }
};

/// Widened chunks of all inputs of a tensor.
template <class A>
class ChunkReader {
 public:
  struct Inputs {
    std::vector<const TensorSource*> x;
    const TensorSource* base = nullptr;
    std::vector<const TensorSource*> aux;
  };

  /// Calls take(chunk) for the chunks of a block, in order. Throws Error{kData} for a value that is
  /// not finite unless allowed.
  template <class Take>
  void each_chunk(const Inputs& inputs, const Layout& layout, i64 block, bool allow_nonfinite,
                  const Take& take) {
    Chunk<A> chunk;
    chunk.cols = layout.cols;
    chunk.work = &work_;
    const i64 end = layout.end_of(block);
    for (i64 first = layout.begin_of(block); first < end; first += layout.chunk) {
      chunk.first = first;
      chunk.count = std::min(layout.chunk, end - first);
      chunk.number = first / layout.chunk;
      load(inputs.x, x_, x_pointers_, first, chunk.count, allow_nonfinite);
      load(inputs.aux, aux_, aux_pointers_, first, chunk.count, allow_nonfinite);
      if (inputs.base != nullptr)
        load_one(*inputs.base, base_, first, chunk.count, allow_nonfinite);
      chunk.x = x_pointers_;
      chunk.aux = aux_pointers_;
      chunk.base = inputs.base != nullptr ? base_.data() : nullptr;
      take(chunk);
    }
  }

  std::vector<A>& out(i64 count) {
    out_.resize(usize(count));
    return out_;
  }

 private:
  void load_one(const TensorSource& source, std::vector<A>& to, i64 first, i64 count,
                bool allow_nonfinite) {
    to.resize(usize(count));
    source.load(first, count, to.data());
    if (!allow_nonfinite && !all_finite(to.data(), count)) refuse(source, to, first);
  }
  void load(const std::vector<const TensorSource*>& sources, std::vector<std::vector<A>>& to,
            std::vector<const A*>& pointers, i64 first, i64 count, bool allow_nonfinite) {
    if (to.size() < sources.size()) to.resize(sources.size());
    pointers.resize(sources.size());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      load_one(*sources[i], to[i], first, count, allow_nonfinite);
      pointers[i] = to[i].data();
    }
  }
  [[noreturn]] static void refuse(const TensorSource& source, const std::vector<A>& values,
                                  i64 first) {
    i64 at = 0;
    while (all_finite(values.data() + at, 1))
      ++at;
    throw Error(ErrorKind::kData,
                cat(source.describe(), ": element ", first + at, " is ", values[usize(at)],
                    ", expected a finite number"),
                "--allow-nonfinite merges it all the same; a weight of 0 leaves a model out");
  }

  std::vector<std::vector<A>> x_, aux_;
  std::vector<A> base_, out_;
  std::vector<const A*> x_pointers_, aux_pointers_;
  Workspace<A> work_;
};

}  // namespace lm::merge
