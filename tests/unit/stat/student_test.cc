// Quantiles of Student's t.

#include "stat/student.h"

#include "catch.h"

using namespace lm;

TEST_CASE("quantiles of Student's t are those of published tables", "[stat]") {
  const f64 kTable[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262};
  for (i64 i = 0; i < 9; ++i)
    CHECK(stat::student_quantile(0.975, i + 1) == Approx(kTable[i]).margin(5e-4));
  CHECK(stat::student_quantile(0.95, 30) == Approx(1.697).margin(5e-4));
  CHECK(stat::student_quantile(0.975, 1000000) == Approx(1.959964).margin(1e-5));
  CHECK(stat::student_quantile(0.5, 3) == Approx(0).margin(1e-12));
}
