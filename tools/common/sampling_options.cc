#include "common/sampling_options.h"

#include <algorithm>

#include "common/model_options.h"
#include "core/str.h"

namespace lm::tool_options {

using cli::Flag;
using cli::FlagKind;
using decode::NumberParam;
using decode::SampleParams;

namespace {

std::string flag_name(const NumberParam& param) {
  std::string name = param.name;
  if (name == "n") return "samples";
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string flag_default(const NumberParam& param) {
  const SampleParams neutral;
  return param.whole != nullptr ? cat(neutral.*param.whole) : cat(neutral.*param.real);
}

Flag number_flag(const NumberParam& param) {
  const std::string name = param.name;
  const bool length = name == "n" || name == "max_tokens" || name == "min_tokens" ||
                      name == "loop_size" || name == "loop_count";
  Flag flag;
  flag.name = flag_name(param);
  flag.letter = name == "n" ? 'n' : name == "top_k" ? 'k' : '\0';
  flag.kind = param.whole != nullptr ? FlagKind::kCount : FlagKind::kFloat;
  flag.value_name = name == "typical" ? "TAU" : param.whole != nullptr ? "N" : "X";
  flag.group = length ? "Length and end" : "Sampling";
  flag.def = flag_default(param);
  flag.help = param.help;
  flag.min = param.low;
  flag.max = param.high;
  flag.main = name == "n" || name == "max_tokens" || name == "temperature" || name == "top_p";
  return flag;
}

std::vector<std::pair<i32, f64>> bias_of(const std::vector<std::string>& texts) {
  std::vector<std::pair<i32, f64>> out;
  for (const std::string& text : texts) {
    const Result<std::pair<i32, f64>> bias = decode::parse_bias(text);
    if (!bias) throw Error(ErrorKind::kUsage, cat("--logit-bias: ", bias.fault().detail));
    out.push_back(*bias);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Ids that are none of the model's. bias: what names those of logit_bias.
void check_ids(const SampleParams& params, i64 vocab, const std::string& bias, ErrorKind kind) {
  const auto check = [&](const std::string& what, ErrorKind of, i32 id) {
    if (id >= vocab)
      throw Error(of, cat(what, ": the model has no token ", id),
                  cat("its vocabulary has ", vocab));
  };
  for (const auto& [id, value] : params.logit_bias)
    check(bias, kind, id);
  for (const i32 id : params.stop_ids)
    check("--stop-id", ErrorKind::kUsage, id);
}

}  // namespace

std::vector<Flag> sampling_flags() {
  std::vector<Flag> flags;
  for (const NumberParam& param : decode::number_params())
    flags.push_back(number_flag(param));
  const std::string sampling = "Sampling";
  const std::string end = "Length and end";
  flags.push_back({.name = "greedy",
                   .kind = FlagKind::kSwitch,
                   .group = sampling,
                   .help = "take the likeliest token; the same as --temperature 0",
                   .main = true,
                   .excludes = {"temperature"}});
  flags.push_back({.name = "typical-ties",
                   .kind = FlagKind::kChoice,
                   .value_name = "HOW",
                   .group = sampling,
                   .def = "keep",
                   .help = "what --typical does with ties",
                   .choices = {"keep", "cut"}});
  flags.push_back({.name = "penalty-scope",
                   .kind = FlagKind::kChoice,
                   .value_name = "WHAT",
                   .group = sampling,
                   .def = "output",
                   .help = "what frequency and presence penalties count",
                   .choices = {"output", "all"}});
  flags.push_back({.name = "dry-breaker",
                   .kind = FlagKind::kList,
                   .value_name = "TEXT",
                   .group = sampling,
                   .help = "tokens with this text end DRY's sequences",
                   .details = "Default: a newline, a colon, a double quote and an asterisk."});
  flags.push_back({.name = "logit-bias",
                   .kind = FlagKind::kList,
                   .value_name = "ID:X",
                   .group = sampling,
                   .help = "add X to a token's logit; ID:-inf bans it"});
  flags.push_back({.name = "sampler-order",
                   .kind = FlagKind::kString,
                   .value_name = "ORDER",
                   .group = sampling,
                   .def = "hf",
                   .help = "hf, llama, or names joined by ';'",
                   .details =
                       "hf: repetition;frequency;no_repeat;dry;temperature;top_k;top_p;min_p;"
                       "typical;epsilon;eta;top_n_sigma;xtc. llama: the same penalties, then "
                       "top_n_sigma;top_k;typical;top_p;min_p;xtc;temperature. A step that "
                       "is not named does not run."});
  flags.push_back({.name = "stop",
                   .kind = FlagKind::kList,
                   .value_name = "TEXT",
                   .group = end,
                   .help = "end before this text; may be repeated",
                   .main = true});
  flags.push_back({.name = "stop-id",
                   .kind = FlagKind::kList,
                   .value_name = "ID",
                   .group = end,
                   .help = "end at this token; may be repeated"});
  flags.push_back({.name = "include-stop",
                   .kind = FlagKind::kSwitch,
                   .group = end,
                   .help = "keep the stop text"});
  flags.push_back({.name = "ignore-eos",
                   .kind = FlagKind::kSwitch,
                   .group = end,
                   .help = "go on after the model's end tokens"});
  return flags;
}

decode::ModelDefaults model_defaults(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (!options.on("model-defaults")) return {};
  const std::string folder = model::model_parts(model_folder(options)).base;
  decode::ModelDefaults out = decode::read_model_defaults(folder);
  const std::string file = cat(folder, "/generation_config.json");
  for (const std::string& note : out.notes)
    tool.console().message(LogLevel::kWarning, cat(file, ": ", note));
  if (out.takes("temperature") && out.params.temperature == 0 && !options.asked("temperature")) {
    for (const char* const flag :
         {"top-k", "top-p", "min-p", "typical", "epsilon", "eta", "top-n-sigma", "xtc-probability"})
      if (options.asked(flag))
        tool.console().message(LogLevel::kWarning,
                               cat("--", flag, " has no effect: ", file,
                                   " says do_sample false; --temperature 1 samples"));
  }
  if (!out.quiet.empty())
    tool.console().message(LogLevel::kInfo, cat(file, ": not followed: ", join(out.quiet, ", ")));
  if (out.taken.empty()) return out;
  const std::string json = decode::params_json(out.params, out.taken);
  tool.set_param("model_defaults", json);
  tool.console().message(LogLevel::kInfo, cat(file, ": ", json));
  return out;
}

SampleParams params_of(const cli::Options& options, u64 seed, i64 vocab,
                       const decode::ModelDefaults& defaults) {
  SampleParams out;
  out.seed = seed;
  const auto by_model = [&](const char* flag, const char* param) {
    return defaults.takes(param) && !options.asked(flag);
  };
  for (const NumberParam& param : decode::number_params()) {
    const std::string flag = flag_name(param);
    if (by_model(flag.c_str(), param.name)) {
      if (param.whole != nullptr) out.*param.whole = defaults.params.*param.whole;
      if (param.real != nullptr) out.*param.real = defaults.params.*param.real;
    } else if (param.whole != nullptr) {
      out.*param.whole = options.integer(flag);
    } else {
      out.*param.real = options.real(flag);
    }
  }
  // Not every program offers it.
  if (options.find("greedy") != nullptr && options.on("greedy")) out.temperature = 0;
  out.typical_cut = options.text("typical-ties") == "cut";
  out.penalty_all = options.text("penalty-scope") == "all";
  if (!options.list("dry-breaker").empty()) out.dry_breakers = options.list("dry-breaker");
  out.logit_bias = by_model("logit-bias", "logit_bias") ? defaults.params.logit_bias
                                                        : bias_of(options.list("logit-bias"));
  const Result<std::vector<decode::Step>> order =
      decode::parse_order(options.text("sampler-order"));
  if (!order) throw Error(ErrorKind::kUsage, cat("--sampler-order: ", order.fault().detail));
  out.sampler_order = options.text("sampler-order");
  out.stop = by_model("stop", "stop") ? defaults.params.stop : options.list("stop");
  for (const std::string& text : out.stop)
    if (text.empty()) throw Error(ErrorKind::kUsage, "--stop: the text is empty");
  for (const std::string& text : options.list("stop-id")) {
    const std::optional<i64> id = parse_int(text);
    if (!id || *id < 0 || *id > std::numeric_limits<i32>::max())
      throw Error(ErrorKind::kUsage, cat("--stop-id: ", quote(text), " is not a token id"));
    out.stop_ids.push_back(static_cast<i32>(*id));
  }
  out.include_stop = options.on("include-stop");
  out.ignore_eos = options.on("ignore-eos");
  if (by_model("logit-bias", "logit_bias")) {
    check_ids(out, vocab, "generation_config.json: suppress_tokens", ErrorKind::kData);
  } else {
    check_ids(out, vocab, "--logit-bias", ErrorKind::kUsage);
  }
  return out;
}

}  // namespace lm::tool_options
