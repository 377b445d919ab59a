#include "model/config.h"

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "model/llama_keys.h"
#include "model/shape.h"

using namespace lm;
using namespace lm::model;

namespace {

const char* const kLlamaJson = R"({
  "model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
  "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
  "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "tie_word_embeddings": false,
  "bos_token_id": 1, "eos_token_id": [2, 7], "x_custom": {"kept": [1, 2.50]}
})";

const char* const kGpt2Json = R"({
  "model_type": "gpt2", "vocab_size": 100, "n_embd": 32, "n_layer": 2, "n_head": 4,
  "n_positions": 64, "eos_token_id": 9, "n_inner": null
})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The message of the Error{kData} that parsing text throws.
std::string refusal(const std::string& text) {
  try {
    parse_config(text, "dir/config.json");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a llama config is read with its defaults resolved", "[model]") {
  const ModelCfg cfg = parse_config(kLlamaJson, "config.json");
  CHECK(cfg.family == "llama");
  CHECK(cfg.vocab == 100);
  CHECK(cfg.depth() == 3);
  CHECK(cfg.norm == NormKind::kRms);
  CHECK(cfg.norm_eps == 1e-5);
  CHECK_FALSE(cfg.tied);
  const AttentionCfg& a = attention_of(cfg.layers[2]);
  CHECK(a.head_dim == 8);  // 32 / 4
  CHECK(a.kv_heads == 2);
  CHECK(a.qkv_size() == 64);  // (4 + 2*2) * 8
  CHECK(a.rope.base == 10000.0);
  CHECK(a.rope.rotary_dim == 8);
  CHECK(ffn_of(cfg.layers[0]).kind == FfnKind::kGated);
  CHECK(ffn_of(cfg.layers[0]).act == Unary::kSilu);
  CHECK(cfg.bos == 1);
  CHECK(cfg.eos == std::vector<i32>{2, 7});
}

TEST_CASE("a gpt2 config is read with its defaults resolved", "[model]") {
  const ModelCfg cfg = parse_config(kGpt2Json, "config.json");
  CHECK(cfg.tied);
  CHECK(cfg.position == PositionKind::kLearned);
  CHECK(ffn_of(cfg.layers[0]).width == 128);  // 4 * 32
  CHECK(ffn_of(cfg.layers[0]).act == Unary::kGeluTanh);
  CHECK(attention_of(cfg.layers[0]).qkv_bias);
  CHECK(cfg.eos == std::vector<i32>{9});
}

TEST_CASE("both spellings of rope settings give the same model", "[model]") {
  const std::string end = "\"x_custom\"";
  const std::string scaling = R"("rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
      "high_freq_factor": 4.0, "original_max_position_embeddings": 32)";
  const ModelCfg older =
      parse_config(replaced(kLlamaJson, end,
                            "\"rope_theta\": 500000, \"rope_scaling\": {" + scaling + "}, " + end),
                   "a");
  const ModelCfg newer =
      parse_config(replaced(kLlamaJson, end,
                            "\"rope_parameters\": {\"rope_theta\": 5e5, " + scaling + "}, " + end),
                   "b");
  CHECK(same_shape(older, newer));
  CHECK(attention_of(newer.layers[0]).rope.kind == RopeConfig::kLlama3);
  CHECK(attention_of(newer.layers[0]).rope.base == 500000.0);
  // The oldest spelling of the type's key.
  const ModelCfg linear = parse_config(
      replaced(kLlamaJson, end, R"("rope_scaling": {"type": "linear", "factor": 2}, "x_custom")"),
      "c");
  CHECK(attention_of(linear.layers[0]).rope.kind == RopeConfig::kLinear);
  CHECK(attention_of(linear.layers[0]).rope.factor == 2.0);
  CHECK_FALSE(same_shape(linear, newer));
}

TEST_CASE("a rewritten config keeps unknown keys, has both spellings and is a fixed point",
          "[model]") {
  for (const char* const text : {kLlamaJson, kGpt2Json}) {
    const ModelCfg cfg = parse_config(text, "config.json");
    const std::string once = write_config(cfg, "bfloat16");
    const ModelCfg again = parse_config(once, "config.json");
    CHECK(same_shape(cfg, again));
    CHECK(again.eos == cfg.eos);
    CHECK(again.bos == cfg.bos);
    CHECK(write_config(again, "bfloat16") == once);
    const Json json = parse_object(once, "once");
    CHECK(json["torch_dtype"] == "bfloat16");
    CHECK(json["dtype"] == "bfloat16");
    CHECK_FALSE(json.contains("transformers_version"));
    if (cfg.family == "llama") {
      CHECK(json["x_custom"].dump() == R"({"kept":[1,2.5]})");
      CHECK(json["rope_theta"] == 10000.0);
      CHECK(json["rope_parameters"]["rope_theta"] == 10000.0);
      CHECK(json["rope_scaling"].is_null());
      CHECK(json["architectures"][0] == "LlamaForCausalLM");
    }
  }
}

TEST_CASE("an unknown family is refused by name", "[model]") {
  const std::string text = replaced(kGpt2Json, "gpt2", "rwkv9");
  CHECK(refusal(text) ==
        "dir/config.json: model_type \"rwkv9\" is not supported (supported: gpt2, llama, mistral, "
        "qwen2, qwen3)");
}

