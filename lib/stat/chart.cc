#include "stat/chart.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/str.h"

namespace lm::stat {

std::string markup_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

namespace {

constexpr f64 kWidth = 360;
constexpr f64 kPlotHeight = 174;
constexpr f64 kLeft = 50;
constexpr f64 kRight = 12;
constexpr i64 kColours = 6;

// Six hues per mode, each with a contrast of at least 4.5 to its background.
constexpr const char* kStyle =
    "<style>"
    ".lm-chart{color-scheme:light dark;--back:#fff;--soft:#555;--rule:#ddd;--c0:#2563a8;"
    "--c1:#b84a0f;--c2:#2e7d45;--c3:#7b3fa0;--c4:#856404;--c5:#0f7277}"
    "@media(prefers-color-scheme:dark){.lm-chart{--back:#16181b;--soft:#a9adb3;--rule:#3a3e44;"
    "--c0:#6fa8e8;--c1:#f09a5b;--c2:#7cc48f;--c3:#c79be8;--c4:#d9bd55;--c5:#5cc3c9}}"
    ".lm-chart .back{fill:var(--back)}.lm-chart .grid{stroke:var(--rule)}"
    ".lm-chart text{font:11px system-ui,sans-serif;fill:var(--soft)}"
    ".lm-chart .title{font-size:13px;font-weight:600}"
    ".lm-chart .end{text-anchor:end}.lm-chart .mid{text-anchor:middle}"
    ".lm-chart .line{fill:none;stroke-width:1.8}.lm-chart .band{stroke:none;fill-opacity:.15}"
    ".lm-chart .whisker{stroke:var(--soft);stroke-width:1.5}"
    ".lm-chart .line.c0{stroke:var(--c0)}.lm-chart .line.c1{stroke:var(--c1)}"
    ".lm-chart .line.c2{stroke:var(--c2)}.lm-chart .line.c3{stroke:var(--c3)}"
    ".lm-chart .line.c4{stroke:var(--c4)}.lm-chart .line.c5{stroke:var(--c5)}"
    ".lm-chart .fill.c0{fill:var(--c0)}.lm-chart .fill.c1{fill:var(--c1)}"
    ".lm-chart .fill.c2{fill:var(--c2)}.lm-chart .fill.c3{fill:var(--c3)}"
    ".lm-chart .fill.c4{fill:var(--c4)}.lm-chart .fill.c5{fill:var(--c5)}"
    "</style>\n";

// A coordinate: a tenth of a unit is finer than any screen shows.
std::string at(f64 value) {
  return format_fixed(value, 1);
}

std::string tick_text(f64 value) {
  if (value >= 1e4) return format_count(value);
  char buf[32];
  const std::to_chars_result end =
      std::to_chars(buf, buf + sizeof buf, value, std::chars_format::general, 4);
  return std::string(buf, end.ptr);
}

std::string text_at(f64 x, f64 y, const char* classes, std::string_view text) {
  return cat("<text x=\"", at(x), "\" y=\"", at(y), "\" class=\"", classes, "\">",
             markup_escaped(text), "</text>\n");
}

std::string line_at(f64 x1, f64 y1, f64 x2, f64 y2, const char* classes) {
  return cat("<line x1=\"", at(x1), "\" y1=\"", at(y1), "\" x2=\"", at(x2), "\" y2=\"", at(y2),
             "\" class=\"", classes, "\"/>\n");
}

std::string colour(i64 series) {
  return cat("c", series % kColours);
}

// Series beyond the colours are told apart by their dashes.
std::string dashes(i64 series) {
  const i64 round = series / kColours;
  return round == 0 ? "" : cat(" stroke-dasharray=\"", 6 / round + 1, " ", 2 + round, "\"");
}

// Round values, at most six, between low and high.
std::vector<f64> ticks(f64 low, f64 high) {
  const f64 rough = (high - low) / 5.5;
  f64 step = std::pow(10.0, std::floor(std::log10(rough)));
  for (const f64 factor : {2.0, 2.5, 2.0}) {
    if (step < rough) step *= factor;
  }
  std::vector<f64> out;
  const f64 first = std::ceil(low / step - 1e-9);
  for (i64 k = 0; (first + static_cast<f64>(k)) * step <= high + 1e-9 * step; ++k)
    out.push_back((first + static_cast<f64>(k)) * step);
  return out;
}

// Round values of each decade between two powers of ten, given as exponents.
std::vector<f64> log_ticks(f64 low, f64 high) {
  std::vector<f64> out;
  const std::vector<f64> in_decade =
      high - low > 1.5 ? std::vector<f64>{1, 3} : std::vector<f64>{1, 2, 5};
  for (f64 e = std::floor(low); e <= high; ++e) {
    for (const f64 m : in_decade) {
      const f64 exponent = e + std::log10(m);
      if (exponent >= low - 1e-9 && exponent <= high + 1e-9) out.push_back(exponent);
    }
  }
  return out;
}

struct Range {
  f64 low = std::numeric_limits<f64>::infinity();
  f64 high = -std::numeric_limits<f64>::infinity();
  void add(f64 value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  void widen_point() {
    if (high - low > 1e-12 * std::max(std::abs(low), std::abs(high))) return;
    const f64 half = low == 0 ? 0.5 : std::abs(low) / 2;
    low -= half;
    high += half;
  }
};

std::string head(f64 height, std::string_view label, std::string_view title) {
  std::string out = cat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", at(kWidth), " ",
                        at(height), "\" class=\"lm-chart\" role=\"img\" aria-label=\"",
                        markup_escaped(label), "\">\n", kStyle, "<rect width=\"", at(kWidth),
                        "\" height=\"", at(height), "\" class=\"back\"/>\n");
  if (!title.empty()) out += text_at(8, 16, "title", title);
  return out;
}

// Names with their colours, in two columns of rows 15 units high.
std::string legend(const std::vector<std::string>& names, f64 top, bool lines) {
  std::string out;
  for (i64 i = 0; i < isize(names); ++i) {
    const f64 x = i % 2 == 0 ? 8 : kWidth / 2 + 4;
    const f64 y = top + 15 * static_cast<f64>(i / 2) + 8;
    if (lines) {
      append(out, "<line x1=\"", at(x), "\" y1=\"", at(y), "\" x2=\"", at(x + 18), "\" y2=\"",
             at(y), "\" class=\"line ", colour(i), "\"", dashes(i), "/>");
    } else {
      append(out, "<rect x=\"", at(x + 4), "\" y=\"", at(y - 5), "\" width=\"10\" height=\"10\" ",
             "class=\"fill ", colour(i), "\"/>");
    }
    out += text_at(x + 23, y + 4, "legend", names[usize(i)]);
  }
  return out;
}

f64 legend_height(i64 names) {
  return 15 * static_cast<f64>((names + 1) / 2) + 6;
}

// The part of a line chart that has coordinates.
class Plot {
 public:
  Plot(const LineChart& chart, Range x, Range y, f64 top)
      : chart_(chart), x_(x), y_(y), top_(top) {}

