#include "census/natural.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "catch.h"

using namespace lm;
using census::Moments;
using census::Natural;

namespace {

Moments of(const std::vector<f64>& values) {
  Moments out;
  for (const f64 value : values)
    out.add(value);
  return out;
}

std::vector<u64> words(Moments moments) {
  std::vector<u64> out;
  moments.each([&out](auto& part) {
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, i64>) {
      out.push_back(static_cast<u64>(part));
    } else {
      out.insert(out.end(), part.begin(), part.end());
    }
  });
  return out;
}

}  // namespace

TEST_CASE("whole numbers of any size add, subtract and multiply", "[census]") {
  const Natural large(~u64{0});
  const Natural square = large * large;  // 2^128 - 2^65 + 1
  CHECK(static_cast<f64>(square.scaled(0)) == Approx(std::ldexp(1.0, 128)));
  CHECK((square - large * large).zero());
  CHECK(static_cast<f64>((square + Natural(1) - square).scaled(0)) == 1);
  CHECK(large < square);
  CHECK(static_cast<f64>(Natural(3).scaled(-1)) == 1.5);
  CHECK(Natural(0).scaled(100) == 0);
}

TEST_CASE("moments of a few numbers", "[census]") {
  const Moments m = of({2, 4, 4, 4, 5, 5, 7, 9});  // squares of differences from 5: 32
  CHECK(m.count() == 8);
  CHECK(m.mean() == 5);
  CHECK(m.variance() == Approx(32.0 / 7).epsilon(1e-15));
  CHECK(std::isnan(of({}).mean()));
  CHECK(std::isnan(of({1}).variance()));
  CHECK(of({0.1, 0.1}).variance() == 0);
}

TEST_CASE("sums do not lose what is small beside what is large", "[census]") {
  const f64 huge = std::numeric_limits<f64>::max();
  const f64 tiny = std::numeric_limits<f64>::denorm_min();
  CHECK(of({huge, tiny, huge, -huge, -huge}).sum() == tiny);
  CHECK(of({1e16, 1, -1e16}).sum() == 1);
  CHECK(of({0x1p53, 1, 0x1p-60}).sum() == 0x1p53 + 2);  // more than half, by what is small
  CHECK(of({0x1p53, 1}).sum() == 0x1p53);
  CHECK(of({1e8, 1e8 + 1, 1e8 + 2}).variance() == 1);  // naive sums of squares give 0 or 2
  CHECK(of({huge, huge}).mean() == huge);
  CHECK(of({tiny, 3 * tiny}).mean() == 2 * tiny);
}

TEST_CASE("moments do not depend on order or parts", "[census]") {
  std::mt19937_64 random(7);
  std::vector<f64> values;
  while (values.size() < 1000) {
    const u64 bits = random();
    f64 value;
    std::memcpy(&value, &bits, 8);
    if (std::isfinite(value)) values.push_back(value);
  }
  const std::vector<u64> want = words(of(values));
  Moments parts;
  for (std::size_t i = 0; i < values.size(); i += 37) {
    const std::vector<f64> part(values.begin() + static_cast<i64>(i),
                                values.begin() + static_cast<i64>(std::min(i + 37, values.size())));
    parts.add(of(part));
  }
  CHECK(words(parts) == want);
  std::reverse(values.begin(), values.end());
  CHECK(words(of(values)) == want);
}

TEST_CASE("a number many times is the number added as often", "[census]") {
  for (const f64 value : {1.0, -0.3, 1e300, 5e-324, 0.0}) {
    Moments at_once;
    at_once.add(value, 1000);
    CHECK(words(at_once) == words(of(std::vector<f64>(1000, value))));
  }
  Moments often;
  often.add(1.5, i64{1} << 50);
  CHECK(often.sum() == std::ldexp(1.5, 50));
  CHECK(often.variance() == 0);
}