TEST_CASE("impossible values of a config are refused with their key", "[model]") {
  struct Case {
    const char* from;
    const char* to;
    const char* key;
  };
  const Case cases[] = {
      {"\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "num_attention_heads"},
      {"\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "num_key_value_heads"},
      {"\"num_key_value_heads\": 2", "\"num_key_value_heads\": -2", "num_key_value_heads"},
      {"\"hidden_size\": 32", "\"hidden_size\": 0", "hidden_size"},
      {"\"hidden_size\": 32", "\"hidden_size\": \"32\"", "hidden_size"},
      {"\"hidden_size\": 32", "\"hidden_size\": 32.5", "hidden_size"},
      {"\"hidden_size\": 32", "\"hidden_sise\": 32", "hidden_size"},
      {"\"vocab_size\": 100", "\"vocab_size\": 99999999999", "vocab_size"},
      {"\"vocab_size\": 100", "\"vocab_size\": 18446744073709551615", "vocab_size"},
      {"\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1000000000", "num_hidden_layers"},
      {"\"num_hidden_layers\": 3", "\"num_hidden_layers\": null", "num_hidden_layers"},
      {"\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": -1", "rms_norm_eps"},
      {"\"tie_word_embeddings\": false", "\"tie_word_embeddings\": 0", "tie_word_embeddings"},
      {"\"x_custom\"", "\"head_dim\": 7, \"x_custom\"", "head_dim"},
      {"\"x_custom\"", "\"hidden_act\": \"mish\", \"x_custom\"", "hidden_act"},
      {"\"x_custom\"", "\"rope_scaling\": {\"rope_type\": \"longrope\"}, \"x_custom\"",
       "rope_scaling.rope_type"},
      {"\"x_custom\"", "\"rope_scaling\": {\"rope_type\": \"linear\"}, \"x_custom\"",
       "rope_scaling.factor"},
      {"\"x_custom\"", "\"rope_scaling\": [], \"x_custom\"", "rope_scaling"},
      {"[2, 7]", "[2, \"7\"]", "eos_token_id"},
      {"[2, 7]", "-4", "eos_token_id"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.to);
    CHECK_THAT(
        refusal(replaced(kLlamaJson, one.from, one.to)),
        Catch::Matchers::StartsWith("dir/config.json: key \"" + std::string(one.key) + "\" is "));
  }
  CHECK_THAT(refusal(replaced(kGpt2Json, "\"n_head\": 4", "\"n_head\": 5")),
             Catch::Matchers::StartsWith("dir/config.json: key \"n_head\" is 5"));
  CHECK_THAT(refusal(replaced(kGpt2Json, "\"n_inner\": null", "\"scale_attn_weights\": false")),
             Catch::Matchers::StartsWith("dir/config.json: key \"scale_attn_weights\" is false"));
}

TEST_CASE("a config that is no JSON object is refused", "[model]") {
  CHECK(refusal("{\"model_type\": ") == "dir/config.json: not valid JSON at byte 16");
  CHECK(refusal("[1]") == "dir/config.json: expected a JSON object");
  CHECK(refusal("") == "dir/config.json: not valid JSON at byte 1");
  CHECK(refusal("{}") == "dir/config.json: key \"model_type\" is missing, expected a string");
}

TEST_CASE("numbers and nesting that no config has are refused", "[model]") {
  const auto refusal = [](const std::string& text) {
    try {
      parse_config(text, "dir/config.json");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      return e.message();
    }
    return std::string();
  };
  CHECK(refusal("{\"model_type\":\"llama\",\"x\":1e400}") ==
        "dir/config.json: a number is too large");
  const std::string deep = cat("{\"x\":", std::string(300000, '['), std::string(300000, ']'), "}");
  CHECK(refusal(deep) == "dir/config.json: nested more than 100 levels deep");
}

TEST_CASE("presets make complete models whose config survives writing", "[model]") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const ModelCfg cfg = make_config(preset(name));
    CHECK(same_shape(cfg, parse_config(write_config(cfg, "float32"), name)));
  }
}

TEST_CASE("a shape is described by a preset and changed fields", "[model]") {
  const ModelCfg cfg =
      make_config(parse_shape("llama-mini,layers=2, width=128,vocab=1e3,tied=false,bias=true"));
  CHECK(cfg.depth() == 2);
  CHECK(attention_of(cfg.layers[0]).head_dim == 32);  // 128 / 4 heads, not the preset's 64
  CHECK(ffn_of(cfg.layers[0]).width == 352);          // 8*128/3 = 341, up to a multiple of 32
  CHECK(cfg.vocab == 1000);
  CHECK_FALSE(cfg.tied);
  CHECK(attention_of(cfg.layers[0]).qkv_bias);
  const ModelCfg own =
      make_config(parse_shape("family=gpt2,layers=1,width=12,heads=3,vocab=10,context=8"));
  CHECK(ffn_of(own.layers[0]).width == 48);
  CHECK(describe(own) == "gpt2, 1 layers, width 12, 3 heads of 4, ffn 48, vocabulary 10");
}

TEST_CASE("a wrong description of a shape is a usage error that names the part", "[model]") {
  struct Case {
    const char* text;
    const char* part;
  };
  const Case cases[] = {
      {"gpt3", "gpt3"},
      {"gpt2,layers", "layers"},
      {"gpt2,leyers=3", "leyers"},
      {"gpt2,layers=x", "layers"},
      {"gpt2,layers=0", "layers"},
      {"gpt2,heads=7", "heads"},
      {"gpt2,kv_heads=4", "kv_heads"},
      {"gpt2,bias=false", "bias"},
      {"gpt2,tied=maybe", "tied"},
      {"layers=2", "vocab"},
      {"family=bert,layers=2", "bert"},
      {"llama-nano,head_dim=7", "head_dim"},
      {"llama-nano,kv_heads=3", "kv_heads"},
      {"llama-nano,layers=100000", "layers"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    try {
      make_config(parse_shape(one.text));
      FAIL_CHECK("accepted");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
      CHECK_THAT(error.message(), Catch::Matchers::ContainsSubstring(one.part));
    }
  }
}
