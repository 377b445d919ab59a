#include "train/schedule.h"

#include "catch.h"
#include "core/error.h"

using namespace lm;
using train::Schedule;
using train::ScheduleKind;

TEST_CASE("warm-up rises to the peak in whole steps", "[train]") {
  const Schedule s{ScheduleKind::kCosine, 2.0, 4, 100, 0.2, 0.1};
  CHECK(s.lr(0) == 0.5);
  CHECK(s.lr(1) == 1.0);
  CHECK(s.lr(3) == 2.0);
  CHECK(s.lr(4) == 2.0);  // x = 0: cos 0 = 1
}

TEST_CASE("cosine passes the middle and ends at the floor", "[train]") {
  const Schedule s{ScheduleKind::kCosine, 1.0, 0, 100, 0.2, 0.1};
  // x = 1/2: 0.1 + 0.9 * (1 + 0)/2 = 0.55. x = 1/3: 0.1 + 0.9 * (1 + 1/2)/2 = 0.775.
  CHECK(s.lr(50) == Approx(0.55).epsilon(1e-12));
  const Schedule third{ScheduleKind::kCosine, 1.0, 10, 100, 0.2, 0.1};
  CHECK(third.lr(40) == Approx(0.775).epsilon(1e-12));
  CHECK(s.lr(100) == Approx(0.1).epsilon(1e-12));
  CHECK(s.lr(1000) == s.lr(100));
}

TEST_CASE("warm-up-stable-decay stays, then falls linearly or by the root", "[train]") {
  Schedule s{ScheduleKind::kWsdLinear, 1.0, 10, 100, 0.2, 0.0};
  CHECK(s.lr(79) == 1.0);
  CHECK(s.lr(80) == 1.0);
  CHECK(s.lr(85) == Approx(0.75).epsilon(1e-12));  // x = 5/20
  CHECK(s.lr(100) == 0.0);
  s.kind = ScheduleKind::kWsdSqrt;
  CHECK(s.lr(79) == 1.0);
  CHECK(s.lr(85) == Approx(0.5).epsilon(1e-12));  // 1 - sqrt(1/4)
  s.floor = 0.2;
  CHECK(s.lr(85) == Approx(0.6).epsilon(1e-12));  // 0.2 + 0.8 * 0.5
}

TEST_CASE("constant and inverse square root", "[train]") {
  Schedule s{ScheduleKind::kConstant, 3.0, 2, 10, 0.2, 0.0};
  CHECK(s.lr(9) == 3.0);
  s = {ScheduleKind::kInverseSqrt, 1.0, 100, 1000, 0.2, 0.0};
  CHECK(s.lr(100) == 1.0);
  CHECK(s.lr(400) == 0.5);
  s.floor = 0.6;
  CHECK(s.lr(400) == 0.6);
  s = {ScheduleKind::kInverseSqrt, 1.0, 0, 1000, 0.2, 0.0};
  CHECK(s.lr(0) == 1.0);
  CHECK(s.lr(4) == 0.5);
}

TEST_CASE("a longer schedule has the same values as far as a shorter one is fixed", "[train]") {
  const auto check = [](ScheduleKind kind, i64 fixed) {
    Schedule s{kind, 3.0, 4, 20, 0.25, 0.1};
    CHECK(s.fixed_until() == fixed);
    Schedule longer = s;
    longer.steps = 31;
    for (i64 t = 0; t < fixed; ++t)
      CHECK(s.lr(t) == longer.lr(t));
  };
  check(ScheduleKind::kCosine, 4);
  check(ScheduleKind::kWsdLinear, 15);
  check(ScheduleKind::kWsdSqrt, 15);
  check(ScheduleKind::kConstant, 20);
  check(ScheduleKind::kInverseSqrt, 20);
}

TEST_CASE("an unknown schedule is refused with the names", "[train]") {
  CHECK_THROWS_WITH(train::parse_schedule("linear"),
                    Catch::Matchers::ContainsSubstring("wsd-linear"));
  for (const std::string& name : train::schedule_names())
    CHECK(train::schedule_names()[static_cast<std::size_t>(train::parse_schedule(name))] == name);
}
