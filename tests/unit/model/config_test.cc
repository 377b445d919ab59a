#include "model/config.h"

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "model/diffusion.h"
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

const char* const kQwenJson = R"({
  "model_type": "qwen2", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
  "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
  "max_position_embeddings": 64, "tie_word_embeddings": true, "use_sliding_window": false,
  "sliding_window": 16, "max_window_layers": 3, "rope_theta": 1000000.0
})";

const char* const kMistralJson = R"({
  "model_type": "mistral", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
  "num_hidden_layers": 2, "num_attention_heads": 8, "head_dim": 16,
  "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "sliding_window": 16
})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Windows of all layers.
std::vector<i64> windows(const std::string& text) {
  std::vector<i64> out;
  for (const LayerCfg& layer : parse_config(text, "config.json").layers)
    out.push_back(attention_of(layer).window);
  return out;
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
  const std::string alternating =
      replaced(kQwenJson, "\"use_sliding_window\": false",
               R"("use_sliding_window": true, "layer_types": ["sliding_attention", "full_attention",
      "sliding_attention", "full_attention"])");
  const std::string qwen3 = replaced(alternating, "qwen2", "qwen3");
  for (const std::string& text : std::vector<std::string>{kLlamaJson, kGpt2Json, kMistralJson,
                                                          kQwenJson, alternating, qwen3}) {
    CAPTURE(text);
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

TEST_CASE("a mistral config has one window for every layer, or none", "[model]") {
  const ModelCfg cfg = parse_config(kMistralJson, "config.json");
  const AttentionCfg& a = attention_of(cfg.layers[1]);
  CHECK(a.window == 16);
  CHECK(a.kv_heads == 8);  // transformers' default, whatever the heads
  CHECK(a.q_size() == 128);
  CHECK_FALSE(a.qkv_bias);
  CHECK_FALSE(a.qk_norm);
  CHECK_FALSE(cfg.tied);
  const std::string window = "\"sliding_window\": 16";
  CHECK(windows(replaced(kMistralJson, window, "\"sliding_window\": null")) ==
        std::vector<i64>{0, 0});
  CHECK(windows(replaced(kMistralJson, window, "\"use_cache\": true")) ==
        std::vector<i64>{4096, 4096});
  const std::string types =
      R"("sliding_window": 16, "layer_types": ["sliding_attention", "sliding_attention"])";
  CHECK(windows(replaced(kMistralJson, window, types)) == std::vector<i64>{16, 16});
  CHECK(refusal(replaced(kMistralJson, window,
                         R"("layer_types": ["sliding_attention", "full_attention"])")) ==
        "dir/config.json: key \"layer_types\" is [\"sliding_attention\",\"full_attention\"], "
        "expected \"sliding_attention\" for every layer");
  CHECK_THAT(refusal(replaced(kMistralJson, window, "\"sliding_window\": 0")),
             Catch::Matchers::StartsWith("dir/config.json: key \"sliding_window\" is 0"));
}

TEST_CASE("a qwen2 config has biases and windows where its keys say", "[model]") {
  const ModelCfg cfg = parse_config(kQwenJson, "config.json");
  const AttentionCfg& a = attention_of(cfg.layers[0]);
  CHECK(a.qkv_bias);
  CHECK_FALSE(a.out_bias);
  CHECK_FALSE(a.qk_norm);
  CHECK(a.head_dim == 8);
  CHECK(a.rope.base == 1e6);
  CHECK(cfg.norm_eps == 1e-6);
  CHECK(cfg.tied);
  CHECK(windows(kQwenJson) == std::vector<i64>{0, 0, 0, 0});
  const std::string on =
      replaced(kQwenJson, "\"use_sliding_window\": false", "\"use_sliding_window\": true");
  CHECK(windows(on) == std::vector<i64>{0, 0, 0, 16});
  CHECK(windows(replaced(on, "\"max_window_layers\": 3, ", "")) == std::vector<i64>{0, 0, 0, 0});
  CHECK(windows(replaced(on, "\"max_window_layers\": 3", "\"max_window_layers\": 0")) ==
        std::vector<i64>{16, 16, 16, 16});
  CHECK(windows(replaced(on, "\"sliding_window\": 16", "\"sliding_window\": null")) ==
        std::vector<i64>{0, 0, 0, 0});
  CHECK(windows(replaced(replaced(on, "\"sliding_window\": 16, ", ""), "\"max_window_layers\": 3",
                         "\"max_window_layers\": 2")) == std::vector<i64>{0, 0, 4096, 4096});
  // layer_types rules.
  const std::string types = R"("layer_types": ["sliding_attention", "full_attention",
      "sliding_attention", "full_attention"], "max_window_layers")";
  CHECK(windows(replaced(on, "\"max_window_layers\"", types)) == std::vector<i64>{16, 0, 16, 0});
  CHECK_THAT(refusal(replaced(kQwenJson, "\"max_window_layers\"", types)),
             Catch::Matchers::StartsWith("dir/config.json: key \"use_sliding_window\" is false"));
  for (const char* const bad : {R"("layer_types": ["full_attention"], "max_window_layers")",
                                R"("layer_types": "full_attention", "max_window_layers")",
                                R"("layer_types": ["full_attention", "full_attention",
                                    "full_attention", "linear_attention"], "max_window_layers")"})
    CHECK_THAT(refusal(replaced(on, "\"max_window_layers\"", bad)),
               Catch::Matchers::StartsWith("dir/config.json: key \"layer_types\" is "));
}

