#include "decode/params.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include <simdjson.h>

#include "core/str.h"
#include "io/json.h"
#include "text/value.h"

namespace lm::decode {

namespace {

using P = SampleParams;
constexpr f64 kInf = std::numeric_limits<f64>::infinity();
constexpr f64 kMany = 1e9;     // bound of counts
constexpr f64 kMaxBias = 1e9;  // with it no later step leaves the range of f64

constexpr NumberParam kNumbers[] = {
    {"n", &P::n, nullptr, 1, 65536, "samples per record"},
    {"max_tokens", &P::max_tokens, nullptr, 0, kMany, "most tokens of a sample"},
    {"min_tokens", &P::min_tokens, nullptr, 0, kMany, "ends are banned before that many tokens"},
    {"temperature", nullptr, &P::temperature, 0, 1e6,
     "divides logits; 0 takes the likeliest token"},
    {"top_k", &P::top_k, nullptr, 0, kMany, "keep the K likeliest tokens and ties; 0 is off"},
    {"top_p", nullptr, &P::top_p, 0, 1,
     "keep the likeliest tokens of joint probability P; 1 is off"},
    {"min_p", nullptr, &P::min_p, 0, 1,
     "keep tokens of at least P times the likeliest's probability"},
    {"typical", nullptr, &P::typical, 1e-9, 1,
     "keep tokens of surprise close to the entropy, of joint probability TAU; 1 is off"},
    {"epsilon", nullptr, &P::epsilon, 0, 1, "keep tokens of at least this probability"},
    {"eta", nullptr, &P::eta, 0, 1, "the same, lowered where entropy is high"},
    {"top_n_sigma", nullptr, &P::top_n_sigma, 0, 1e6,
     "keep logits within N standard deviations of the largest; 0 is off"},
    {"xtc_probability", nullptr, &P::xtc_probability, 0, 1, "how often likely tokens are excluded"},
    {"xtc_threshold", nullptr, &P::xtc_threshold, 0, 1, "what counts as likely there"},
    {"min_keep", &P::min_keep, nullptr, 1, kMany, "tokens that every truncation leaves"},
    {"repetition_penalty", nullptr, &P::repetition_penalty, 1e-6, 1e6,
     "divides positive and multiplies negative logits of tokens that occurred; 1 is off"},
    {"frequency_penalty", nullptr, &P::frequency_penalty, -1e6, 1e6,
     "subtracted per occurrence of a token in the output"},
    {"presence_penalty", nullptr, &P::presence_penalty, -1e6, 1e6,
     "subtracted once for a token that occurred in the output"},
    {"penalty_last_n", &P::penalty_last_n, nullptr, 0, kMany,
     "penalties look at the last N tokens; 0 is all"},
    {"no_repeat_ngram", &P::no_repeat_ngram, nullptr, 0, kMany,
     "ban tokens that would repeat an n-gram of this size; 0 is off"},
    {"dry_multiplier", nullptr, &P::dry_multiplier, 0, 1e6,
     "DRY penalty of a repeated sequence; 0 is off"},
    {"dry_base", nullptr, &P::dry_base, 1, 1e6, "its growth per token of the sequence"},
    {"dry_allowed", &P::dry_allowed, nullptr, 1, kMany,
     "length from which a sequence is penalised"},
    {"loop_size", &P::loop_size, nullptr, 0, 4096,
     "end a text that repeats an n-gram of up to this size in a row; 0 is off"},
    {"loop_count", &P::loop_count, nullptr, 2, 4096, "so many times"},
};

constexpr std::array<std::pair<const char*, Step>, 13> kSteps = {{
    {"repetition", Step::kRepetition},
    {"frequency", Step::kFrequency},
    {"no_repeat", Step::kNoRepeat},
    {"dry", Step::kDry},
    {"temperature", Step::kTemperature},
    {"top_k", Step::kTopK},
    {"top_p", Step::kTopP},
    {"min_p", Step::kMinP},
    {"typical", Step::kTypical},
    {"epsilon", Step::kEpsilon},
    {"eta", Step::kEta},
    {"top_n_sigma", Step::kTopNSigma},
    {"xtc", Step::kXtc},
}};

using Element = simdjson::dom::element;

Fault wrong(std::string_view name, Element value, std::string_view expected) {
  const std::string seen = simdjson::minify(value);
  return Fault{"params",
               cat("params.", name, " is ", std::string_view(seen).substr(0, 40),
                   seen.size() > 40 ? "..." : "", ", expected ", expected),
               -1};
}

std::optional<Fault> set_number(const NumberParam& param, Element value, SampleParams& out) {
  f64 number = 0;
  const bool ok = value.get(number) == simdjson::SUCCESS && number >= param.low &&
                  number <= param.high && (param.whole == nullptr || number == std::floor(number));
  if (!ok) {
    return wrong(param.name, value,
                 cat(param.whole != nullptr ? "a whole number" : "a number", " from ", param.low,
                     " to ", param.high));
  }
  if (param.whole != nullptr) {
    out.*param.whole = static_cast<i64>(number);
  } else {
    out.*param.real = number;
  }
  return std::nullopt;
}

/// A string or an array of strings, none empty.
std::optional<Fault> set_strings(std::string_view name, Element value,
                                 std::vector<std::string>& out) {
  std::vector<std::string> texts;
  const auto add = [&](Element item) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS || text.empty()) return false;
    texts.emplace_back(text);
    return true;
  };
  bool ok = true;
  if (value.is_array()) {
    for (const Element item : value.get_array())
      ok = ok && add(item);
  } else {
    ok = add(value);
  }
  if (!ok) return wrong(name, value, "a non-empty string or a list of them");
  out = std::move(texts);
  return std::nullopt;
}

