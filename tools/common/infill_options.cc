#include "common/infill_options.h"

#include <tuple>

#include "core/error.h"
#include "core/str.h"

namespace lm::tool_options {

namespace {

using cli::FlagKind;

/// Two numbers around a colon, low <= high, both in [least, most].
std::pair<f64, f64> range_option(const cli::Options& options, const std::string& name, f64 least,
                                 f64 most) {
  const std::string& text = options.text(name);
  const std::size_t colon = text.find(':');
  const std::string_view first = std::string_view(text).substr(0, colon);
  const std::string_view second =
      colon == std::string::npos ? first : std::string_view(text).substr(colon + 1);
  const std::optional<f64> low = parse_float(first);
  const std::optional<f64> high = parse_float(second);
  if (!low || !high || !(*low >= least) || !(*high <= most) || !(*low <= *high))
    throw Error(ErrorKind::kUsage, cat("--", name, ' ', quote(text), ": expected LOW:HIGH, from ",
                                       least, " to ", most));
  return {*low, *high};
}

}  // namespace

cli::Flag span_ratio_flag(const std::string& group) {
  return {.name = "span-ratio",
          .kind = FlagKind::kString,
          .value_name = "A:B",
          .group = group,
          .def = "0.05:0.5",
          .help = "share of a document's tokens in masked spans, uniform between the two",
          .main = true};
}

cli::Flag span_length_flag(const std::string& group) {
  return {.name = "span-len",
          .kind = FlagKind::kString,
          .value_name = "A:B",
          .group = group,
          .def = "2:6",
          .help = "mean length of a document's spans in tokens, uniform between the two",
          .main = true};
}

void read_spans(const cli::Options& options, transform::InfillRules& rules) {
  std::tie(rules.low_share, rules.high_share) = range_option(options, "span-ratio", 0, 1);
  std::tie(rules.low_length, rules.high_length) = range_option(options, "span-len", 1, 1e6);
}

}  // namespace lm::tool_options