TEST_CASE("a qwen3 config normalises heads of its own size", "[model]") {
  const std::string text = replaced(kQwenJson, "qwen2", "qwen3");
  const AttentionCfg a = attention_of(parse_config(text, "config.json").layers[3]);
  CHECK(a.qk_norm);
  CHECK(a.head_dim == 128);  // not hidden_size / heads
  CHECK_FALSE(a.qkv_bias);
  CHECK_FALSE(a.out_bias);
  const AttentionCfg b =
      attention_of(parse_config(replaced(text, "\"tie_word_embeddings\"",
                                         "\"head_dim\": 16, \"attention_bias\": true, "
                                         "\"tie_word_embeddings\""),
                                "config.json")
                       .layers[0]);
  CHECK(b.head_dim == 16);
  CHECK(b.qkv_bias);
  CHECK(b.out_bias);
  CHECK(attention_of(parse_config(replaced(text, "\"num_key_value_heads\": 2",
                                           "\"num_key_value_heads\": null"),
                                  "config.json")
                         .layers[0])
            .kv_heads == 4);
  CHECK_THAT(refusal(replaced(text, "\"num_key_value_heads\": 2,", "")),
             Catch::Matchers::ContainsSubstring("\"num_key_value_heads\" is 32"));
}

TEST_CASE("windows survive writing for readers of either spelling", "[model]") {
  const std::string on =
      replaced(kQwenJson, "\"use_sliding_window\": false", "\"use_sliding_window\": true");
  const Json json = parse_object(write_config(parse_config(on, "a"), "float32"), "b");
  CHECK(json["use_sliding_window"] == true);
  CHECK(json["sliding_window"] == 16);
  CHECK(json["max_window_layers"] == 3);
  CHECK(json["layer_types"].dump() ==
        R"(["full_attention","full_attention","full_attention","sliding_attention"])");
  CHECK_FALSE(json.contains("attention_bias"));
  const Json none = parse_object(write_config(parse_config(kQwenJson, "a"), "float32"), "b");
  CHECK(none["use_sliding_window"] == false);
  CHECK(none["sliding_window"] == 16);  // kept, as every number without a meaning
  const Json whole =
      parse_object(write_config(make_config(parse_shape("mistral-nano")), "float32"), "b");
  CHECK(whole["sliding_window"] == 32);
}

