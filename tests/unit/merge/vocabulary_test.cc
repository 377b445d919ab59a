#include "merge/vocabulary.h"

#include <nlohmann/json.hpp>

#include "fixture.h"
#include "io/file.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;
using lm::test::Numbers;
using lm::test::TestTensor;

namespace {

using Words = std::vector<std::string>;

std::string tokenizer(const Words& ordinary, const Words& added) {
  nlohmann::json json;
  json["model"] = {{"type", "BPE"}, {"merges", nlohmann::json::array()}};
  json["added_tokens"] = nlohmann::json::array();
  i64 id = 0;
  json["model"]["vocab"] = nlohmann::json::object();
  for (const std::string& word : ordinary)
    json["model"]["vocab"][word] = id++;
  for (const std::string& word : added)
    json["added_tokens"].push_back({{"id", id++}, {"content", word}, {"special", true}});
  return json.dump();
}

// Row i of the matrix is (first + i, -first - i): it says which model and id it comes from.
std::string write(const test::TempDir& dir, const std::string& name, const Words& ordinary,
                  const Words& added, f64 first, i64 rows = 0, DType dtype = DType::kF32) {
  if (rows == 0) rows = isize(ordinary) + isize(added);
  Numbers values;
  for (i64 i = 0; i < rows; ++i) {
    values.push_back(first + static_cast<f64>(i));
    values.push_back(-first - static_cast<f64>(i));
  }
  const std::string folder = test::write_model(
      dir, name, {{"model.embed_tokens.weight", dtype, {rows, 2}, values}},
      cat(R"({"model_type":"t","vocab_size":)", rows, R"(,"eos_token_id":)", rows, "}"));
  io::write_file(folder + "/tokenizer.json", tokenizer(ordinary, added));
  return folder;
}

struct Result {
  Numbers rows;  // first column
  std::string config;
  std::string tokenizer_json;
  std::vector<std::string> warnings;
};

Result merge_rows(const std::string& yaml) {
  const LocalContext ctx;
  const merge::Recipe recipe = merge::parse_recipe(yaml, "r.yaml");
  merge::Plan plan = merge::make_plan(recipe, {}, *ctx);
  merge::MemorySink sink;
  merge::run(plan.tensors, sink, {.tile_bytes = 1}, *ctx);
  const auto& stored = sink.tensors().find("model.embed_tokens.weight")->second;
  const Numbers all = test::numbers(stored.dtype, stored.bytes);
  Result out{
      {}, plan.config_json, plan.vocabulary ? plan.vocabulary->tokenizer_json : "", plan.warnings};
  for (std::size_t i = 0; i < all.size(); i += 2) {
    out.rows.push_back(all[i]);
    CHECK(all[i] == -all[i + 1]);
  }
  return out;
}

std::string mean_of(const Words& models, const std::string& more) {
  std::string list;
  for (const std::string& one : models)
    append(list, list.empty() ? "" : ", ", "{model: ", one, ", parameters: {weight: 1}}");
  return cat("merge_method: linear\nmodels: [", list, "]\n", more);
}

}  // namespace

TEST_CASE("a union keeps the base's ids, then tokens in the order of models, then added ones",
          "[merge]") {
  const test::TempDir dir;
  const std::string a = write(dir, "a", {"x", "y"}, {"<s>"}, 100);
  const std::string b = write(dir, "b", {"z", "y", "x"}, {"<t>"}, 200);
  const std::string c = write(dir, "c", {"w", "z"}, {"<s>", "<u>"}, 300);
  const Result got = merge_rows(mean_of({a, b, c}, "tokenizer_source: union\n"));
  // x y <s> z w <t> <u>. A model that lacks a token takes the mean of those that have it.
  const Numbers want = {
      (100 + 202) / 2.0, (101 + 201) / 2.0, (102 + 302) / 2.0, (200 + 301) / 2.0, 300, 203, 303};
  test::check_close(got.rows, want, 1e-6);
  CHECK_THAT(got.config, ContainsSubstring("\"vocab_size\": 7"));
  const nlohmann::json json = nlohmann::json::parse(got.tokenizer_json);
  CHECK(json["model"]["vocab"] == nlohmann::json({{"x", 0}, {"y", 1}, {"z", 3}, {"w", 4}}));
  CHECK(json["added_tokens"].size() == 3);
  CHECK(json["added_tokens"][2]["content"] == "<u>");
  CHECK(json["added_tokens"][2]["id"] == 6);
  CHECK(json["added_tokens"][2]["special"] == true);
}

TEST_CASE("with a base, what a model lacks is the base's row", "[merge]") {
  const test::TempDir dir;
  const std::string a = write(dir, "a", {"x", "y"}, {}, 100);
  const std::string b = write(dir, "b", {"y"}, {}, 200);
  const std::string c = write(dir, "c", {"y", "x"}, {}, 300);
  const Result got =
      merge_rows(cat("merge_method: task_arithmetic\nbase_model: ", a, "\nmodels:\n  - {model: ", b,
                     ", parameters: {weight: 1}}\n  - {model: ", c,
                     ", parameters: {weight: 1}}\ntokenizer_source: base\n"));
  // x: base + 0 + (301 - 100); y: base + (200 - 101) + (300 - 101).
  test::check_close(got.rows, {301, 101 + 99 + 199}, 1e-6);
  CHECK(got.tokenizer_json.empty());
}

