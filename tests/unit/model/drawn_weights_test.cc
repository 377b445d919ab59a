// Folders of models with drawn embeddings run as ordinary models of one draw.

#include "model/drawn_weights.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "engine_rows.h"
#include "io/file.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "model/shape.h"
#include "stored_weights.h"

using namespace lm;
using namespace lm::model;

namespace {

constexpr i64 kVocab = 20, kWidth = 16;

ModelCfg config_with(const char* embed, const char* tied = "false") {
  ModelCfg cfg = make_config(parse_shape(
      cat("family=llama,layers=2,width=16,heads=2,ffn=32,vocab=20,context=40,tied=", tied)));
  cfg.embed = parse_embed(embed);
  return cfg;
}

std::vector<f32> logits_of(const ModelRef& model) {
  Engine engine(model);
  const i32 seq = engine.create();
  const std::vector<i32> tokens = {3, 7, 7, 1, 19, 0};
  std::vector<f32> out;
  for (const i32 token : tokens) {
    const std::span<const f32> row = engine.step(seq, token);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

/// The same model with the tables in the place of learnt ones.
Model spelt_out(const Model& from, const EmbedDraw& at) {
  ModelCfg cfg = from.cfg;
  cfg.embed = {};
  cfg.tied = false;
  Model out = new_model(cfg, 0);
  const auto tensor = [](const Model& m, const std::string& name) {
    return m.weights[m.params->set.find(name)];
  };
  for (const ParamInfo& info : out.params->set.list())
    if (from.params->set.find(info.name) >= 0)
      copy_convert(tensor(from, info.name), tensor(out, info.name));
  if (from.cfg.tied && from.params->set.find("embed.weight") >= 0)
    copy_convert(tensor(from, "embed.weight"), tensor(out, "head.weight"));
  std::vector<f32> rows(usize(kVocab * kWidth));
  std::vector<i32> learned(from.cfg.embed.kind == EmbedKind::kSemi ? usize(kVocab) : 0);
  draw_embeddings(from.cfg.embed, at, kWidth, rows, learned);
  const f32 scale = *tensor(from, "embed_scale").f32_data();
  for (i64 v = 0; v < kVocab; ++v) {
    if (!learned.empty() && learned[usize(v)] >= 0) continue;
    for (i64 c = v * kWidth; c < (v + 1) * kWidth; ++c) {
      tensor(out, "embed.weight").f32_data()[c] = rows[usize(c)];
      tensor(out, "head.weight").f32_data()[c] = rows[usize(c)] * scale / 4;  // sqrt(16)
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a folder with drawn embeddings runs with the tables that are asked for", "[model]") {
  const test::TempDir dir;
  for (const char* const embed : {"gaussian", "semi:0.5"}) {
    for (const char* const tied : {"false", "true"}) {
      INFO(embed << " " << tied);
      Model model = new_model(config_with(embed, tied), 5);
      *model.weights[model.params->set.find("embed_scale")].f32_data() = 1.75f;
      save_model(dir.file("m"), model, {});
      const EmbedDraw at{11, 0, 2};
      const MappedModel mapped = map_model(dir.file("m"), {}, at);
      CHECK(!mapped.cfg.embed.drawn());
      CHECK(mapped.table_bytes == 2 * kVocab * kWidth * 4);
      CHECK(logits_of(mapped) == logits_of(spelt_out(model, at)));
      CHECK(logits_of(map_model(dir.file("m"), {}, EmbedDraw{12, 0, 2})) != logits_of(mapped));
      // Unasked: the first table of 0, or the learnt one.
      const MappedModel plain = map_model(dir.file("m"));
      if (model.cfg.embed.kind == EmbedKind::kGaussian) {
        CHECK(logits_of(plain) == logits_of(map_model(dir.file("m"), {}, EmbedDraw{})));
      } else {
        CHECK(plain.table_bytes == 0);
        CHECK(logits_of(plain) == logits_of(new_model(config_with("learned", tied), 5)));
      }
    }
  }
}

TEST_CASE("weights stored as bf16 keep their type beside drawn tables", "[model]") {
  const test::TempDir dir;
  const Model model = new_model(config_with("semi:0.5"), 5);
  SaveOptions options;
  options.dtype = DType::kBf16;
  save_model(dir.file("m"), model, options);
  const MappedModel mapped = map_model(dir.file("m"), {}, EmbedDraw{});
  for (i32 i = 0; i < mapped.params->set.size(); ++i) {
    const ParamInfo& info = mapped.params->set[i];
    const bool table = info.name == "embed.weight" || info.name == "head.weight";
    if (info.shape.rank == 2)
      CHECK(mapped.weights->dtype(i) == (table ? DType::kF32 : DType::kBf16));
  }
  for (const f32 x : logits_of(mapped))
    CHECK(std::isfinite(x));
}

TEST_CASE("config.json says that embeddings are drawn, and is read back", "[model]") {
  for (const char* const embed : {"gaussian", "semi:0.2"}) {
    const ModelCfg cfg = config_with(embed, "true");
    const std::string text = write_config(cfg, "float32");
    const ModelCfg again = parse_config(text, "c");
    CHECK(again.embed == cfg.embed);
    CHECK(same_shape(again, cfg));
    CHECK(write_config(again, "float32") == text);
    const bool gaussian = cfg.embed.kind == EmbedKind::kGaussian;
    CHECK((text.find("\"LexinvariantLlamaForCausalLM\"") != std::string::npos) == gaussian);
    CHECK(describe(cfg).find(cat("embeddings ", embed)) != std::string::npos);
  }
  const std::string learned = write_config(config_with("learned"), "float32");
  CHECK(learned.find("lm_embeddings") == std::string::npos);
  const auto refused = [&](const std::string& value) {
    const std::string text = cat("{\"lm_embeddings\":", value, ",", learned.substr(1));
    try {
      parse_config(text, "c");
    } catch (const Error& e) {
      return e.message();
    }
    return std::string();
  };
  CHECK(refused("{\"kind\":\"gaussian\"}").empty());
  CHECK(refused("{\"kind\":\"other\"}").find("kind") != std::string::npos);
  CHECK(refused("{\"kind\":\"semi\"}").find("share") != std::string::npos);
  CHECK(refused("{\"kind\":\"semi\",\"share\":2}").find("share") != std::string::npos);
  CHECK(refused("{\"kind\":\"gaussian\",\"pool\":4}").find("pool") != std::string::npos);
  ModelCfg absolute = make_config(preset("gpt2-nano"));
  absolute.embed = parse_embed("gaussian");
  CHECK_THROWS_WITH(check_config(absolute, "c"),
                    Catch::Matchers::ContainsSubstring("relative positions"));
}

TEST_CASE("draws of models that have none, and adapters beside drawn ones, are refused",
          "[model]") {
  const test::TempDir dir;
  save_model(dir.file("plain"), new_model(config_with("learned"), 1), {});
  CHECK_THROWS_WITH(map_model(dir.file("plain"), {}, EmbedDraw{}),
                    Catch::Matchers::ContainsSubstring("embeddings are learned"));
  save_model(dir.file("drawn"), new_model(config_with("gaussian"), 1), {});
  CHECK_THROWS_WITH(map_model(dir.file("drawn"), {dir.file("plain")}),
                    Catch::Matchers::ContainsSubstring("adapters do not go"));
}