  std::string axes() const {
    std::string out;
    for (const f64 y : ticks(y_.low, y_.high)) {
      out += line_at(kLeft, fy(y), kWidth - kRight, fy(y), "grid");
      out += text_at(kLeft - 5, fy(y) + 4, "end", tick_text(y));
    }
    for (const f64 x : chart_.log_x ? log_ticks(x_.low, x_.high) : ticks(x_.low, x_.high)) {
      const f64 value = chart_.log_x ? std::pow(10.0, x) : x;
      out += text_at(fx(x), bottom() + 15, "mid", tick_text(value));
    }
    out += text_at((kLeft + kWidth - kRight) / 2, bottom() + 30, "mid", chart_.x_name);
    const f64 middle = top_ + kPlotHeight / 2;
    append(out, "<text x=\"12\" y=\"", at(middle), "\" class=\"mid\" transform=\"rotate(-90 12 ",
           at(middle), ")\">", markup_escaped(chart_.y_name), "</text>\n");
    return out;
  }

  std::string band(i64 number) const {
    std::string there;
    std::string back;
    for (const ChartPoint& p : chart_.series[usize(number)].points) {
      if (!shown(p) || !std::isfinite(p.low) || !std::isfinite(p.high)) continue;
      append(there, there.empty() ? "" : " ", at(fx(across(p))), ",", at(fy(clipped(p.high))));
      back = cat(" ", at(fx(across(p))), ",", at(fy(clipped(p.low))), back);
    }
    if (there.empty()) return "";
    return cat("<polygon points=\"", there, back, "\" class=\"band fill ", colour(number),
               "\"/>\n");
  }

  std::string line(i64 number) const {
    const ChartSeries& series = chart_.series[usize(number)];
    std::string path;
    std::string dots;
    i64 count = 0;
    for (const ChartPoint& p : series.points) {
      if (!shown(p)) continue;
      ++count;
      const std::string x = at(fx(across(p)));
      const std::string y = at(fy(clipped(p.y)));
      append(path, path.empty() ? "" : " ", x, ",", y);
      append(dots, "<circle cx=\"", x, "\" cy=\"", y, "\" r=\"3\" class=\"fill ", colour(number),
             "\"/>\n");
    }
    std::string out = cat("<polyline points=\"", path, "\" class=\"line ", colour(number), "\"",
                          dashes(number), "/>\n");
    return series.dots || count == 1 ? out + dots : out;
  }

  std::string column(f64 begin, f64 end, f64 height) const {
    const f64 left = fx(begin);
    const f64 width = std::max(fx(end) - left - 0.5, 0.5);
    return cat("<rect x=\"", at(left), "\" y=\"", at(fy(height)), "\" width=\"", at(width),
               "\" height=\"", at(bottom() - fy(height)), "\" class=\"fill c0\"/>\n");
  }

  f64 across(const ChartPoint& p) const { return chart_.log_x ? std::log10(p.x) : p.x; }
  bool shown(const ChartPoint& p) const { return std::isfinite(across(p)) && std::isfinite(p.y); }

