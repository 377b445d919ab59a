#include "exact/inverse_permutation.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "tensor/safetensors.h"

using namespace lm;
using namespace lm::exact;

namespace {

InverseTask task(i64 d, bool causal, Readout readout, i64 scratch = 0) {
  InverseTask out;
  out.d = d;
  out.causal = causal;
  out.readout = readout;
  out.scratch = scratch;
  return out;
}

}  // namespace

TEST_CASE("weights built by hand undo every permutation", "[exact]") {
  for (const i64 d : {1, 2, 4, 6}) {
    InverseModel open(task(d, false, Readout::kPermutation));
    open.construct();
    InverseModel scratch(task(d, true, Readout::kScratch, d));
    scratch.construct();
    for (const InverseModel* const model : {&open, &scratch}) {
      const InverseScore score = model->score_all(7);
      CHECK(score.mse < 1e-12);
      CHECK(score.exact == 1);
      CHECK(score.texts == (d == 1 ? 1 : d == 2 ? 2 : d == 4 ? 24 : 720));
    }
  }
  InverseModel ten(task(10, true, Readout::kScratch, 10));
  ten.construct();
  CHECK(ten.score(50, 1).mse < 1e-12);
  InverseModel more(task(5, true, Readout::kScratch, 12));  // the first d of them are read
  more.construct();
  CHECK(more.score(50, 1).mse < 1e-12);
}

TEST_CASE("what scratch rows hold does not matter to the construction", "[exact]") {
  InverseModel model(task(6, true, Readout::kScratch, 6));
  model.construct();
  CHECK(model.score(40, 3, true).mse < 1e-12);
}

TEST_CASE("training ends above the floors, and on them where there are none", "[exact]") {
  struct Case {
    InverseTask task;
    bool solved;
  };
  for (const Case& c : {Case{task(3, false, Readout::kPermutation), true},
                        Case{task(3, true, Readout::kScratch, 3), true},
                        Case{task(3, true, Readout::kPermutation), false},
                        Case{task(3, true, Readout::kText), false}}) {
    InverseModel model(c.task);
    i64 reports = 0;
    i64 last = 0;
    model.train({.batch = 64, .steps = 600, .lr = 0.02, .seed = 1}, 200, [&](i64 step, f64 mse) {
      ++reports;
      last = step;
      CHECK(std::isfinite(mse));
    });
    CHECK(reports == 3);
    CHECK(last == 600);
    const InverseScore score = model.score(4000, 9);
    if (c.solved) {
      CHECK(score.exact > 0.9);
      CHECK(score.mse < 0.05);
      continue;
    }
    // 4000 texts of 9 bits, each of them at most 1/4 from the mean: an error of 0.001.
    CHECK(score.mse > floor_of(c.task) - 0.004);
    CHECK(score.bits < ceiling_of(c.task) + 0.01);
  }
}

TEST_CASE("floors are what the visible text leaves", "[exact]") {
  CHECK(floor_of(task(6, true, Readout::kPermutation)) == 0.25);
  CHECK(floor_of(task(6, true, Readout::kText)) == Approx(0.125 * 5 / 6));
  CHECK(ceiling_of(task(6, true, Readout::kText)) == Approx(19.0 / 24));
  CHECK(floor_of(task(6, true, Readout::kScratch, 6)) == 0);
  CHECK(floor_of(task(6, false, Readout::kText)) == 0);
  // By enumeration: row d + i has seen rows 1 to i of the text; bit j is known if pi^-1(j) is
  // there.
  const i64 d = 6;
  f64 unknown = 0;
  for (i64 i = 1; i <= d; ++i)
    unknown += static_cast<f64>(d - i) / static_cast<f64>(d);
  CHECK(floor_of(task(d, true, Readout::kText)) == Approx(0.25 * unknown / static_cast<f64>(d)));
}

TEST_CASE("training gives the same weights for any number of threads", "[exact]") {
  const test::TempDir dir;
  for (const int threads : {1, 7}) {
    set_threads(threads);
    InverseModel model(task(3, true, Readout::kText));
    model.train({.batch = 32, .steps = 20, .lr = 0.02, .seed = 4}, 20, [](i64, f64) {});
    model.save(dir.file(std::to_string(threads)));
  }
  set_threads(1);
  const SafeFile one(dir.file("1"));
  const SafeFile seven(dir.file("7"));
  REQUIRE(one.entries().size() == 3);
  for (const SafeEntry& entry : one.entries()) {
    const SafeEntry* const other = seven.find(entry.name);
    REQUIRE(other != nullptr);
    CHECK(std::equal(entry.data, entry.data + entry.bytes, other->data));
  }
}

TEST_CASE("tasks that make no sense are refused", "[exact]") {
  CHECK_THROWS_WITH(InverseModel(task(6, true, Readout::kScratch, 5)),
                    Catch::Matchers::ContainsSubstring("6 scratch rows, but there are 5"));
  CHECK_THROWS_AS(InverseModel(task(0, true, Readout::kText)), Error);
  InverseModel model(task(4, true, Readout::kText));
  CHECK_THROWS_WITH(model.construct(),
                    Catch::Matchers::ContainsSubstring("cannot answer at rows of the prompt"));
  CHECK_THROWS_AS(InverseModel(task(9, false, Readout::kText)).score_all(1), Error);
}
