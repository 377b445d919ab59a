#pragma once
// Collectives of a data-parallel run: what the trainer needs and nothing else. A run without a
// launcher is one rank (self_comm). All ranks call the same functions in the same order; a call
// returns when its result is usable. Sums are taken in rank order, so results depend on the world
// size only.

#include <memory>
#include <span>

#include "core/types.h"

namespace lm::comm {

class Comm {
 public:
  virtual ~Comm() = default;
  virtual i64 rank() const = 0;
  virtual i64 size() const = 0;

  /// Replaces values by their sums over the ranks, on every rank.
  virtual void all_reduce(std::span<f64> values) = 0;
  /// slab.size() is a multiple of size(). Afterwards own_part() of slab holds the sums over the
  /// ranks; the rest is unspecified.
  virtual void reduce_scatter(std::span<f32> slab) = 0;
  /// Every rank's own_part() of slab is copied to all ranks.
  virtual void all_gather(std::span<f32> slab) = 0;
  /// root's bytes replace everybody's.
  virtual void broadcast(std::span<u8> bytes, i64 root) = 0;
  /// Returns when every rank has called it.
  virtual void barrier() = 0;
};

/// Elements [begin, end) of a slab.
struct Part {
  i64 begin = 0;
  i64 end = 0;
  i64 count() const { return end - begin; }
};

/// The part of a slab of n elements (a multiple of comm.size()) that the rank owns.
Part own_part(const Comm& comm, i64 n);

/// One rank: nothing to do.
std::unique_ptr<Comm> self_comm();

}  // namespace lm::comm
