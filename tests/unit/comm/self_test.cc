#include "catch.h"
#include "comm/comm.h"
#include "core/error.h"

using namespace lm;

TEST_CASE("a single rank owns everything and its sums are its own values", "[comm]") {
  const std::unique_ptr<comm::Comm> self = comm::self_comm();
  CHECK(self->rank() == 0);
  CHECK(self->size() == 1);
  f64 values[2] = {1.5, -2};
  self->all_reduce(values);
  CHECK(values[0] == 1.5);
  CHECK(values[1] == -2);
  f32 slab[4] = {1, 2, 3, 4};
  self->reduce_scatter(slab);
  self->all_gather(slab);
  self->gather(slab, 0);
  self->scatter(slab, 0);
  CHECK(slab[3] == 4);
  u8 bytes[1] = {7};
  self->broadcast(bytes, 0);
  CHECK(bytes[0] == 7);
  self->barrier();
  CHECK_THROWS_AS(self->broadcast(bytes, 1), Error);
  CHECK_THROWS_AS(self->gather(slab, 1), Error);
  const comm::Part part = comm::own_part(*self, 128);
  CHECK(part.begin == 0);
  CHECK(part.end == 128);
  self->abort(1);  // there is no one else
  self->leave();
}
