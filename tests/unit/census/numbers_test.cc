#include "census/numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "catch.h"
#include "core/error.h"
#include "io/json_node.h"

using namespace lm;
using census::Numbers;
using census::on_grid;

namespace {

Numbers of(const std::vector<f64>& values, bool exact = false) {
  Numbers out(exact);
  for (const f64 value : values)
    out.add(value);
  return out;
}

std::string saved(const Numbers& numbers) {
  census::PartWriter out;
  numbers.save(out);
  return out.take();
}

f64 quantile(const Numbers& numbers, f64 q) {
  return numbers.quantile(numbers.values(), q);
}

}  // namespace

TEST_CASE("the grid has eight significant bits", "[census]") {
  for (i64 i = -256; i <= 256; ++i)
    CHECK(on_grid(static_cast<f64>(i)) == static_cast<f64>(i));
  CHECK(on_grid(257) == 258);  // between 256 and 258: away from zero
  CHECK(on_grid(0.1) == 0.10009765625);
  CHECK(on_grid(-0.1) == -0.10009765625);
  CHECK(std::isfinite(on_grid(std::numeric_limits<f64>::max())));
  std::mt19937_64 random(3);
  for (i64 i = 0; i < 10000; ++i) {
    const f64 value = std::exp(static_cast<f64>(random() % 1000000) * 1e-4 - 50);
    CHECK(std::fabs(on_grid(value) - value) <= value / 256);
  }
}

TEST_CASE("quantiles on the grid are those of the values, put on the grid", "[census]") {
  std::mt19937_64 random(5);
  std::vector<f64> values;
  for (i64 i = 0; i < 5001; ++i)
    values.push_back(std::exp(static_cast<f64>(random() % 10000) * 1e-3) - 3);
  const Numbers grid = of(values);
  const Numbers exact = of(values, true);
  std::sort(values.begin(), values.end());
  for (const f64 q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.999, 1.0}) {
    const std::size_t rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * 5001)));
    CHECK(quantile(exact, q) == values[rank - 1]);
    CHECK(quantile(grid, q) ==
          std::clamp(on_grid(values[rank - 1]), values.front(), values.back()));
  }
  CHECK(std::isnan(quantile(of({}), 0.5)));
}

TEST_CASE("numbers do not depend on order or parts, and survive being written", "[census]") {
  const std::vector<f64> values = {3, -1.5, 0, -0.0, 1e-310, 1e200, 257, 3, 0.1};
  const Numbers whole = of(values);
  CHECK(whole.min() == -1.5);
  CHECK(whole.max() == 1e200);
  Numbers parts = of({values.begin() + 4, values.end()});
  parts.add(of({values.begin(), values.begin() + 4}));
  parts.add(of({}));
  CHECK(saved(parts) == saved(whole));
  const std::string text = saved(whole);
  const io::JsonDocument document(text);
  census::PartReader in(document.root("part"));
  Numbers read(false);
  read.load(in);
  CHECK(in.done());
  CHECK(saved(read) == text);
}

TEST_CASE("a part of numbers that does not add up is refused", "[census]") {
  std::string text = saved(of({1, 2, 2}));
  text[1] = '7';  // of three
  const io::JsonDocument document(text);
  census::PartReader in(document.root("part"));
  Numbers read(false);
  CHECK_THROWS_AS(read.load(in), Error);
}

TEST_CASE("histograms have round bins that hold everything", "[census]") {
  std::vector<f64> values;
  for (i64 i = 0; i <= 100; ++i)
    values.push_back(static_cast<f64>(i) / 100);
  for (const bool exact : {false, true}) {
    const Numbers numbers = of(values, exact);
    const census::Histogram histogram = numbers.histogram(numbers.values(), 10);
    CHECK(!histogram.logarithmic);
    REQUIRE(histogram.bins.size() == 10);
    CHECK(histogram.bins[3].low == 0.3);
    for (std::size_t i = 0; i < 10; ++i)  // a value that is an edge counts above it
      CHECK(histogram.bins[i].count == (i == 9 ? 11 : 10));
  }
  const Numbers one = of({5, 5});
  const census::Histogram point = one.histogram(one.values(), 10);
  REQUIRE(point.bins.size() == 1);
  CHECK(point.bins[0].count == 2);
}

TEST_CASE("numbers far above the median make logarithmic bins", "[census]") {
  const Numbers numbers = of({0, 0, 1, 1, 2, 3, 5, 1000});
  const census::Histogram histogram = numbers.histogram(numbers.values(), 10);
  CHECK(histogram.logarithmic);
  CHECK(histogram.zeros == 2);
  i64 sum = 0;
  for (std::size_t i = 0; i < histogram.bins.size(); ++i) {
    sum += histogram.bins[i].count;
    if (i > 0) CHECK(histogram.bins[i].low == histogram.bins[i - 1].high);
  }
  CHECK(sum == 6);
  CHECK(histogram.bins.front().low == 1);
  CHECK(histogram.bins.back().high >= 1000);
  CHECK(histogram.bins.size() <= 11);
}

TEST_CASE("histograms of the widest ranges", "[census]") {
  const f64 huge = std::numeric_limits<f64>::max();
  for (const std::vector<f64>& values :
       {std::vector<f64>{-huge, huge}, {5e-324, huge}, {0, 5e-324}, {1, std::nextafter(1, 2)}}) {
    const Numbers numbers = of(values, true);
    const census::Histogram histogram = numbers.histogram(numbers.values(), 20);
    i64 sum = histogram.zeros;
    for (const census::Bin& bin : histogram.bins)
      sum += bin.count;
    CHECK(sum == 2);
    CHECK(histogram.bins.size() <= 40);
  }
}
