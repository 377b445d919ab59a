#include "model/mixers.h"

#include "catch.h"
#include "core/error.h"
#include "model/checkpoint.h"
#include "model/layer.h"
#include "model/shape.h"

using namespace lm;
using namespace lm::model;

namespace {

std::string words(const std::string& text, i64 layers) {
  std::string out;
  for (const MixerChoice& one : parse_mixers(text, layers)) {
    const char* const names[] = {"c", "l", "p", "w"};
    out += names[static_cast<int>(one.kind)] + std::to_string(one.size) + " ";
  }
  return out;
}

std::string refusal(const std::string& text, i64 layers) {
  try {
    parse_mixers(text, layers);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("mixers of layers in words", "[model]") {
  CHECK(words("conv:3", 2) == "c3 c3 ");
  CHECK(words("conv:3,linear:16@1,3,window:64@2", 5) == "c3 l16 w64 l16 c3 ");
  CHECK(words("window:0@0,1,linear:4", 3) == "w0 w0 l4 ");
  CHECK(words("pla:16@1,window:8", 3) == "w8 p16 w8 ");
  CHECK(words("", 8) == "c3 l16 w256 c3 c3 c3 l16 w256 ");
  CHECK(refusal("conv", 2).starts_with("mixers: \"conv\": expected conv:N"));
  CHECK(refusal("mamba:3", 2)
            .starts_with("mixers: \"mamba:3\": expected conv:N, linear:N, pla:N or"));
  CHECK(refusal("conv:0", 2).find("N from 1 to 256") != std::string::npos);
  CHECK(refusal("conv:3@2", 2).find("layers from 0 to 1") != std::string::npos);
  CHECK(refusal("conv:3@0,0,linear:4@1", 2).find("has a mixer already") != std::string::npos);
  CHECK(refusal("conv:3@0,linear:4@0", 2).find("has a mixer already") != std::string::npos);
  CHECK(refusal("conv:3@0", 2) == "mixers: layer 1 has none");
  CHECK(refusal("conv:3,linear:4", 2).find("a second one") != std::string::npos);
  CHECK(refusal("conv:3@x", 2).find("layers from 0 to 1") != std::string::npos);
}

TEST_CASE("recurrent families come back from config.json", "[model]") {
  for (const char* const text :
       {"qlstm-nano", "family=lstm,layers=2,width=24,heads=3,vocab=50,context=70,bias=false",
        "family=based,layers=4,width=24,heads=3,ffn=40,vocab=50,context=70,mixers=conv:3,linear:4@"
        "1,"
        "window:19@2,3",
        "family=based,layers=3,width=24,heads=3,ffn=40,vocab=50,context=70,mixers=pla:4@0,2,window:"
        "5@1",
        "family=based,layers=2,width=24,heads=3,ffn=40,vocab=50,context=70,bias=true,tied=true,"
        "mixers=conv:5@0,window:0@1"}) {
    CAPTURE(text);
    const ModelCfg cfg = make_config(parse_shape(text));
    const std::string json = write_config(cfg, "float32");
    const ModelCfg back = parse_config(json, "config.json");
    CHECK(same_shape(cfg, back));
    CHECK(write_config(back, "float32") == json);
    CHECK(state_numbers(cfg) > 0);
    const test::TempDir dir;
    const Model model = new_model(cfg, 5);
    save_model(dir.file("m"), model, {});
    const Model read = load_model(dir.file("m"));
    for (i32 i = 0; i < model.params->set.size(); ++i) {
      const Tensor a = model.weights[i];
      const Tensor b = read.weights[i];
      CHECK(std::equal(a.f32_data(), a.f32_data() + a.count(), b.f32_data()));
    }
  }
  CHECK(describe(make_config(parse_shape("qlstm-nano"))) ==
        "qlstm, 2 layers, width 64, quasi-LSTM of 4 x 16, ffn 256, vocabulary 512");
  CHECK_THROWS_AS(make_config(parse_shape("qlstm-nano,window=5")), Error);
  CHECK_THROWS_AS(make_config(parse_shape("llama-nano,mixers=conv:3")), Error);
}
