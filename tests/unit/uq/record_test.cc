// Records: what is read, what is refused, and by which name.

#include "uq/record.h"

#include <limits>

#include "catch.h"
#include "uq/record_json.h"

namespace {

using lm::uq::RecordReader;
using lm::uq::UqRecord;

// Lines with the padding that readers may touch.
struct Line {
  explicit Line(std::string text) : size(text.size()), padded(std::move(text)) {
    padded.append(64, ' ');
  }
  std::string_view view() const { return std::string_view(padded).substr(0, size); }
  std::size_t size;
  std::string padded;
};

std::string fault_of(const std::string& text) {
  RecordReader reader;
  UqRecord record;
  const Line line(text);
  const std::optional<lm::Fault> fault = reader.read(line.view(), record);
  return fault ? fault->code + ": " + fault->detail : "";
}

}  // namespace

TEST_CASE("a record with every ingredient is read", "[uq]") {
  const Line line(
      R"({"id":7,"prompt":"q\u00e9","refs":["a","b"],"temperature":0.7,"vocab":50,"correct":true,)"
      R"("emb":{"greedy":[1,2],"samples":[[1,0],[0,1]],"prompt":[3]},)"
      R"("greedy":{"text":"x","logp":[-1,-2],"entropy":[0.5,1],"logp0":[-3,-4],)"
      R"("top":[[[5,-1],[6,-2]],[[7,-2]]],"alternatives":[[[-1,"e"]],[[-2,"c"],[-3,"n"]]],)"
      R"("attn_self":[[0.5,0.25]],"attn_prev":[[[0,0.5]]],"unknown":[{}]},)"
      R"("samples":[{"text":"s","logp":[-0.5],"relevance":[1]},"bare"],)"
      R"("perturb":[{"prompt":"p","kind":"k","samples":["u",{"text":"v"}]}],)"
      R"("sim":{"nli_e":[[1,0.5],[0.25,1]],"nli_c":[[0,0],[0,0]]},"p_true":0.75,)"
      R"("p_true_samples":[true,"True.","no"],"verbal":"90%","other":null,)"
      R"("uq":{"scores":{"msp":1.5,"bad":null},"samples":2,"flags":["x"]}})");
  RecordReader reader;
  UqRecord r;
  REQUIRE(!reader.read(line.view(), r));
  CHECK(r.id == "7");
  CHECK(r.prompt == "q\xc3\xa9");
  CHECK(r.refs == std::vector<std::string_view>{"a", "b"});
  CHECK(r.correct == 1.0);
  CHECK(r.temperature == 0.7);
  CHECK(r.vocab == 50);
  REQUIRE(r.greedy);
  CHECK(r.greedy->logp == std::vector<double>{-1, -2});
  CHECK(r.greedy->top[0][1].logp == -2);
  CHECK(r.greedy->alternatives[1][0].relation == lm::uq::Entailment::kContradicts);
  CHECK(r.greedy->attn_prev.shape == std::vector<lm::i64>{1, 1, 2});
  CHECK(r.greedy->emb == std::vector<double>{1, 2});
  CHECK(r.samples[0].relevance == std::vector<double>{1});
  CHECK(r.samples[1].text == "bare");
  CHECK(r.samples[1].emb == std::vector<double>{0, 1});
  CHECK(r.prompt_emb == std::vector<double>{3});
  CHECK(r.perturb[0].samples[1].text == "v");
  CHECK(r.nli_entail.values == std::vector<double>{1, .5, .25, 1});
  CHECK(r.p_true_samples == std::vector<lm::u8>{1, 1, 0});
  REQUIRE(r.scored);
  CHECK(r.scored->scores.size() == 1);
  CHECK(r.scored->samples == 2);
}

TEST_CASE("nothing of one record is left in the next", "[uq]") {
  RecordReader reader;
  UqRecord r;
  const Line full(R"({"id":"a","greedy":{"text":"x","logp":[-1]},"samples":["s"],"p_true":0.5})");
  const Line empty(R"({"greedy":null,"samples":[]})");
  REQUIRE(!reader.read(full.view(), r));
  REQUIRE(!reader.read(empty.view(), r));
  CHECK(!r.greedy);
  CHECK(r.samples.empty());
  CHECK(!r.p_true);
  CHECK(r.id.empty());
  CHECK(!r.answered());
}

