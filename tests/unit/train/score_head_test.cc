#include "model/score_head.h"

#include "catch.h"
#include "io/file.h"
#include "tiny.h"

using namespace lm;

namespace {

/// A parameter's values.
std::vector<f32> values(const model::Model& model, const char* name) {
  const i32 index = model.params->set.find(name);
  REQUIRE(index >= 0);
  const Tensor t = model.weights[index];
  return {t.f32_data(), t.f32_data() + t.count()};
}

}  // namespace

TEST_CASE(
    "a head of scores stands in the place of the next token's and comes "
    "back from its folder",
    "[train]") {
  for (const char* family :
       {"gpt2", "llama", "mistral", "qwen2", "qwen3", "qlstm", "lstm", "based"}) {
    INFO(family);
    const test::TempDir dir;
    const model::ModelCfg cfg = test::tiny_config(family);
    const model::Model from = model::new_model(cfg, 3);
    model::save_model(dir.file("lm"), from, {});
    const model::Model scored = model::with_score_head(model::load_model(dir.file("lm")), 7);
    CHECK(scored.cfg.scores == 1);
    CHECK(scored.params->set.find("head.weight") < 0);
    CHECK(values(scored, "score.weight").size() == usize(scored.cfg.width));
    CHECK(values(scored, "embed.weight") == values(from, "embed.weight"));
    CHECK(values(scored, "norm.weight") == values(from, "norm.weight"));
    model::save_model(dir.file("rm"), scored, {});
    const model::Model back = model::load_model(dir.file("rm"));
    CHECK(model::same_shape(back.cfg, scored.cfg));
    CHECK_FALSE(model::same_shape(back.cfg, from.cfg));
    CHECK(test::same_bits(back.weights, scored.weights));
    // What scores already stays; written again it is the same file.
    const model::Model again = model::with_score_head(model::load_model(dir.file("rm")), 8);
    CHECK(test::same_bits(again.weights, scored.weights));
    model::save_model(dir.file("rm2"), again, {});
    for (const char* file : {"config.json", "model.safetensors"})
      CHECK(io::read_file(dir.file("rm") + "/" + file) ==
            io::read_file(dir.file("rm2") + "/" + file));
    CHECK_THROWS_WITH(model::require_decoder(back.cfg, "rm"),
                      Catch::Matchers::ContainsSubstring("scores texts"));
    CHECK(model::describe(back.cfg).ends_with("1 score"));
  }
}

TEST_CASE("classifiers of other programs have as many scores as labels", "[train]") {
  const model::ModelCfg plain = test::tiny_config("llama");
  const std::string text = model::write_config(plain, "float32");
  const auto with = [&](const std::string& extra) {
    std::string out = text;
    const std::string name = "LlamaForCausalLM";
    out.replace(out.find(name), name.size(), "LlamaForSequenceClassification");
    out.insert(out.find('{') + 1, extra);
    return model::parse_config(out, "config.json").scores;
  };
  CHECK(model::parse_config(text, "config.json").scores == 0);
  CHECK(with("") == 2);  // what transformers then takes
  CHECK(with("\"num_labels\":1,") == 1);
  CHECK(with(R"("id2label":{"0":"A","1":"B","2":"C"},)") == 3);
  CHECK_THROWS_AS(with("\"num_labels\":0,"), Error);
}
