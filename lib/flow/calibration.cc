#include "flow/calibration.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "core/str.h"
#include "io/file.h"
#include "io/json.h"

namespace lm::flow {

using text::Value;

namespace {

constexpr const char* kSchema = "lm-flow-calibration/1";
constexpr i64 kMostBytes = i64{1} << 30;
constexpr i64 kMost = i64{1} << 40;

std::string json_of(const Value& value) {
  return text::to_json(value, {.spaced = false});
}

u64 key_of(const io::JsonNode& root, std::string_view name) {
  const std::string text = root.text(name);
  u64 out = 0;
  const std::from_chars_result read =
      std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (text.size() != 16 || read.ptr != text.data() + text.size())
    root.fail(name, "16 hexadecimal digits");
  return out;
}

}  // namespace

CostModel fit_time(const std::vector<CallSample>& samples) {
  std::map<std::pair<i64, bool>, std::pair<f64, f64>> sums;
  for (const CallSample& one : samples) {
    auto& [sum, count] = sums[{one.size, one.last}];
    sum += one.seconds;
    count += 1;
  }
  std::vector<CostSample> out;
  for (const CallSample& one : samples) {
    const auto& [sum, count] = sums[{one.size, one.last}];
    const f64 mean = sum / count;
    out.push_back({one.tokens, one.seconds, mean > 0 ? 1 / (mean * mean) : 1});
  }
  return fit_cost(out);
}

std::optional<i64> extra_tokens(const Calibration& calibration, bool last) {
  std::optional<i64> out;
  for (const CallSample& one : calibration.samples) {
    if (one.last != last) continue;
    if (out && *out != one.extra_tokens) return std::nullopt;
    out = one.extra_tokens;
  }
  return out;
}

std::vector<f64> numbers_of(const Value& value) {
  std::vector<f64> out;
  if (value.is_list())
    for (const Value& item : value.list())
      if (item.is_number()) out.push_back(item.number());
  return out;
}

bool has_length(const CallSample& sample) {
  return numbers_of(sample.value).size() == numbers_of(sample.truth).size();
}

bool is_right(Problem problem, const CallSample& sample) {
  // What a call copies may stand among other things.
  if (problem == Problem::kMultiNeedle && !sample.last && sample.truth.is_string())
    return sample.value.is_string() &&
           sample.value.str().find(sample.truth.str()) != std::string::npos;
  return sample.value == sample.truth;
}

f64 value_error(Problem problem, const CallSample& sample) {
  if (problem == Problem::kCount)
    return (sample.value.is_number() ? sample.value.number() : 0) - sample.truth.number();
  if (problem == Problem::kSort)
    return sort_errors(numbers_of(sample.truth), numbers_of(sample.value))[0].second;
  return is_right(problem, sample) ? 0 : 1;
}

SizeSummary summarise(const Calibration& calibration, i64 size) {
  SizeSummary out;
  out.size = size;
  const bool needles =
      calibration.problem == Problem::kNeedle || calibration.problem == Problem::kMultiNeedle;
  std::vector<f64> errors;
  f64 without = 0;
  f64 invented = 0;
  const bool sort = calibration.problem == Problem::kSort;
  for (const CallSample& one : calibration.samples) {
    if (one.size != size || one.last) continue;
    ++out.calls;
    out.prefill += static_cast<f64>(one.tokens.prefill);
    out.decode += static_cast<f64>(one.tokens.decode);
    out.seconds += one.seconds;
    if (needles && one.needles == 0) {
      without += 1;
      invented += one.value.is_none() ? 0 : 1;
    } else {
      errors.push_back(value_error(calibration.problem, one));
    }
    if (sort) {
      without += 1;
      invented += has_length(one) ? 0 : 1;
    }
  }
  const f64 calls = static_cast<f64>(std::max<i64>(out.calls, 1));
  out.prefill /= calls;
  out.decode /= calls;
  out.seconds /= calls;
  out.false_rate = without > 0 ? invented / without : 0;
  for (const f64 e : errors)
    out.error_mean += e / static_cast<f64>(errors.size());
  if (!needles && errors.size() > 1) {
    for (const f64 e : errors)
      out.error_variance +=
          (e - out.error_mean) * (e - out.error_mean) / static_cast<f64>(errors.size() - 1);
  }
  return out;
}

std::string calibration_json(const Calibration& c) {
  std::string out =
      cat("{\"schema\":\"", kSchema, "\",\"problem\":\"",
          problem_names()[static_cast<std::size_t>(c.problem)], "\",\"graph\":\"",
          hex64(c.graph_key), "\",\"answerer\":\"", hex64(c.answerer_key),
          "\",\"model\":", io::json_string(c.model), ",\"seed\":", c.seed, ",\"trials\":", c.trials,
          ",\n\"time\":{\"a0\":", c.time.a0, ",\"a1\":", c.time.a1, ",\"a2\":", c.time.a2,
          ",\"b1\":", c.time.b1, ",\"b2\":", c.time.b2, "},\n\"sizes\":[");
  for (std::size_t i = 0; i < c.sizes.size(); ++i) {
    const SizeSummary s = summarise(c, c.sizes[i]);
    append(out, i > 0 ? "," : "", "\n {\"size\":", s.size, ",\"calls\":", s.calls,
           ",\"error_mean\":", s.error_mean, ",\"error_variance\":", s.error_variance,
           ",\"false_rate\":", s.false_rate, ",\"prefill_tokens\":", s.prefill,
           ",\"decode_tokens\":", s.decode, ",\"seconds\":", s.seconds, "}");
  }
  out += "],\n\"samples\":[";
  for (std::size_t i = 0; i < c.samples.size(); ++i) {
    const CallSample& s = c.samples[i];
    append(out, i > 0 ? "," : "", "\n {\"size\":", s.size, ",\"needles\":", s.needles,
           ",\"last\":", s.last, ",\"truth\":", json_of(s.truth), ",\"value\":", json_of(s.value),
           ",\"prefill\":", s.tokens.prefill, ",\"decode\":", s.tokens.decode,
           ",\"extra\":", s.extra_tokens, ",\"seconds\":", s.seconds, "}");
  }
  return out + "]}\n";
}

namespace {

/// A sample is one that calls of the problem make.
void check_sample(const Calibration& c, const CallSample& sample, const io::JsonNode& node) {
  const bool needles = c.problem == Problem::kNeedle || c.problem == Problem::kMultiNeedle;
  if (sample.last && c.problem != Problem::kMultiNeedle)
    node.fail("last", "false: the problem has no last call");
  if (sample.needles > 0 && !needles) node.fail("needles", "0: the problem has none");
  if (!sample.last && !std::binary_search(c.sizes.begin(), c.sizes.end(), sample.size))
    node.fail("size", "one of the sizes of key \"sizes\"");
  const Value& truth = sample.truth;
  if (c.problem == Problem::kCount && !truth.is_number()) node.fail("truth", "a number: a count");
  if (c.problem == Problem::kSort &&
      (!truth.is_list() || numbers_of(truth).size() != truth.list().size()))
    node.fail("truth", "a list of numbers");
  if (needles && !sample.last && (sample.needles > 0) != truth.is_string())
    node.fail("truth",
              sample.needles > 0 ? "a text: a needle is there" : "null: there is no needle");
}

bool alike(f64 a, f64 b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

/// What is said of sizes, and the times of calls, are what the samples come to. Times are compared
/// by what they say of the samples: of coefficients that say nearly the same, machines may choose
/// different ones.
void check_figures(const Calibration& c, const io::JsonNode& root) {
  for (std::size_t i = 0; i < c.sizes.size(); ++i) {
    const SizeSummary own = summarise(c, c.sizes[i]);
    if (own.calls == 0) root.fail("samples", cat("a sample of size ", c.sizes[i], " at least"));
    const io::JsonNode node = root.array("sizes").item(static_cast<i64>(i));
    const auto check = [&](const char* key, f64 value) {
      constexpr f64 kHuge = 1e300;
      if (!alike(node.number(key, -kHuge, kHuge), value))
        node.fail(key, cat(value, ", which the samples of size ", own.size, " come to"));
    };
    check("calls", static_cast<f64>(own.calls));
    check("error_mean", own.error_mean);
    check("error_variance", own.error_variance);
    check("false_rate", own.false_rate);
    check("prefill_tokens", own.prefill);
    check("decode_tokens", own.decode);
    check("seconds", own.seconds);
  }
  const CostModel fitted = fit_time(c.samples);
  f64 off = 0;
  f64 all = 0;
  for (const CallSample& one : c.samples) {
    off += std::abs(c.time.of(one.tokens) - fitted.of(one.tokens));
    all += one.seconds;
  }
  if (off > 1e-3 * all + 1e-12)
    root.fail("time", cat("a0 ", fitted.a0, ", a1 ", fitted.a1, ", a2 ", fitted.a2, ", b1 ",
                          fitted.b1, ", b2 ", fitted.b2, ", which the samples come to"));
}

}  // namespace

Calibration read_calibration(const std::string& path) {
  const std::string text = io::read_file(path, kMostBytes);
  const io::Json json = io::parse_object(text, path);
  const io::JsonNode root(json, path);
  if (root.text_or("schema", "") != kSchema)
    root.fail(cat("is no file of lm-flow calibrate: schema is not ", kSchema));
  Calibration out;
  const std::optional<Problem> problem = problem_of(root.text("problem"));
  if (!problem) root.fail("problem", cat("one of ", join(problem_names(), ", ")));
  out.problem = *problem;
  out.graph_key = key_of(root, "graph");
  out.answerer_key = key_of(root, "answerer");
  out.model = root.text_or("model", "");
  root.at("seed");
  if (!json.at("seed").is_number_unsigned())
    root.fail("seed", "a whole number from 0 to 18446744073709551615");
  out.seed = json.at("seed").get<u64>();
  out.trials = root.integer("trials", 1, kMost);
  const io::JsonNode time = root.object("time");
  constexpr f64 kHuge = 1e300;
  out.time = {time.number("a0", 0, kHuge), time.number("a1", 0, kHuge), time.number("a2", 0, kHuge),
              time.number("b1", 0, kHuge), time.number("b2", 0, kHuge)};
  root.array("sizes").each_item(
      [&](const io::JsonNode& one) { out.sizes.push_back(one.integer("size", 1, kMost)); });
  if (out.sizes.empty() || std::adjacent_find(out.sizes.begin(), out.sizes.end(),
                                              std::greater_equal<>()) != out.sizes.end())
    root.fail("sizes", "sizes in ascending order, each once");
  root.array("samples").each_item([&](const io::JsonNode& one) {
    CallSample& s = out.samples.emplace_back();
    s.size = one.integer("size", 1, kMost);
    s.needles = one.integer("needles", 0, kMost);
    s.last = one.flag("last");
    s.tokens = {one.integer("prefill", 0, kMost), one.integer("decode", 0, kMost)};
    s.extra_tokens = one.integer("extra", -kMost, kMost);
    s.seconds = one.number("seconds", 0, kHuge);
  });
  // Values of any kind are read by their own parser, which keeps whole numbers whole.
  const io::Json& list = json.at("samples");
  for (std::size_t i = 0; i < out.samples.size(); ++i) {
    for (const char* const key : {"truth", "value"}) {
      const io::JsonNode node = root.array("samples").item(static_cast<i64>(i));
      if (!node.contains(key)) node.fail(cat("has no ", key));
      Result<Value> value = text::parse_json_value(list[i].at(key).dump());
      if (!value) node.fail(value.fault().detail);
      (key[0] == 't' ? out.samples[i].truth : out.samples[i].value) = std::move(*value);
    }
    check_sample(out, out.samples[i], root.array("samples").item(static_cast<i64>(i)));
  }
  check_figures(out, root);
  return out;
}

}  // namespace lm::flow