TEST_CASE("what does not fit is refused by name", "[uq]") {
  CHECK(fault_of(R"({"greedy":[]})") == "type: field \"greedy\": is an array, expected an object");
  CHECK(fault_of(R"({"greedy":{"text":"x","logp":["a"]}})") ==
        "type: field \"greedy.logp\": is a string, expected a number");
  CHECK(fault_of(R"({"greedy":{"logp":[0.5]}})") ==
        "range: field \"greedy.logp\": has 0.5, expected at most 0");
  CHECK(fault_of(R"({"greedy":{"logp":[-1,-1],"entropy":[1]}})") ==
        "shape: field \"greedy.entropy\": has 1 tokens, logp has 2");
  CHECK(fault_of(R"({"samples":[{"text":1}]})") ==
        "type: field \"samples[0].text\": is a number, expected a string");
  CHECK(fault_of(R"({"samples":["a","b"],"sim":{"answers":[[1]]}})") ==
        "shape: field \"sim.answers\": is 1 x 1, expected 2 x 2, or 3 x 3 with the greedy answer");
  CHECK(fault_of(R"({"samples":["a"],"sim":{"answers":[[1,2],[3]]}})") ==
        "shape: field \"sim.answers\": has lists of 2 and of 1");
  CHECK(fault_of(R"({"samples":["a"],"sim":{"nli_e":[[1.5]]}})") ==
        "range: field \"sim.nli_e\": has 1.5, expected 0 to 1");
  CHECK(fault_of(R"({"samples":["a"],"emb":{"samples":[[1],[2]]}})") ==
        "shape: field \"emb.samples\": has 2 rows for 1 samples");
  CHECK(fault_of(R"({"samples":[{"text":"a","emb":[1]},{"text":"b","emb":[1,2]}]})") ==
        "shape: field \"emb\": has embeddings of 1 and of 2");
  CHECK(fault_of(R"({"p_true":2})") == "range: field \"p_true\": is 2, expected 0 to 1");
  CHECK(fault_of(R"({"greedy":{"alternatives":[[[-1,"x"]]]}})") ==
        "range: field \"greedy.alternatives\": has relation \"x\", expected e, n or c");
  CHECK(fault_of(R"({"uq":{"samples":-1}})") ==
        "type: field \"uq.samples\": expected a whole number from 0");
  CHECK(fault_of(R"({"uq":{"scores":{"msp":"x"}}})") ==
        "type: field \"uq.scores.msp\": is a string, expected a number");
  CHECK(fault_of(R"({"uq":{"scores":[]}})") ==
        "type: field \"uq.scores\": is an array, expected an object");
  CHECK(fault_of(R"({"samples":["a",7]})") ==
        "type: field \"samples[1]\": is a number, expected an object");
  CHECK(fault_of(R"({"perturb":[{"prompt":"p"},{"samples":["a",{"logp":[1]}]}]})") ==
        "range: field \"perturb[1].samples[1].logp\": has 1, expected at most 0");
  CHECK(fault_of(R"({"greedy":{"text":"x","attn_back":[[],[1,2]]}})") ==
        "shape: field \"greedy.attn_back\": has 2 numbers in row 1, expected 1 or none");
  CHECK(fault_of(R"({"greedy":{"text":"x","logp":[-1]},"claims":[{"token_span":[0,2]}]})") ==
        "range: field \"claims[0].token_span\": ends at 2, the answer has 1 tokens");
  CHECK(fault_of(R"({"claims":[{"token_span":[2,2]}]})") ==
        "range: field \"claims[0].token_span\": is [2, 2], expected first < end");
  CHECK(fault_of(R"({"claims":[{"token_span":[1]}]})") ==
        "shape: field \"claims[0].token_span\": expected [first, end]");
  CHECK(fault_of(R"({"samples":["a"],"claims":[{},{"nli":["e","c"]}]})") ==
        "shape: field \"claims[1].nli\": has 2 relations for 1 samples");
  CHECK(fault_of(R"({"samples":["a"]})").empty());
}

TEST_CASE("what stands in fields that are not read is of no matter", "[uq]") {
  for (const char* value : {"18446744073709551616", "1e400", R"("\ud800")", R"([{"id":1e999}])"}) {
    RecordReader reader;
    UqRecord record;
    const Line line(std::string(R"({"id":18446744073709551617,"x":)") + value +
                    R"(,"model":"m","emb":{"prompt":[1],"layer":3},"samples":["a","b"],)" +
                    R"("uq":{"scores":{"mine":2}}})");
    REQUIRE(!reader.read(line.view(), record));
    CHECK(record.id == "18446744073709551617");
    CHECK(record.model == "m");
    CHECK(record.emb_layer == 3);
    REQUIRE(record.samples.size() == 2);
    CHECK(record.samples[1].text == "b");
    REQUIRE(record.scored);
    CHECK(record.scored->scores.size() == 1);
    // The next line is read as ever.
    REQUIRE(!reader.read(Line(R"({"id":2,"samples":["c"]})").view(), record));
    CHECK(record.samples[0].text == "c");
  }
  CHECK(fault_of(R"({"p_true":1e400,"x":1e400})").starts_with("json: field \"p_true\": "));
}

TEST_CASE("a score that is null is infinite where the flags say so", "[uq]") {
  RecordReader reader;
  UqRecord record;
  const Line line(R"({"uq":{"flags":["x","infinite"],"scores":{"a":null,"b":1}}})");
  REQUIRE(!reader.read(line.view(), record));
  REQUIRE(record.scored->scores.size() == 2);
  CHECK(record.scored->scores[1].first == "a");
  CHECK(record.scored->scores[1].second == std::numeric_limits<double>::infinity());
  const Line absent(R"({"uq":{"flags":["x"],"scores":{"a":null,"b":1}}})");
  REQUIRE(!reader.read(absent.view(), record));
  CHECK(record.scored->scores.size() == 1);
}

