#pragma once
// Charts as self-contained SVG: 360 units wide as a phone is, colours that follow the reader's
// choice of light or dark, legend below the plot. The same look as the report of scripts/demo. An
// SVG may stand in a file of its own or inside a page. Pure functions: same chart, same bytes.

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::stat {

inline constexpr f64 kNoValue = std::numeric_limits<f64>::quiet_NaN();

/// low and high: an interval around y, left out if either is NaN.
struct ChartPoint {
  f64 x = 0;
  f64 y = 0;
  f64 low = kNoValue;
  f64 high = kNoValue;
};

struct ChartSeries {
  std::string name;
  std::vector<ChartPoint> points;  // ascending x; a point that is not finite is left out
  bool dots = false;               // mark the points; one point is always marked
};

struct LineChart {
  std::string title;
  std::string x_name;
  std::string y_name;
  std::vector<ChartSeries> series;
  bool log_x = false;          // points with x <= 0 are left out
  std::optional<f64> y_low{};  // else what the values need
  std::optional<f64> y_high{};
};
/// Intervals are bands behind the lines.
std::string svg(const LineChart& chart);

struct ChartBar {
  std::string label;
  f64 value = 0;
  f64 low = kNoValue;
  f64 high = kNoValue;
  i64 series = 0;  // colour; index into BarChart::series
};

struct BarChart {
  std::string title;
  std::string value_name;
  std::vector<ChartBar> bars;            // from top to bottom
  std::vector<std::string> series = {};  // for the legend, where there are several
};
/// Horizontal bars from zero, with the value as text and intervals as whiskers. A value that is not
/// finite has its label and a dash.
std::string svg(const BarChart& chart);

struct HistogramBin {
  f64 low = 0;
  f64 high = 0;
  i64 count = 0;
};

struct HistogramChart {
  std::string title;
  std::string x_name;
  std::string y_name;
  std::vector<HistogramBin> bins;  // ascending; low == high: one value
  bool log_x = false;              // every low > 0
};
/// Columns as wide as their bins.
std::string svg(const HistogramChart& chart);

/// text inside an element or an attribute of HTML or SVG: & < > and " escaped.
std::string markup_escaped(std::string_view text);

}  // namespace lm::stat