std::optional<Fault> set_ids(std::string_view name, Element value, std::vector<i32>& out) {
  std::vector<i32> ids;
  if (!value.is_array()) return wrong(name, value, "a list of token ids");
  for (const Element item : value.get_array()) {
    i64 id = 0;
    if (item.get(id) != simdjson::SUCCESS || id < 0 || id > std::numeric_limits<i32>::max())
      return wrong(name, value, "a list of token ids");
    ids.push_back(static_cast<i32>(id));
  }
  out = std::move(ids);
  return std::nullopt;
}

/// {"17": -2.5, "99": null}: null bans.
std::optional<Fault> set_bias(Element value, std::vector<std::pair<i32, f64>>& out) {
  const std::string expected =
      cat("an object of token ids and numbers from -", kMaxBias, " to ", kMaxBias, " (null bans)");
  std::vector<std::pair<i32, f64>> bias;
  if (!value.is_object()) return wrong("logit_bias", value, expected);
  for (const simdjson::dom::key_value_pair field : value.get_object()) {
    const std::optional<i64> id = parse_int(field.key);
    f64 number = -kInf;
    const bool ok = id && *id >= 0 && *id <= std::numeric_limits<i32>::max() &&
                    (field.value.is_null() || (field.value.get(number) == simdjson::SUCCESS &&
                                               std::abs(number) <= kMaxBias));
    if (!ok) return wrong("logit_bias", value, expected);
    bias.emplace_back(static_cast<i32>(*id), number);
  }
  std::sort(bias.begin(), bias.end());
  out = std::move(bias);
  return std::nullopt;
}

std::optional<Fault> set_flag(std::string_view name, Element value, bool& out) {
  if (value.get(out) != simdjson::SUCCESS) return wrong(name, value, "true or false");
  return std::nullopt;
}

/// One of two words.
std::optional<Fault> set_word(std::string_view name, Element value, std::string_view off,
                              std::string_view on, bool& out) {
  std::string_view word;
  if (value.get(word) != simdjson::SUCCESS || (word != off && word != on))
    return wrong(name, value, cat("\"", off, "\" or \"", on, "\""));
  out = word == on;
  return std::nullopt;
}