TEST_CASE("numbers outside their range are refused, whoever reads them", "[uq]") {
  const auto greedy = [](const std::string& fields) {
    return fault_of(R"({"greedy":{"text":"x","logp":[-1,-2],)" + fields + "}}");
  };
  CHECK(greedy(R"("boosted":[7,0])") == "range: field \"greedy.boosted\": has 7, expected 0 to 1");
  CHECK(greedy(R"("attn_self":[[0.5,1.5]])") ==
        "range: field \"greedy.attn_self\": has 1.5, expected 0 to 1");
  CHECK(greedy(R"("attn_self":[[0.5,-0.5]])") ==
        "range: field \"greedy.attn_self\": has -0.5, expected 0 to 1");
  CHECK(greedy(R"("attn_prev":[[[0,2]]])") ==
        "range: field \"greedy.attn_prev\": has 2, expected 0 to 1");
  CHECK(greedy(R"("attn_back":[[],[2]])") ==
        "range: field \"greedy.attn_back\": has 2, expected 0 to 1");
  CHECK(greedy(R"("alternatives":[[[0.5,"e"]],[]])") ==
        "range: field \"greedy.alternatives\": has 0.5, expected at most 0");
  CHECK(greedy(R"("top":[[[1,0.5]],[]])") ==
        "range: field \"greedy.top\": has 0.5, expected at most 0");
  for (const char* id : {"1.5", "-1", "\"a\""}) {
    CHECK(greedy(std::string(R"("top":[[[)") + id + ",-1]],[]]") ==
          "type: field \"greedy.top\": expected token ids, whole numbers from 0");
  }
  CHECK(greedy(R"("sqrt_mass":[-2,1])") ==
        "range: field \"greedy.sqrt_mass\": has -2, expected at least 0.999");
  CHECK(greedy(R"("csl_weight":[1,-2])") ==
        "range: field \"greedy.csl_weight\": has -2, expected at least 0");
  CHECK(greedy(R"("relevance":[1,-2])") ==
        "range: field \"greedy.relevance\": has -2, expected at least -0.001");
  CHECK(greedy(R"("keyword":[1,2])") == "range: field \"greedy.keyword\": has 2, expected 0 to 1");
  CHECK(greedy(R"("logp0":[-1,2])") == "range: field \"greedy.logp0\": has 2, expected at most 0");
  for (const char* size : {"-1", "0", "2.5", "1e300"}) {
    CHECK(fault_of(std::string(R"({"vocab":)") + size + "}")
              .starts_with("range: field \"vocab\": is "));
  }
  CHECK(fault_of(R"({"temperature":-1})") ==
        "range: field \"temperature\": is -1, expected at least 0");
  CHECK(fault_of(R"({"prompt":3})") == "type: field \"prompt\": is a number, expected a string");
  CHECK(fault_of(R"({"samples":["a","b"],"sim":{"answers":[[0,0],[0,0]]}})") ==
        "range: field \"sim.answers\": has 0 on the diagonal, expected 1");
  CHECK(fault_of(R"({"samples":["a","b"],"sim":{"answers":[[1,0],[0,1]]}})").empty());
  // What rounding leaves of one.
  CHECK(greedy(R"("boosted":[1.0000001,0])").empty());
  CHECK(fault_of(R"({"samples":["a"],"sim":{"answers":[[0.9999999]]}})").empty());
}

TEST_CASE("what is written is what was read", "[uq]") {
  const std::string greedy =
      R"({"text":"a \"b\"","logp":[-0.1,-1e-07],"relevance":[1,0.5],"emb":[0.25],"tokens":[3,9],"entropy":[1,2],)"
      R"("logp0":[-3,-4],"sqrt_mass":[1,2],"mean_logp":[-9,-8],"csl_weight":[1,1],)"
      R"("top":[[[5,-1],[6,-2]],[[7,-2]]],"alternatives":[[[-1,"e"]],[[-2,"c"],[-3,"n"]]],)"
      R"("attn_self":[[0.5,0.25]],"attn_prev":[[[0,0.5],[1,0]]]})";
  const std::string samples = R"([{"text":"s","logp":[-0.5]},{"text":""}])";
  const std::string perturb =
      R"([{"prompt":"p","kind":"gaap","similarity":0.75,"generation":2,"emb":[1],"samples":[{"text":"u"}]},)"
      R"({"prompt":"q","samples":[]}])";
  const std::string matrix = "[[1,0.5],[0.5,1]]";
  const Line line("{\"greedy\":" + greedy + ",\"samples\":" + samples + ",\"perturb\":" + perturb +
                  ",\"sim\":{\"answers\":" + matrix + "}}");
  RecordReader reader;
  UqRecord r;
  REQUIRE(!reader.read(line.view(), r));
  std::string out;
  lm::uq::append_greedy(out, *r.greedy);
  CHECK(out == greedy);
  out.clear();
  lm::uq::append_samples(out, r.samples);
  CHECK(out == samples);
  out.clear();
  lm::uq::append_perturb(out, r.perturb);
  CHECK(out == perturb);
  out.clear();
  lm::uq::append_table(out, r.sim_answers);
  CHECK(out == matrix);
}
