#pragma once
// Collectives of a data-parallel run: what the trainer needs and nothing else. A run without a
// launcher is one rank (self_comm). All ranks call the same functions in the same order, one thread
// of a rank at a time; a call returns when its result is usable. Sums are taken in rank order, so
// results depend on the world size only.

#include <memory>
#include <span>

#include "core/error.h"
#include "core/types.h"

namespace lm::comm {

/// An error that every rank throws at the same place, so that all of them can leave in order and
/// one of them says it. Any other error is one rank's own, and the others have to be aborted.
class CommonError : public Error {
 public:
  using Error::Error;
};

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
  /// Every rank's own_part() of slab is copied to root; other ranks' slabs are only read.
  virtual void gather(std::span<f32> slab, i64 root) = 0;
  /// Every rank's own_part() of slab becomes what root's slab holds there.
  virtual void scatter(std::span<f32> slab, i64 root) = 0;
  /// root's bytes replace everybody's.
  virtual void broadcast(std::span<u8> bytes, i64 root) = 0;
  /// Returns when every rank has called it.
  virtual void barrier() = 0;

  /// The last call of a run that ends in order, on every rank.
  virtual void leave() = 0;
  /// Ends the processes of all ranks, the launcher's status being `status`. With one rank it does
  /// nothing.
  virtual void abort(int status) noexcept = 0;
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

/// The ranks that a launcher (mpirun, srun) started, through Open MPI, whose library is opened now
/// and not before. At most once in a process. Throws Error{kUnavailable} when this build has no MPI
/// or the library is not there; Error{kIo}, here and from every collective, when MPI reports an
/// error. Volumes per rank of a slab of n elements and R ranks: reduce_scatter and all_gather send
/// 4 n (R-1)/R bytes each, in pieces of 4 MiB.
std::unique_ptr<Comm> mpi_comm();

}  // namespace lm::comm
