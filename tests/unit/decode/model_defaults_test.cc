#include "decode/model_defaults.h"

#include <limits>

#include "catch.h"
#include "core/error.h"
#include "io/atomic_file.h"

namespace lm::decode {
namespace {

ModelDefaults read(const std::string& json) {
  test::TempDir dir;
  io::write_file(dir.file("generation_config.json"), json);
  return read_model_defaults(dir.path().string());
}

std::string refusal(const std::string& json) {
  try {
    read(json);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message().substr(e.message().find("generation_config.json"));
  }
  return "none";
}

TEST_CASE("a model's sampling is read under our names", "[decode]") {
  const ModelDefaults d = read(R"({
    "_from_model_config": true, "bos_token_id": 1, "eos_token_id": [2, 3], "do_sample": true,
    "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.05, "typical_p": 0.9,
    "epsilon_cutoff": 1e-4, "eta_cutoff": 2e-4, "repetition_penalty": 1.05,
    "no_repeat_ngram_size": 3, "max_new_tokens": 2048, "min_new_tokens": 2,
    "num_return_sequences": 4, "stop_strings": ["END", "\n\n"], "suppress_tokens": [7, 5],
    "num_beams": 1, "penalty_alpha": null, "max_length": 4096, "transformers_version": "4.51.0"})");
  CHECK(d.params.temperature == 0.6);
  CHECK(d.params.top_k == 20);
  CHECK(d.params.top_p == 0.95);
  CHECK(d.params.min_p == 0.05);
  CHECK(d.params.typical == 0.9);
  CHECK(d.params.epsilon == 1e-4);
  CHECK(d.params.eta == 2e-4);
  CHECK(d.params.repetition_penalty == 1.05);
  CHECK(d.params.no_repeat_ngram == 3);
  CHECK(d.params.max_tokens == 2048);
  CHECK(d.params.min_tokens == 2);
  CHECK(d.params.n == 4);
  CHECK(d.params.stop == std::vector<std::string>{"END", "\n\n"});
  const f64 ban = -std::numeric_limits<f64>::infinity();
  CHECK(d.params.logit_bias == std::vector<std::pair<i32, f64>>{{5, ban}, {7, ban}});
  CHECK(d.taken.size() == 14);
  CHECK(d.takes("stop"));
  CHECK(!d.takes("frequency_penalty"));
  CHECK(d.notes.empty());
  CHECK(d.quiet == std::vector<std::string>{"max_length"});
  CHECK(d.key() != 0);
  CHECK(params_json(d.params, {"top_k", "temperature", "stop"}) ==
        R"({"temperature":0.6,"top_k":20,"stop":["END","\n\n"]})");
}

TEST_CASE("a file without sampling, and none at all, set nothing", "[decode]") {
  test::TempDir dir;
  CHECK(read_model_defaults(dir.path().string()).taken.empty());
  const ModelDefaults d = read(R"({"bos_token_id": 1, "eos_token_id": 2, "temperature": null})");
  CHECK(d.taken.empty());
  CHECK(d.notes.empty());
  CHECK(d.key() == 0);
}

TEST_CASE("do_sample false is greedy, and says what then has no effect", "[decode]") {
  const ModelDefaults plain = read(R"({"do_sample": false})");
  CHECK(plain.params.temperature == 0);
  CHECK(plain.taken == std::vector<std::string>{"temperature"});
  CHECK(plain.notes.empty());
  const ModelDefaults d =
      read(R"({"do_sample": false, "temperature": 0.7, "top_p": 0.9, "num_return_sequences": 2})");
  CHECK(d.params.temperature == 0);
  CHECK(d.notes ==
        std::vector<std::string>{"do_sample is false: without effect: temperature, top_p",
                                 "do_sample is false: all 2 samples are the same"});
  CHECK(read(R"({"temperature": 0.7})").params.temperature == 0.7);
}

TEST_CASE("what is unknown or contradicts itself is said", "[decode]") {
  CHECK(read(R"({"temprature": 1})").notes ==
        std::vector<std::string>{"key \"temprature\" is not known and not followed"});
  CHECK(read(R"({"min_new_tokens": 9, "max_new_tokens": 8})").notes ==
        std::vector<std::string>{"min_new_tokens 9 is more than max_new_tokens 8"});
}

TEST_CASE("what would change results otherwise than is done here is refused", "[decode]") {
  for (const char* const json :
       {R"({"num_beams": 4})", R"({"num_beam_groups": 2})", R"({"penalty_alpha": 0.6})",
        R"({"guidance_scale": 1.5})", R"({"min_length": 10})", R"({"dola_layers": "low"})",
        R"({"forced_bos_token_id": 5})", R"({"bad_words_ids": [[3]]})",
        R"({"sequence_bias": [[[3], 1.0]]})", R"({"begin_suppress_tokens": [220]})",
        R"({"encoder_repetition_penalty": 2})"}) {
    INFO(json);
    const std::string said = refusal(json);
    CHECK(said.find("asks for what is not done here") != std::string::npos);
  }
  for (
      const char* const json :
      {R"({"num_beams": 1, "num_beam_groups": 1, "diversity_penalty": 0.0, "min_length": 0})",
       R"({"guidance_scale": 1, "penalty_alpha": 0, "bad_words_ids": [], "token_healing": false})"})
    CHECK(refusal(json) == "none");
}

TEST_CASE("values of the wrong type or range are refused by key", "[decode]") {
  CHECK(refusal(R"({"temperature": "hot"})") ==
        "generation_config.json: key \"temperature\" is \"hot\", expected a number from 0 to "
        "1e+06");
  CHECK(refusal(R"({"top_k": 2.5})").find("key \"top_k\"") != std::string::npos);
  CHECK(refusal(R"({"top_p": 1.5})").find("key \"top_p\"") != std::string::npos);
  CHECK(refusal(R"({"max_new_tokens": -1})").find("key \"max_new_tokens\"") != std::string::npos);
  CHECK(refusal(R"({"do_sample": 1})").find("key \"do_sample\"") != std::string::npos);
  CHECK(refusal(R"({"stop_strings": [""]})").find("key \"stop_strings\"") != std::string::npos);
  CHECK(refusal(R"({"suppress_tokens": [-3]})").find("key \"suppress_tokens\"") !=
        std::string::npos);
  CHECK(refusal("[1]") != "none");
  CHECK(refusal("{") != "none");
}

}  // namespace
}  // namespace lm::decode