std::optional<Fault> set_other(std::string_view name, Element value, SampleParams& out) {
  if (name == "stop") return set_strings(name, value, out.stop);
  if (name == "stop_ids") return set_ids(name, value, out.stop_ids);
  if (name == "include_stop") return set_flag(name, value, out.include_stop);
  if (name == "ignore_eos") return set_flag(name, value, out.ignore_eos);
  if (name == "logit_bias") return set_bias(value, out.logit_bias);
  if (name == "dry_breakers") return set_strings(name, value, out.dry_breakers);
  if (name == "penalty_scope") return set_word(name, value, "output", "all", out.penalty_all);
  if (name == "typical_ties") return set_word(name, value, "keep", "cut", out.typical_cut);
  if (name == "greedy") {
    bool greedy = false;
    if (std::optional<Fault> fault = set_flag(name, value, greedy)) return fault;
    if (greedy) out.temperature = 0;
    return std::nullopt;
  }
  if (name == "seed") {
    u64 seed = 0;
    if (value.get(seed) != simdjson::SUCCESS)
      return wrong(name, value, "a whole number from 0 to 18446744073709551615");
    out.seed = seed;
    return std::nullopt;
  }
  if (name == "dtype") {  // of a record that a run with bf16 made; the run decides
    if (!value.is_string()) return wrong(name, value, "a string");
    return std::nullopt;
  }
  if (name == "sampler_order") {
    std::string_view order;
    if (value.get(order) != simdjson::SUCCESS) return wrong(name, value, "a string");
    const Result<std::vector<Step>> steps = parse_order(order);
    if (!steps) return steps.fault();
    out.sampler_order = order;
    return std::nullopt;
  }
  const std::string near = nearest_name(name, param_names());
  return Fault{"params",
               cat("unknown parameter ", quote(name),
                   near.empty() ? "" : cat("; did you mean \"", near, "\"?")),
               -1};
}

std::string string_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts)
    append(out, out.size() > 1 ? "," : "", io::json_string(text));
  return out + "]";
}

}  // namespace

std::span<const NumberParam> number_params() {
  return kNumbers;
}

std::vector<std::string> param_names() {
  std::vector<std::string> names;
  for (const NumberParam& param : kNumbers)
    names.emplace_back(param.name);
  for (const char* name :
       {"stop", "stop_ids", "include_stop", "ignore_eos", "logit_bias", "dry_breakers",
        "penalty_scope", "typical_ties", "greedy", "seed", "sampler_order", "dtype"})
    names.emplace_back(name);
  return names;
}

std::optional<Fault> apply_params(std::string_view json, SampleParams& params) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  Element root;
  const simdjson::error_code code = parser.parse(simdjson::padded_string(json)).get(root);
  if (code == simdjson::NUMBER_ERROR) {
    // A number beyond 64 bits is still one, of which its parameter says the range.
    const Result<text::Value> value = text::parse_json_value(json);
    if (value) return apply_params(text::to_json(*value), params);
    return Fault{"params", cat("field \"params\": ", value.fault().detail), -1};
  }
  if (code != simdjson::SUCCESS)
    return Fault{"params", cat("field \"params\": ", simdjson::error_message(code)), -1};
  if (root.get(object) != simdjson::SUCCESS)
    return Fault{"params", "field \"params\" is not an object", -1};
  SampleParams changed = params;
  std::set<std::string_view> seen;
  for (const simdjson::dom::key_value_pair field : object) {
    const auto known = std::find_if(std::begin(kNumbers), std::end(kNumbers),
                                    [&](const NumberParam& p) { return field.key == p.name; });
    if (!seen.insert(field.key).second)
      return Fault{"params", cat("params.", field.key, " is there twice"), -1};
    std::optional<Fault> fault = known != std::end(kNumbers)
                                     ? set_number(*known, field.value, changed)
                                     : set_other(field.key, field.value, changed);
    if (fault) return fault;
  }
  params = std::move(changed);
  return std::nullopt;
}

bool is_own_distribution(const SampleParams& p) {
  return p.temperature == 1 && p.top_k == 0 && p.top_p == 1 && p.min_p == 0 && p.typical == 1 &&
         p.epsilon == 0 && p.eta == 0 && p.top_n_sigma == 0 && p.xtc_probability == 0 &&
         p.repetition_penalty == 1 && p.frequency_penalty == 0 && p.presence_penalty == 0 &&
         p.no_repeat_ngram == 0 && p.dry_multiplier == 0;
}

