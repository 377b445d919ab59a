// The collectives over MPI against what one process computes from the formula of every rank's
// values. Started by mpirun with 1 to 4 ranks; all ranks run the same cases in the same order.

#include "comm/comm.h"

#include <cstring>
#include <vector>

#include "catch.h"
#include "core/parallel.h"

using namespace lm;

namespace {

/// Joins once, leaves when the process ends.
comm::Comm& world() {
  struct Held {
    std::unique_ptr<comm::Comm> comm = comm::mpi_comm();
    ~Held() { comm->leave(); }
  };
  static const Held held;
  return *held.comm;
}

/// Values whose sums depend on their order.
f32 value(i64 rank, i64 i) {
  const f32 scale = rank % 2 == 0 ? 1.0f : -1.0e4f;
  return scale * (0.1f + static_cast<f32>((i * 7919 + rank * 104729) % 1009) / 1009.0f);
}

std::vector<f32> slab_of(i64 rank, i64 n) {
  std::vector<f32> out(usize(n));
  for (i64 i = 0; i < n; ++i)
    out[usize(i)] = value(rank, i);
  return out;
}

f32 sum_in_rank_order(i64 i) {
  f32 sum = value(0, i);
  for (i64 r = 1; r < world().size(); ++r)
    sum += value(r, i);
  return sum;
}

/// One element a rank, a few, and more than travels at once.
std::vector<i64> slab_sizes() {
  const i64 ranks = world().size();
  return {ranks, 64 * ranks, 700001 * ranks};
}

}  // namespace

TEST_CASE("sums of numbers are taken in rank order on every rank", "[mpi]") {
  std::vector<f64> values;
  for (i64 i = 0; i < 5; ++i)
    values.push_back(1.0 / static_cast<f64>(3 + i + world().rank()));
  world().all_reduce(values);
  for (i64 i = 0; i < 5; ++i) {
    f64 sum = 1.0 / static_cast<f64>(3 + i);
    for (i64 r = 1; r < world().size(); ++r)
      sum += 1.0 / static_cast<f64>(3 + i + r);
    CHECK(values[usize(i)] == sum);
  }
  world().all_reduce({});
}

TEST_CASE("a rank's part of a slab holds sums in rank order, for any thread count", "[mpi]") {
  for (const int threads : {1, 3}) {
    set_threads(threads);
    for (const i64 n : slab_sizes()) {
      std::vector<f32> slab = slab_of(world().rank(), n);
      world().reduce_scatter(slab);
      const comm::Part own = comm::own_part(world(), n);
      i64 wrong = 0;
      for (i64 i = own.begin; i < own.end; ++i)
        wrong += slab[usize(i)] != sum_in_rank_order(i);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("gathered slabs hold every rank's part", "[mpi]") {
  const i64 ranks = world().size();
  for (const i64 n : slab_sizes()) {
    std::vector<f32> everywhere = slab_of(world().rank(), n);
    world().all_gather(everywhere);
    std::vector<f32> at_last = slab_of(world().rank(), n);
    world().gather(at_last, ranks - 1);
    i64 wrong = 0;
    i64 wrong_at_last = 0;
    for (i64 i = 0; i < n; ++i) {
      wrong += everywhere[usize(i)] != value(i / (n / ranks), i);
      const i64 from = world().rank() == ranks - 1 ? i / (n / ranks) : world().rank();
      wrong_at_last += at_last[usize(i)] != value(from, i);
    }
    CHECK(wrong == 0);
    CHECK(wrong_at_last == 0);
  }
}

TEST_CASE("scattering gives each rank its part and touches nothing else", "[mpi]") {
  for (const i64 n : slab_sizes()) {
    std::vector<f32> slab = slab_of(world().rank(), n);
    world().scatter(slab, 0);
    const comm::Part own = comm::own_part(world(), n);
    i64 wrong = 0;
    for (i64 i = 0; i < n; ++i)
      wrong += slab[usize(i)] != value(i >= own.begin && i < own.end ? 0 : world().rank(), i);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a rank's bytes reach all", "[mpi]") {
  const i64 root = world().size() - 1;
  std::vector<u8> bytes(100003, static_cast<u8>(world().rank()));
  world().broadcast(bytes, root);
  CHECK(std::vector<u8>(100003, static_cast<u8>(root)) == bytes);
  world().broadcast({}, root);
  world().barrier();
}
