#include "decode/held_out.h"

#include <cmath>

#include "catch.h"
#include "decode/neural_scorer.h"
#include "tiny_model.h"

using namespace lm;

TEST_CASE("held-out texts have the loss that the scorer of texts gives them", "[ablate]") {
  const test::TempDir dir;
  const std::string folder = dir.file("m");
  test::write_tiny_folder(folder);
  std::string longer;
  for (int i = 0; i < 60; ++i)
    append(longer, "the thin thing ", i, " ");
  const std::vector<std::string> texts = {"in the", longer, "", "x"};
  for (const i64 stride : {0, 16, 64}) {
    decode::SessionOptions options;
    options.folder = folder;
    decode::NeuralScorerOptions how;
    how.stride = stride;
    decode::NeuralScorer scorer(options, how);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    std::vector<text::Score> scores(texts.size());
    scorer.score(views, scores);

    MemoryBudget memory(1 << 20);
    const decode::Session session(options);
    decode::HeldOutTexts held_out(session.tokenizer(), session.begin(), scorer.windows(), memory);
    CHECK(!held_out.add("a", texts[0]));
    CHECK(!held_out.add("b", texts[1]));
    CHECK(!held_out.add("a", texts[2]));
    CHECK(!held_out.add("a", texts[3]));
    CHECK(held_out.sets() == std::vector<std::string>{"a", "b"});
    CHECK(memory.used() > 0);
    const model::MappedModel model = model::map_model(folder);
    model::Engine engine(model);
    for (const i64 batch : {1, 3}) {
      const std::vector<decode::SetScore> got = held_out.score(engine, {.batch = batch});
      CHECK(got[0].nll_nats == scores[0].nll_nats + scores[3].nll_nats);
      CHECK(got[0].tokens == scores[0].tokens + scores[3].tokens);
      CHECK(got[1].nll_nats == scores[1].nll_nats);
      CHECK(got[1].tokens == scores[1].tokens);
      CHECK(got[1].bytes == scores[1].bytes);
      CHECK(held_out.tokens(1) == scores[1].tokens);
    }
  }
}
