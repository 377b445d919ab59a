#include "decode/model_defaults.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"

namespace lm::decode {

namespace {

using io::JsonNode;

struct Renamed {
  const char* key;   // in the file
  const char* name;  // of ours
};
constexpr Renamed kNumbers[] = {
    {"num_return_sequences", "n"},
    {"max_new_tokens", "max_tokens"},
    {"min_new_tokens", "min_tokens"},
    {"temperature", "temperature"},
    {"top_k", "top_k"},
    {"top_p", "top_p"},
    {"min_p", "min_p"},
    {"typical_p", "typical"},
    {"epsilon_cutoff", "epsilon"},
    {"eta_cutoff", "eta"},
    {"repetition_penalty", "repetition_penalty"},
    {"no_repeat_ngram_size", "no_repeat_ngram"},
};

/// Settings that are not done here, and the number that leaves them off.
struct Refused {
  const char* key;
  f64 off;
};
constexpr Refused kRefusedNumbers[] = {
    {"num_beams", 1},
    {"num_beam_groups", 1},
    {"diversity_penalty", 0},
    {"penalty_alpha", 0},
    {"guidance_scale", 1},
    {"encoder_repetition_penalty", 1},
    {"encoder_no_repeat_ngram_size", 0},
    {"min_length", 0},
    {"top_h", 1},
};
/// The same of those that are off when absent, null, false or empty.
constexpr const char* kRefused[] = {
    "dola_layers",         "forced_bos_token_id",
    "forced_eos_token_id", "forced_decoder_ids",
    "force_words_ids",     "constraints",
    "bad_words_ids",       "begin_suppress_tokens",
    "sequence_bias",       "exponential_decay_length_penalty",
    "watermarking_config", "token_healing",
};

/// What says nothing of what a text becomes, here or at all.
constexpr const char* kWithoutEffect[] = {
    "_attn_implementation",
    "_commit_hash",
    "_from_model_config",
    "assistant_confidence_threshold",
    "assistant_early_exit",
    "assistant_lookbehind",
    "assistant_temperature",
    "bos_token_id",
    "cache_config",
    "cache_implementation",
    "compile_config",
    "continuous_batching_config",
    "decoder_start_token_id",
    "disable_compile",
    "early_stopping",
    "eos_token_id",
    "is_assistant",
    "length_penalty",
    "low_memory",
    "max_matching_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "pad_token_id",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "remove_invalid_values",
    "renormalize_logits",
    "return_dict_in_generate",
    "return_legacy_cache",
    "target_lookbehind",
    "transformers_version",
    "trust_remote_code",
    "use_cache",
};
/// What would say it, but --max-tokens and the context do.
constexpr const char* kQuiet[] = {"max_length", "max_time"};

template <typename Names>
bool among(const Names& names, std::string_view key) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](const char* const name) { return key == name; });
}

class Reader {
 public:
  explicit Reader(const JsonNode& root) : root_(root) {}

  ModelDefaults run() {
    for (const Renamed& row : kNumbers)
      if (root_.has(row.key)) take_number(row);
    if (root_.has("stop_strings")) take_stops();
    if (root_.has("suppress_tokens")) take_suppressed();
    const bool greedy = root_.has("do_sample") && !root_.flag("do_sample");
    if (greedy) take_greedy();
    root_.each_field([&](std::string_view key, const JsonNode& value) { look_at(key, value); });
    const SampleParams& p = out_.params;
    if (out_.takes("min_tokens") && out_.takes("max_tokens") && p.min_tokens > p.max_tokens)
      note(cat("min_new_tokens ", p.min_tokens, " is more than max_new_tokens ", p.max_tokens));
    if (greedy && p.n > 1) note(cat("do_sample is false: all ", p.n, " samples are the same"));
    return std::move(out_);
  }

 private:
  void note(std::string what) { out_.notes.push_back(std::move(what)); }

