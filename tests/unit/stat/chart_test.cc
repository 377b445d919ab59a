// Charts: what is drawn where, names escaped, nothing that is no number.

#include "stat/chart.h"

#include <cmath>

#include "catch.h"

namespace {

using lm::stat::BarChart;
using lm::stat::LineChart;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a line chart has its names, its line, its band and a style for the dark", "[stat]") {
  LineChart chart{.title = "a < b", .x_name = "coverage", .y_name = "quality", .series = {}};
  chart.series.push_back({"one & two", {{0, 0, 0, .5}, {1, 1, .5, 1}}, true});
  const std::string svg = lm::stat::svg(chart);
  CHECK(has(svg, "a &lt; b"));
  CHECK(has(svg, "one &amp; two"));
  CHECK(has(svg, "prefers-color-scheme:dark"));
  // From the lower left corner of the plot (50, 202) to the upper right (348, 28).
  CHECK(has(svg, "<polyline points=\"50.0,202.0 348.0,28.0\""));
  CHECK(has(svg, "<polygon points=\"50.0,115.0 348.0,28.0 348.0,115.0 50.0,202.0\""));
  CHECK(has(svg, "<circle cx=\"50.0\" cy=\"202.0\""));
  CHECK(has(svg, ">0.4</text>"));
  CHECK(svg == lm::stat::svg(chart));
}

TEST_CASE("points that are no numbers are left out and empty charts are charts", "[stat]") {
  LineChart chart{.title = "", .x_name = "x", .y_name = "y", .series = {}};
  CHECK(has(lm::stat::svg(chart), "</svg>"));
  chart.series.push_back({"s", {{1, NAN}, {2, INFINITY}, {NAN, 1}}, false});
  CHECK(has(lm::stat::svg(chart), "<polyline points=\"\""));
  chart.series[0].points.push_back({3, 4});
  const std::string svg = lm::stat::svg(chart);
  CHECK(!has(svg, "nan"));
  CHECK(!has(svg, "inf"));
  CHECK(has(svg, "<circle"));  // a single point shows
}

TEST_CASE("a logarithmic axis has decades at equal distances and no place for zero", "[stat]") {
  LineChart chart{.title = "", .x_name = "x", .y_name = "y", .series = {}, .log_x = true};
  chart.series.push_back({"s", {{0, 5}, {1, 0}, {10, 0.5}, {100, 1}}, false});
  const std::string svg = lm::stat::svg(chart);
  CHECK(has(svg, "<polyline points=\"50.0,186.0 199.0,99.0 348.0,12.0\""));
  CHECK(has(svg, ">30</text>"));
}

TEST_CASE("series beyond the colours are dashed", "[stat]") {
  LineChart chart{.title = "", .x_name = "x", .y_name = "y", .series = {}};
  for (int i = 0; i < 7; ++i)
    chart.series.push_back({"s", {{0, 0}, {1, 1}}, false});
  const std::string svg = lm::stat::svg(chart);
  CHECK(has(svg, "class=\"line c0\" stroke-dasharray"));
  CHECK(!has(svg, "class=\"line c1\" stroke-dasharray"));
}

TEST_CASE("bars start at zero on either side and show their interval", "[stat]") {
  const BarChart chart{.title = "",
                       .value_name = "gain",
                       .bars = {{"up", 1, .5, 1}, {"down", -1}, {"none", NAN}},
                       .series = {}};
  const std::string svg = lm::stat::svg(chart);
  // Zero lies in the middle of [-1, 1], which spans 8 to 296.
  CHECK(has(svg, "<rect x=\"152.0\" y=\"21.0\" width=\"144.0\""));
  CHECK(has(svg, "<rect x=\"8.0\" y=\"52.0\" width=\"144.0\""));
  CHECK(has(svg, "<line x1=\"224.0\" y1=\"27.0\" x2=\"296.0\" y2=\"27.0\" class=\"whisker\"/>"));
  CHECK(has(svg, ">-1.000</text>"));
  CHECK(has(svg, ">none</text>"));
  CHECK(!has(svg, "nan"));
}