TEST_CASE("the tokens of one model leave others out, and its special ids count", "[merge]") {
  const test::TempDir dir;
  const DType dtype = GENERATE(DType::kF32, DType::kBf16);
  const std::string a = write(dir, "a", {"x", "y", "v"}, {}, 16, 0, dtype);
  const std::string b = write(dir, "b", {"y", "x"}, {}, 32, 0, dtype);
  const Result got = merge_rows(mean_of({a, b}, cat("tokenizer_source: ", b, "\n")));
  CHECK(got.rows == Numbers{(32 + 17) / 2.0, (33 + 16) / 2.0});
  CHECK_THAT(got.config, ContainsSubstring("\"eos_token_id\": 2"));
  // Copied rows are exact.
  const Result copy = merge_rows(cat("merge_method: linear\nmodels: [{model: ", a,
                                     ", parameters: {weight: 1}}, {model: ", b,
                                     ", parameters: {weight: 0}}]\ntokenizer_source: ", b, "\n"));
  CHECK(copy.rows == Numbers{17, 16});
}

TEST_CASE("equal tokenizers change nothing, not even rows beyond them", "[merge]") {
  const test::TempDir dir;
  const std::string a = write(dir, "a", {"x", "y"}, {}, 100, 4);
  const std::string b = write(dir, "b", {"x", "y"}, {}, 200, 4);
  CHECK(merge_rows(mean_of({a, b}, "tokenizer_source: union\n")).rows ==
        Numbers{150, 151, 152, 153});
}

TEST_CASE("single tokens have sources of their own, and rows are padded by the mean", "[merge]") {
  const test::TempDir dir;
  const std::string a = write(dir, "a", {"x", "y"}, {"<s>"}, 100);
  const std::string b = write(dir, "b", {"x"}, {}, 200);
  const auto run = [&](const std::string& tokens) {
    return merge_rows(mean_of({a, b}, cat("tokenizer: {source: union, pad_to_multiple_of: 4, "
                                          "tokens: {",
                                          tokens, "}}\n")))
        .rows;
  };
  // <s> is a's row in a and zero in b; y is a's, and in b the row of b's x.
  const Numbers got = run(
      "<s>: {source: {kind: zero}}, y: {source: {kind: model_token, model: " + b + ", token: x}}");
  const Numbers mean = {150, (101 + 200) / 2.0, 51};
  test::check_close(got, {mean[0], mean[1], mean[2], (mean[0] + mean[1] + mean[2]) / 3}, 1e-6);
  const Numbers forced =
      run("x: {source: {kind: model_token, model: " + a + ", token_id: 2}, force: true}");
  CHECK(forced[0] == 102);
  CHECK_THROWS_WITH(run("q: {source: {kind: zero}}"), ContainsSubstring("has no token \"q\""));
  CHECK_THROWS_WITH(run("y: {source: " + b + "}"), ContainsSubstring("has no row for token \"y\""));
  CHECK_THROWS_WITH(run("y: {source: {kind: one}}"), ContainsSubstring("neither zero nor"));
}

TEST_CASE("ids beyond a matrix have no row, and files that lie are refused", "[merge]") {
  const test::TempDir dir;
  const std::string a = write(dir, "a", {"x", "y"}, {"<s>"}, 100, 2);
  const std::string b = write(dir, "b", {"y", "x"}, {}, 200);
  const Result got = merge_rows(mean_of({a, b}, "tokenizer_source: base\n"));
  test::check_close(got.rows, {(100 + 201) / 2.0, (101 + 200) / 2.0, 0}, 1e-6);
  REQUIRE(got.warnings.size() == 1);
  CHECK_THAT(got.warnings[0], ContainsSubstring("1 tokens have a row in no model"));
  const auto refused = [&](const std::string& json) {
    io::write_file(b + "/tokenizer.json", json);
    try {
      merge_rows(mean_of({a, b}, "tokenizer_source: union\n"));
    } catch (const Error& e) {
      return e.message();
    }
    return std::string();
  };
  CHECK_THAT(refused("{"), ContainsSubstring("not JSON"));
  CHECK_THAT(refused("{}"), ContainsSubstring("no model.vocab"));
  CHECK_THAT(refused(R"({"model":{"vocab":{"x":0,"y":0}}})"), ContainsSubstring("twice"));
  CHECK_THAT(refused(R"({"model":{"vocab":{"x":-1}}})"), ContainsSubstring("has id -1"));
  CHECK_THAT(refused(R"({"model":{"vocab":{}},"added_tokens":[{"id":1}]})"),
             ContainsSubstring("no id or content"));
  std::filesystem::remove(b + "/tokenizer.json");
  CHECK_THROWS_WITH(merge_rows(mean_of({a, b}, "tokenizer_source: union\n")),
                    ContainsSubstring("no such file"));
}
