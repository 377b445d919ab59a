// Vectors of texts through model folders.

#include <algorithm>
#include <cmath>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "embed/model_embedder.h"
#include "tiny_encoder.h"
#include "tiny_model.h"

using namespace lm;
using namespace lm::embed;

namespace {

const std::vector<std::string> kTexts = {"the unable in",
                                         "a",
                                         "in the end, unable!",
                                         "abc def ghi jkl mno pqr stu",
                                         "",
                                         "the",
                                         "zz yy xx ww vv",
                                         "unable unable unable"};

ModelEmbedderOptions options_for(const std::string& folder, Pooling pool, std::vector<i64> layers) {
  ModelEmbedderOptions out;
  out.settings = read_folder_settings(folder);
  out.session.folder = folder;
  out.plan.layers = std::move(layers);
  out.plan.pools = {pool};
  return out;
}

std::vector<std::vector<f32>> vectors(ModelEmbedder& embedder, std::span<const std::string> texts) {
  std::vector<std::vector<f32>> out;
  for (const std::string& text : texts) {
    Result<PreparedText> made = embedder.prepare(text);
    REQUIRE(made);
    embedder.add(std::move(*made));
  }
  while (embedder.step()) {
  }
  while (std::optional<std::vector<f32>> one = embedder.take())
    out.push_back(std::move(*one));
  CHECK(out.size() == texts.size());
  return out;
}

std::vector<std::vector<f32>> one_by_one(const ModelEmbedderOptions& options,
                                         std::span<const std::string> texts) {
  ModelEmbedder embedder(options);
  std::vector<std::vector<f32>> out;
  for (const std::string& text : texts)
    out.push_back(vectors(embedder, {&text, 1})[0]);
  return out;
}

std::string refusal(const ModelEmbedderOptions& options, ErrorKind kind = ErrorKind::kUsage) {
  try {
    ModelEmbedder embedder(options);
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a vector does not depend on what is embedded beside it, nor on passes or threads",
          "[embed]") {
  const test::TempDir dir;
  test::write_tiny_encoder(dir.file("bert"));
  test::write_tiny_folder(dir.file("llama"));
  for (const char* const folder : {"bert", "llama"}) {
    for (const Pooling pool : {Pooling::kLast, Pooling::kMean, Pooling::kWeighted}) {
      CAPTURE(folder, pooling_name(pool));
      ModelEmbedderOptions options = options_for(dir.file(folder), pool, {0, 2});
      const std::vector<std::vector<f32>> alone = one_by_one(options, kTexts);
      for (const i64 batch : {1, 3, 64}) {
        for (const i64 chunk : {5, 512}) {
          for (const int threads : {1, 2, 7}) {
            set_threads(threads);
            options.session.batch = batch;
            options.session.chunk = chunk;
            ModelEmbedder embedder(options);
            REQUIRE(vectors(embedder, kTexts) == alone);
          }
        }
      }
      set_threads(2);
    }
  }
}

TEST_CASE("tokens of masked diffusion see those behind them, in blocks up to their end",
          "[embed]") {
  const test::TempDir dir;
  test::write_tiny_folder(dir.file("causal"));
  const auto diffusion = [&](const std::string& name, i64 block) {
    model::SaveOptions save;
    save.tokenizer_folder = dir.file("causal");
    model::Model model = test::make_tiny_model();
    model.cfg.diffusion = model::DiffusionCfg{261, block};
    model::save_model(dir.file(name), model, save);
  };
  diffusion("whole", 0);
  diffusion("single", 1);
  diffusion("pair", 2);
  diffusion("long", 64);
  const auto first_states = [&](const std::string& name) {
    return one_by_one(options_for(dir.file(name), Pooling::kClass, {2}), kTexts);
  };
  const auto means = [&](const std::string& name) {
    return one_by_one(options_for(dir.file(name), Pooling::kMean, {2}), kTexts);
  };
  // A block of one token sees what is before it; the first block of two goes on to the second.
  CHECK(means("single") == means("causal"));
  CHECK(means("long") == means("whole"));
  CHECK(means("whole") != means("causal"));
  CHECK(means("pair") != means("causal"));
  CHECK(first_states("pair") != first_states("whole"));
}

TEST_CASE("poolings are sums over the states of the tokens", "[embed]") {
  const test::TempDir dir;
  test::write_tiny_encoder(dir.file("bert"), 2, false);
  ModelEmbedderOptions options = options_for(dir.file("bert"), Pooling::kLast, {1, 3});
  const std::vector<std::string> text = {"the end"};  // [CLS] the e ##n ##d [SEP]
  ModelEmbedder embedder(options);
  REQUIRE(embedder.prepare(text[0])->windows[0].size() == 6);
  CHECK(embedder.prepare(text[0])->tokens == 4);
  // States of all tokens from the engine itself.
  const model::Model model = test::make_tiny_encoder(2);
  model::EngineOptions states;
  states.max_logit_rows = 0;
  states.states = {1, 3};
  states.final_state = false;
  model::Engine engine(model, states);
  std::vector<model::EvalRow> rows;
  const std::vector<i32> tokens = embedder.prepare(text[0])->windows[0];
  for (const i32 token : tokens) {
    model::EvalRow row;
    row.seq = rows.empty() ? engine.create() : rows[0].seq;
    row.token = token;
    row.see = model::EvalRow::See::kAll;
    row.want_hidden = true;
    rows.push_back(row);
  }
  engine.eval(rows);
  const std::pair<Pooling, std::vector<f64>> kWeights[] = {
      {Pooling::kLast, {0, 0, 0, 0, 0, 1}},
      {Pooling::kClass, {1, 0, 0, 0, 0, 0}},
      {Pooling::kBegin, {1, 0, 0, 0, 0, 0}},
      {Pooling::kMean, {1, 1, 1, 1, 1, 1}},
      {Pooling::kWeighted, {1, 2, 3, 4, 5, 6}}};
  for (const auto& [pool, weights] : kWeights) {
    CAPTURE(pooling_name(pool));
    options.plan.pools = {pool};
    const std::vector<f32> got = one_by_one(options, text)[0];
    REQUIRE(got.size() == 32);
    for (i64 layer = 0; layer < 2; ++layer) {
      for (i64 c = 0; c < 16; ++c) {
        f64 sum = 0, all = 0;
        for (i64 i = 0; i < 6; ++i) {
          sum += weights[usize(i)] * static_cast<f64>(engine.state(i, layer)[usize(c)]);
          all += weights[usize(i)];
        }
        CHECK(got[usize(16 * layer + c)] == static_cast<f32>(sum / all));
      }
    }
  }
  // Several poolings of one pass are those of several.
  options.plan.pools = {Pooling::kLast, Pooling::kMean};
  const std::vector<f32> both = one_by_one(options, text)[0];
  options.plan.pools = {Pooling::kMean};
  const std::vector<f32> mean = one_by_one(options, text)[0];
  CHECK(std::equal(mean.begin(), mean.end(), both.begin() + 32, both.end()));
}

TEST_CASE("texts longer than allowed are cut, or are the mean of their windows", "[embed]") {
  const test::TempDir dir;
  test::write_tiny_encoder(dir.file("bert"));
  ModelEmbedderOptions options = options_for(dir.file("bert"), Pooling::kMean, {3});
  options.max_tokens = 6;  // four of the text
  const std::vector<std::string> texts = {"a b c d e f g h i j", "a b c d", "e f g h", "i j"};
  const std::vector<std::vector<f32>> cut = one_by_one(options, texts);
  CHECK(cut[0] == cut[1]);
  {
    ModelEmbedder embedder(options);
    CHECK(embedder.prepare(texts[0])->left_out == 6);
    CHECK(embedder.prepare(texts[1])->left_out == 0);
  }
  options.long_texts = LongTexts::kWindows;
  const std::vector<std::vector<f32>> whole = one_by_one(options, texts);
  CHECK(whole[1] == cut[1]);
  for (std::size_t c = 0; c < 16; ++c) {
    const f64 mean = (4 * static_cast<f64>(cut[1][c]) + 4 * static_cast<f64>(cut[2][c]) +
                      2 * static_cast<f64>(cut[3][c])) /
                     10;
    CHECK(whole[0][c] == static_cast<f32>(mean));
  }
  options.max_tokens = 41;
  CHECK(refusal(options).find("more than the model's context of 40") != std::string::npos);
  options.max_tokens = 2;
  CHECK(refusal(options).find("no room") != std::string::npos);
}

TEST_CASE("the settings of a sentence-transformers folder are read", "[embed]") {
  const test::TempDir dir;
  const std::string folder = dir.file("bert");
  test::write_tiny_encoder(folder);
  FolderSettings settings = read_folder_settings(folder);
  CHECK(settings.sentence);
  CHECK(settings.pool == Pooling::kMean);
  CHECK(settings.normalize);
  CHECK(settings.max_tokens == 24);
  {
    ModelEmbedder embedder(options_for(folder, Pooling::kMean, {3}));
    CHECK(embedder.max_tokens() == 24);
  }
  const auto pooling = [&](const std::string& json) -> std::string {
    std::ofstream(folder + "/1_Pooling/config.json") << json;
    try {
      return std::string(pooling_name(*read_folder_settings(folder).pool));
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
      return error.message().substr(error.message().find("config.json"));
    }
  };
  CHECK(pooling(R"({"pooling_mode_cls_token":true})") == "cls");
  CHECK(pooling(R"({"pooling_mode_lasttoken":true,"pooling_mode_mean_tokens":false})") == "last");
  CHECK(pooling(R"({"pooling_mode":"weightedmean"})") == "weighted");
  CHECK(pooling(R"({"pooling_mode_max_tokens":true})") ==
        "config.json: pooling \"max\" is not supported, expected cls, mean, "
        "weightedmean or lasttoken");
  CHECK(pooling(R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})")
            .find("several poolings") != std::string::npos);
  CHECK(pooling("{}").find("\"none\"") != std::string::npos);
  CHECK(pooling("[]").find("config.json") == 0);
  const auto modules = [&](const std::string& json) -> std::string {
    std::ofstream(folder + "/modules.json") << json;
    try {
      read_folder_settings(folder);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
      return error.message();
    }
    return "accepted";
  };
  pooling(R"({"pooling_mode":"mean"})");
  const std::string first = R"({"path":"","type":"a.Transformer"})";
  CHECK(modules("[" + first + R"(,{"path":"1_Pooling","type":"a.Pooling"}])") == "accepted");
  CHECK(modules("[" + first + R"(,{"path":"2_Dense","type":"a.Dense"}])").find("\"Dense\"") !=
        std::string::npos);
  CHECK(modules(R"([{"path":"../other","type":"a.Transformer"}])").find("a folder inside") !=
        std::string::npos);
  CHECK(modules("{}").find("expected an array") != std::string::npos);
  std::filesystem::remove(folder + "/modules.json");
  settings = read_folder_settings(folder);
  CHECK_FALSE(settings.sentence);
  CHECK_FALSE(settings.pool);
}

TEST_CASE("a pooling that the model cannot have is refused", "[embed]") {
  const test::TempDir dir;
  test::write_tiny_folder(dir.file("llama"));
  ModelEmbedderOptions options = options_for(dir.file("llama"), Pooling::kClass, {2});
  CHECK(refusal(options).find("is a decoder (llama)") != std::string::npos);
  options.plan.pools = {Pooling::kBegin};
  CHECK(refusal(options) == "accepted");
  options.session.begin = false;
  CHECK(refusal(options).find("needs a token that begins texts") != std::string::npos);
  // A text without tokens has no vector where nothing begins it.
  options.plan.pools = {Pooling::kMean};
  ModelEmbedder embedder(options);
  const Result<PreparedText> none = embedder.prepare("");
  REQUIRE_FALSE(none);
  CHECK(none.fault().code == "empty");
}

TEST_CASE("a decoder's last layer stands behind its last norm only where asked", "[embed]") {
  const test::TempDir dir;
  test::write_tiny_folder(dir.file("llama"));
  ModelEmbedderOptions options = options_for(dir.file("llama"), Pooling::kLast, {1, 2});
  const std::vector<std::string> text = {"in the end"};
  const std::vector<f32> raw = one_by_one(options, text)[0];
  options.plan.final_norm = true;
  const std::vector<f32> normed = one_by_one(options, text)[0];
  CHECK(std::equal(raw.begin(), raw.begin() + 16, normed.begin()));
  f64 square = 0;
  for (std::size_t c = 16; c < 32; ++c)
    square += static_cast<f64>(raw[c]) * static_cast<f64>(raw[c]) / 16;
  const model::Model model = test::make_tiny_model();
  const f32* const gain = model.weights[model.params->set.find("norm.weight")].f32_data();
  for (std::size_t c = 0; c < 16; ++c)
    CHECK(static_cast<f64>(normed[16 + c]) ==
          Approx(static_cast<f64>(raw[16 + c] * gain[c]) / std::sqrt(square + 1e-5)).epsilon(1e-5));
}

TEST_CASE("layers have names", "[embed]") {
  using List = std::vector<i64>;
  CHECK(parse_layers("last", 6) == List{6});
  CHECK(parse_layers("all", 2) == List{0, 1, 2});
  CHECK(parse_layers("3,0", 6) == List{0, 3});
  CHECK(parse_layers("auto", 32) == List{6, 12, 18, 24, 30});
  CHECK(parse_layers("auto", 6) == List{1, 2, 3, 4, 5});
  CHECK(parse_layers("auto", 2) == List{1, 2});
  for (const char* const wrong : {"7", "-1", "x", "", "1,1", "1,"})
    CHECK_THROWS_AS(parse_layers(wrong, 6), Error);
}