Result<std::vector<Step>> parse_order(std::string_view order) {
  if (order == "hf") {
    std::vector<Step> all;
    all.reserve(std::size(kSteps));
    for (const auto& [name, step] : kSteps)
      all.push_back(step);
    return all;
  }
  if (order == "llama") {
    return std::vector<Step>{Step::kRepetition, Step::kFrequency, Step::kNoRepeat,   Step::kDry,
                             Step::kTopNSigma,  Step::kTopK,      Step::kTypical,    Step::kTopP,
                             Step::kMinP,       Step::kXtc,       Step::kTemperature};
  }
  std::vector<Step> steps;
  for (const std::string_view part : split(order, ';')) {
    const auto known = std::find_if(kSteps.begin(), kSteps.end(),
                                    [&](const auto& step) { return trim(part) == step.first; });
    if (known == kSteps.end()) {
      std::string names;
      for (const auto& [name, step] : kSteps)
        append(names, names.empty() ? "" : ", ", name);
      return Fault{"params",
                   cat("unknown sampler step ", quote(trim(part)),
                       "; expected hf, llama or a list of ", names),
                   -1};
    }
    steps.push_back(known->second);
  }
  return steps;
}

Result<std::pair<i32, f64>> parse_bias(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view number = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::optional<i64> id = parse_int(text.substr(0, colon));
  const std::optional<f64> value = number == "-inf" ? -kInf : parse_float(number);
  const bool ok = id && *id >= 0 && *id <= std::numeric_limits<i32>::max() && value &&
                  (*value == -kInf || std::abs(*value) <= kMaxBias);
  if (!ok)
    return Fault{
        "params",
        cat(quote(text), " is not ID:NUMBER, -", kMaxBias, " to ", kMaxBias, ", or ID:-inf"), -1};
  return std::pair<i32, f64>(static_cast<i32>(*id), *value);
}

namespace {

/// "name":value
void append_number(std::string& out, const NumberParam& param, const SampleParams& params) {
  append(out, "\"", param.name, "\":");
  if (param.whole != nullptr) {
    append(out, params.*param.whole);
  } else {
    io::append_json_number(out, params.*param.real);
  }
}

std::string bias_json(const SampleParams& params) {
  std::string out = "{";
  for (const auto& [id, bias] : params.logit_bias) {
    append(out, out.size() > 1 ? "," : "", "\"", id, "\":");
    io::append_json_number(out, bias);  // -infinity becomes null
  }
  return out + "}";
}

}  // namespace

std::string params_json(const SampleParams& params, const std::vector<std::string>& names) {
  const auto named = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::string out = "{";
  const auto comma = [&] { return out.size() > 1 ? "," : ""; };
  for (const NumberParam& param : kNumbers) {
    if (!named(param.name)) continue;
    out += comma();
    append_number(out, param, params);
  }
  if (named("stop")) append(out, comma(), "\"stop\":", string_list(params.stop));
  if (named("logit_bias")) append(out, comma(), "\"logit_bias\":", bias_json(params));
  return out + "}";
}

std::string params_json(const SampleParams& params, DType activation) {
  std::string out = "{";
  for (const NumberParam& param : kNumbers) {
    if (out.size() > 1) out += ',';
    append_number(out, param, params);
  }
  append(out, ",\"penalty_scope\":\"", params.penalty_all ? "all" : "output",
         "\",\"typical_ties\":\"", params.typical_cut ? "cut" : "keep",
         "\",\"sampler_order\":", io::json_string(params.sampler_order));
  append(out, ",\"stop\":", string_list(params.stop), ",\"stop_ids\":[");
  for (std::size_t i = 0; i < params.stop_ids.size(); ++i)
    append(out, i > 0 ? "," : "", params.stop_ids[i]);
  append(out, "],\"include_stop\":", params.include_stop, ",\"ignore_eos\":", params.ignore_eos,
         ",\"logit_bias\":", bias_json(params));
  if (params.dry_multiplier > 0)
    append(out, ",\"dry_breakers\":", string_list(params.dry_breakers));
  if (params.seed) append(out, ",\"seed\":", *params.seed);
  if (activation != DType::kF32) append(out, ",\"dtype\":\"", dtype_name(activation), "\"");
  return out + "}";
}

}  // namespace lm::decode