 private:
  f64 bottom() const { return top_ + kPlotHeight; }
  f64 clipped(f64 y) const { return std::clamp(y, y_.low, y_.high); }
  f64 fx(f64 x) const {
    return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
  }
  f64 fy(f64 y) const { return bottom() - (y - y_.low) / (y_.high - y_.low) * kPlotHeight; }

  const LineChart& chart_;
  Range x_;
  Range y_;
  f64 top_;
};

}  // namespace

std::string svg(const LineChart& chart) {
  Range x;
  Range y;
  const Plot measure(chart, {}, {}, 0);
  std::vector<std::string> names;
  for (const ChartSeries& series : chart.series) {
    names.push_back(series.name);
    for (const ChartPoint& p : series.points) {
      if (!measure.shown(p)) continue;
      x.add(measure.across(p));
      for (const f64 value : {p.y, p.low, p.high})
        y.add(value);
    }
  }
  if (x.empty()) x = y = {0, 1};
  y.low = chart.y_low.value_or(y.low);
  y.high = chart.y_high.value_or(y.high);
  x.widen_point();
  y.widen_point();
  const f64 top = chart.title.empty() ? 12 : 28;
  const f64 below = top + kPlotHeight + 38;
  const f64 height = below + legend_height(isize(names));
  const Plot plot(chart, x, y, top);
  std::string out = head(height, cat(chart.y_name, " by ", chart.x_name), chart.title);
  out += plot.axes();
  for (i64 i = 0; i < isize(chart.series); ++i)
    out += plot.band(i);
  for (i64 i = 0; i < isize(chart.series); ++i)
    out += plot.line(i);
  return out + legend(names, below, true) + "</svg>\n";
}

std::string svg(const BarChart& chart) {
  Range range;
  range.add(0);
  for (const ChartBar& bar : chart.bars) {
    for (const f64 value : {bar.value, bar.low, bar.high})
      range.add(value);
  }
  range.widen_point();
  const f64 left = 8;
  const f64 room = kWidth - left - 64;  // the rest is for the value's text
  const auto fx = [&](f64 v) { return left + (v - range.low) / (range.high - range.low) * room; };
  const f64 top = chart.title.empty() ? 6 : 26;
  const f64 bars_end = top + 31 * static_cast<f64>(isize(chart.bars));
  const bool named = chart.series.size() > 1;
  const f64 height = bars_end + 20 + (named ? legend_height(isize(chart.series)) : 0);
  std::string out = head(height, chart.value_name, chart.title);
  for (i64 i = 0; i < isize(chart.bars); ++i) {
    const ChartBar& bar = chart.bars[usize(i)];
    const f64 y = top + 31 * static_cast<f64>(i);
    out += text_at(left, y + 11, "label", bar.label);
    if (!std::isfinite(bar.value)) {
      out += text_at(fx(0) + 4, y + 25, "value", "-");
      continue;
    }
    const f64 begin = fx(std::min(0.0, bar.value));
    const f64 end = fx(std::max(0.0, bar.value));
    append(out, "<rect x=\"", at(begin), "\" y=\"", at(y + 15), "\" width=\"", at(end - begin),
           "\" height=\"12\" class=\"fill ", colour(bar.series), "\"/>\n");
    f64 text_x = end;
    if (std::isfinite(bar.low) && std::isfinite(bar.high)) {
      out += line_at(fx(bar.low), y + 21, fx(bar.high), y + 21, "whisker");
      for (const f64 tip : {bar.low, bar.high})
        out += line_at(fx(tip), y + 17, fx(tip), y + 25, "whisker");
      text_x = std::max(text_x, fx(bar.high));
    }
    out += text_at(text_x + 5, y + 25, "value", format_fixed(bar.value, 3));
  }
  out += text_at(kWidth / 2, bars_end + 14, "mid", chart.value_name);
  if (named) out += legend(chart.series, bars_end + 18, false);
  return out + "</svg>\n";
}

std::string svg(const HistogramChart& chart) {
  Range x;
  Range y{0, 0};
  const auto across = [&](f64 value) { return chart.log_x ? std::log10(value) : value; };
  for (const HistogramBin& bin : chart.bins) {
    x.add(across(bin.low));
    x.add(across(bin.high));
    y.add(static_cast<f64>(bin.count));
  }
  if (x.empty()) x = {0, 1};
  x.widen_point();
  y.widen_point();
  LineChart axes{.title = chart.title,
                 .x_name = chart.x_name,
                 .y_name = chart.y_name,
                 .series = {},
                 .log_x = chart.log_x};
  const f64 top = chart.title.empty() ? 12 : 28;
  y.low = 0;
  const Plot plot(axes, x, y, top);
  std::string out = head(top + kPlotHeight + 38, cat(chart.y_name, " by value"), chart.title);
  out += plot.axes();
  for (const HistogramBin& bin : chart.bins) {
    const bool point = bin.low == bin.high;
    const f64 begin = point ? x.low : across(bin.low);
    const f64 end = point ? x.high : across(bin.high);
    out += plot.column(begin, end, static_cast<f64>(bin.count));
  }
  return out + "</svg>\n";
}

}  // namespace lm::stat