TEST_CASE("an unknown family is refused by name", "[model]") {
  const std::string text = replaced(kGpt2Json, "gpt2", "rwkv9");
  CHECK(refusal(text) ==
        "dir/config.json: model_type \"rwkv9\" is not supported (supported: gpt2, llama, mistral, "
        "qwen2, qwen3, mixtral, olmoe, qwen2_moe, qwen3_moe, moe, qlstm, lstm, based; encoders, "
        "for lm-embed: bert, roberta, xlm-roberta)");
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
      {"\"x_custom\"", "\"partial_rotary_factor\": 0.5, \"x_custom\"", "partial_rotary_factor"},
      {"\"x_custom\"",
       R"("rope_parameters": {"rope_type": "yarn", "factor": 2, "mscale": 0.7}, "x_custom")",
       "rope_parameters.mscale"},
      {"\"x_custom\"",
       R"("rope_parameters": {"rope_type": "yarn", "factor": 2, "truncate": false}, "x_custom")",
       "rope_parameters.truncate"},
      {"[2, 7]", "[2, \"7\"]", "eos_token_id"},
      {"[2, 7]", "-4", "eos_token_id"},
      {"[2, 7]", "[2, 100]", "eos_token_id"},
      {"[2, 7]", "100", "eos_token_id"},
      {"\"bos_token_id\": 1", "\"bos_token_id\": 100", "bos_token_id"},
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
  CHECK(refusal("{\"model_type\": ") == "dir/config.json:1:16: not valid JSON");
  CHECK(refusal("[1]") == "dir/config.json: expected a JSON object");
  CHECK(refusal("") == "dir/config.json:1:1: not valid JSON");
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
  CHECK(cfg.init_std == 0.02);
  CHECK(make_config(parse_shape("llama-mini,init_std=0.1")).init_std == 0.1);
  CHECK_FALSE(cfg.tied);
  CHECK(attention_of(cfg.layers[0]).qkv_bias);
  const ModelCfg own =
      make_config(parse_shape("family=gpt2,layers=1,width=12,heads=3,vocab=10,context=8"));
  CHECK(ffn_of(own.layers[0]).width == 48);
  CHECK(describe(own) == "gpt2, 1 layers, width 12, 3 heads of 4, ffn 48, vocabulary 10");
  const ModelCfg windows = make_config(parse_shape("qwen3-nano,window=9,bias=true"));
  const AttentionCfg& a = attention_of(windows.layers[1]);
  CHECK((a.window == 9 && a.qk_norm && a.qkv_bias && a.out_bias));
  CHECK_FALSE(ffn_of(windows.layers[1]).bias);
  CHECK(describe(windows) ==
        "qwen3, 2 layers, width 64, 4/2 heads of 32, window 9, ffn 192, vocabulary 512");
  CHECK(attention_of(make_config(parse_shape("mistral-nano,bias=false")).layers[0]).window == 32);
}

TEST_CASE("sparse layers are described, written and read", "[model]") {
  const ModelCfg cfg = make_config(parse_shape("gpt2-nano,layers=5,attn=alternating"));
  for (i64 i = 0; i < 5; ++i)
    CHECK(attention_of(cfg.layers[usize(i)]).sparse ==
          (i % 2 == 0 ? SparseMask{16, 8, 1, 8} : SparseMask{}));
  CHECK(describe(make_config(parse_shape("gpt2-nano,attn=alternating"))) ==
        "gpt2, 2 layers, width 64, 4 heads of 16, sparse 16x8, ffn 256 to 4 heads of 16, ffn 256, "
        "vocabulary 512");
  const std::string text = write_config(cfg, "float32");
  const Json json = Json::parse(text);
  CHECK(json["architectures"][0] == "SparseGPT2LMHeadModel");
  CHECK(json["lm_sparse"].dump() ==
        R"({"pattern":"fixed","block":16,"local":8,"global":1,"patterns":8,"layers":[0,2,4]})");
  const ModelCfg again = parse_config(text, "c");
  CHECK(same_shape(cfg, again));
  CHECK(write_config(again, "float32") == text);
  const ModelCfg all =
      make_config(parse_shape("llama-nano,attn=sparse,sparse=fixed:block=32,local=6,global=2,"
                              "width=128"));
  CHECK(all.width == 128);
  for (const LayerCfg& layer : all.layers)
    CHECK(attention_of(layer).sparse == SparseMask{32, 6, 2, 3});
  CHECK_FALSE(same_shape(all, make_config(parse_shape("llama-nano,width=128"))));
  // Dense again: the key is gone.
  ModelCfg dense = again;
  for (LayerCfg& layer : dense.layers)
    std::get<AttentionCfg>(layer.mixer).sparse = {};
  CHECK_FALSE(Json::parse(write_config(dense, "float32")).contains("lm_sparse"));
  const auto wrong = [&](const char* from, const char* to) {
    return refusal(replaced(text, from, to));
  };
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(wrong("\"block\": 16", "\"block\": 8"), ContainsSubstring("multiple of 16"));
  CHECK_THAT(wrong("\"patterns\": 8", "\"patterns\": 9"), ContainsSubstring("\"lm_sparse\""));
  CHECK_THAT(wrong("\"pattern\": \"fixed\"", "\"pattern\": \"x\""),
             ContainsSubstring("lm_sparse.pattern"));
  CHECK_THAT(wrong("\"local\": 8", "\"lokal\": 8"), ContainsSubstring("lokal"));
  CHECK_THAT(wrong("\"n_layer\": 5", "\"n_layer\": 3"), ContainsSubstring("lm_sparse.layers"));
  CHECK_THAT(refusal(replaced(kMistralJson, "\"sliding_window\": 16",
                              R"("sliding_window": 16, "lm_sparse": {"pattern": "fixed",
                              "block": 16, "local": 8, "global": 1, "patterns": 8,
                              "layers": [0]})")),
             ContainsSubstring("attend to a window cannot be sparse"));
}

