#include "answer/engine.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "../../tiny_model.h"
#include "answers.h"

namespace lm::answer {
namespace {

std::string refusal(const std::string& name) {
  try {
    parse_engine(name, "--engine");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUsage);
    return e.message() + " / " + e.hint();
  }
  return "none";
}

}  // namespace

TEST_CASE("engines go by name", "[answer]") {
  CHECK(parse_engine("local:a/b", "x").kind == EngineName::Kind::kLocal);
  CHECK(parse_engine("script:a:b", "x").path == "a:b");
  CHECK(parse_engine("replay:a", "x").kind == EngineName::Kind::kReplay);
  CHECK(parse_engine("ngram:a", "x").kind == EngineName::Kind::kNgram);
  CHECK(refusal("local:") == "--engine: \"local:\" names no file / ");
  CHECK(
      refusal("remote:a") ==
      "--engine: \"remote:a\" is none of local:FOLDER, script:FILE, replay:FILE and ngram:FILE / ");
  CHECK(refusal("/") ==
        "--engine: \"/\" is none of local:FOLDER, script:FILE, replay:FILE and ngram:FILE / "
        "local:/ is a model folder");
}

TEST_CASE("every kind of engine opens and answers, and says what it lacks", "[answer]") {
  const std::string root =
      (std::filesystem::temp_directory_path() / cat("lm-engine-", getpid())).string();
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  test::write_tiny_folder(root + "/model");
  std::ofstream(root + "/script") << R"({"when":{},"reply":"scripted"})";
  std::ofstream(root + "/empty") << "";
  std::ofstream(root + "/arpa") << "\\data\\\nngram 1=3\n\n\\1-grams:\n-99\t<s>\n-0.3\t<unk>\n"
                                   "-0.3\t</s>\n\n\\end\\\n";
  const LocalContext ctx;
  const auto open = [&](const std::string& name) {
    return open_engine(parse_engine(name, "x"), {}, ctx);
  };
  Request request = test::ask("a", "the");
  request.params.max_tokens = 4;
  CHECK(test::texts(test::answer_to(*open("script:" + root + "/script"), request)) ==
        "scri");  // one token a byte
  CHECK(test::texts(test::answer_to(*open("replay:" + root + "/empty"), request)) ==
        "fault no_rule");
  CHECK(test::texts(test::answer_to(*open("ngram:" + root + "/arpa"), request)).empty());
  CHECK(!test::answer_to(*open("local:" + root + "/model"), request).fault);
  CHECK(ctx->memory->used() == 0);
  for (const char* const kind : {"script:", "replay:", "ngram:", "local:"})
    CHECK_THROWS_AS(open(kind + root + "/nowhere"), Error);
  std::filesystem::remove_all(root);
}

}  // namespace lm::answer