  void take_number(const Renamed& row) {
    const std::span<const NumberParam> all = number_params();
    const auto param = std::find_if(all.begin(), all.end(), [&](const NumberParam& p) {
      return std::string_view(p.name) == row.name;
    });
    LM_CHECK(param != all.end(), "a default is one of the parameters");
    const f64 value = root_.number(row.key, param->low, param->high);
    if (param->whole != nullptr) {
      if (value != std::floor(value)) root_.fail(row.key, "a whole number");
      out_.params.*param->whole = static_cast<i64>(value);
    } else {
      out_.params.*param->real = value;
    }
    out_.taken.emplace_back(row.name);
  }

  void take_stops() {
    const JsonNode value = root_.at("stop_strings");
    const auto add = [&](std::optional<std::string_view> text) {
      if (!text || text->empty()) root_.fail("stop_strings", "a text or a list of texts");
      out_.params.stop.emplace_back(*text);
    };
    if (value.is_array()) {
      value.each_item([&](const JsonNode& one) { add(one.as_string()); });
    } else {
      add(value.as_string());
    }
    if (!out_.params.stop.empty()) out_.taken.emplace_back("stop");
  }

  void take_suppressed() {
    const JsonNode value = root_.at("suppress_tokens");
    if (!value.is_array()) root_.fail("suppress_tokens", "a list of token ids");
    value.each_item([&](const JsonNode& one) {
      const std::optional<i64> id = one.as_integer();
      if (!id || *id < 0 || *id > std::numeric_limits<i32>::max())
        root_.fail("suppress_tokens", "a list of token ids");
      out_.params.logit_bias.emplace_back(static_cast<i32>(*id),
                                          -std::numeric_limits<f64>::infinity());
    });
    std::sort(out_.params.logit_bias.begin(), out_.params.logit_bias.end());
    if (!out_.params.logit_bias.empty()) out_.taken.emplace_back("logit_bias");
  }

  /// What shapes a distribution to draw from has no effect then; transformers warns of it too.
  void take_greedy() {
    std::string idle;
    for (const char* const name :
         {"temperature", "top_k", "top_p", "min_p", "typical", "epsilon", "eta"})
      if (out_.takes(name)) append(idle, idle.empty() ? "" : ", ", name);
    if (!idle.empty()) note(cat("do_sample is false: without effect: ", idle));
    out_.params.temperature = 0;
    if (!out_.takes("temperature")) out_.taken.emplace_back("temperature");
  }

  void look_at(std::string_view key, const JsonNode& value) {
    const bool number = std::any_of(std::begin(kNumbers), std::end(kNumbers),
                                    [&](const Renamed& row) { return key == row.key; });
    if (number || value.is_null() || among(kWithoutEffect, key) || key == "do_sample" ||
        key == "stop_strings" || key == "suppress_tokens")
      return;
    if (among(kQuiet, key)) {
      out_.quiet.emplace_back(key);
      return;
    }
    for (const Refused& row : kRefusedNumbers) {
      if (key != row.key) continue;
      if (value.as_number() != row.off) refuse(key);
      return;
    }
    if (among(kRefused, key)) {
      const bool off = value.as_boolean() == false ||
                       ((value.is_array() || value.is_object()) && value.size() == 0);
      if (!off) refuse(key);
      return;
    }
    note(cat("key \"", key, "\" is not known and not followed"));
  }

  [[noreturn]] void refuse(std::string_view key) const {
    throw Error(ErrorKind::kData,
                cat(root_.where(), ": key \"", key, "\" asks for what is not done here"),
                "--no-model-defaults leaves the file's sampling aside");
  }

  const JsonNode& root_;
  ModelDefaults out_;
};

}  // namespace

bool ModelDefaults::takes(const std::string& name) const {
  return std::find(taken.begin(), taken.end(), name) != taken.end();
}

u64 ModelDefaults::key() const {
  return taken.empty() ? 0 : xxh3_64(params_json(params, taken));
}

ModelDefaults read_model_defaults(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "generation_config.json").string();
  if (!io::path_exists(path)) return {};
  const io::Json json = io::parse_object(io::read_file(path, i64{16} << 20), path);
  const JsonNode root(json, path);
  return Reader(root).run();
}

}  // namespace lm::decode