TEST_CASE("a model of masked diffusion says so, and predicts no next token", "[model]") {
  using Catch::Matchers::ContainsSubstring;
  ModelCfg cfg = make_config(parse_shape("llama-nano"));
  cfg.diffusion = DiffusionCfg{7, 16};
  const std::string text = write_config(cfg, "float32");
  const Json json = Json::parse(text);
  CHECK(json["lm_diffusion"].dump() == R"({"mask_token_id":7,"block":16})");
  CHECK(json["architectures"][0] == "DiffusionLlamaForCausalLM");
  const ModelCfg read = parse_config(text, "config.json");
  CHECK(read.diffusion == cfg.diffusion);
  CHECK(same_shape(read, cfg));
  CHECK(write_config(read, "float32") == text);
  CHECK_THAT(describe(cfg), ContainsSubstring("masked diffusion in blocks of 16"));
  CHECK_NOTHROW(require_diffusion(cfg, "m"));
  CHECK_THROWS_WITH(require_decoder(cfg, "m"), ContainsSubstring("no next token"));
  ModelCfg causal = read;
  causal.diffusion.reset();
  CHECK_FALSE(same_shape(causal, cfg));
  CHECK_FALSE(Json::parse(write_config(causal, "float32")).contains("lm_diffusion"));
  CHECK_THROWS_WITH(require_diffusion(causal, "m"), ContainsSubstring("one of masked diffusion"));

  const auto wrong = [&](const char* from, const char* to) {
    return refusal(replaced(text, from, to));
  };
  CHECK_THAT(wrong("\"mask_token_id\": 7", "\"mask_token_id\": 99999"),
             ContainsSubstring("lm_diffusion.mask_token_id"));
  CHECK_THAT(wrong("\"block\": 16", "\"blok\": 16"), ContainsSubstring("blok"));
  CHECK_THAT(wrong("\"block\": 16", "\"block\": -1"), ContainsSubstring("lm_diffusion.block"));
  ModelCfg sparse = make_config(parse_shape("llama-nano,attn=sparse"));
  sparse.diffusion = DiffusionCfg{7, 0};
  CHECK_THROWS_WITH(check_config(sparse, "m"), ContainsSubstring("lm_diffusion"));
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
      {"llama-nano,window=8", "window"},
      {"gpt2-nano,window=8", "window"},
      {"gpt2-nano,attn=half", "half"},
      {"gpt2-nano,sparse=fixed", "dense"},
      {"gpt2-nano,attn=sparse,sparse=strided", "strided"},
      {"gpt2-nano,attn=sparse,sparse=fixed:block=24", "block is 24"},
      {"gpt2-nano,attn=sparse,sparse=fixed:local=4,patterns=5", "5 patterns"},
      {"gpt2-nano,attn=sparse,sparse=fixed:lokal=4", "lokal"},
      {"gpt2-nano,attn=sparse,sparse=fixed:local=0", "local=0"},
      {"mistral-nano,attn=alternating", "window"},
      {"qlstm-nano,attn=alternating", "does not attend"},
      {"mistral-nano,window=99999999999", "window"},
      {"mistral-nano,bias=true", "bias"},
      {"qwen2-nano,bias=true", "bias"},
      {"qwen2-nano,bias=false", "bias"},
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
