// Estimators over records: hand-computed values, absence of what has no ingredients, costs.

#include "uq/estimators.h"

#include <cmath>
#include <map>
#include <set>

#include "catch.h"
#include "io/json.h"
#include "uq/score.h"

namespace {

using lm::f64;
using lm::i64;
using lm::uq::Estimator;
using lm::uq::ScoreOptions;

// A record given as JSON with its evidence.
struct Read {
  explicit Read(std::string line, const ScoreOptions& options = {})
      : text(std::move(line)), evidence(options) {
    const std::size_t size = text.size();
    text.append(64, ' ');
    const std::optional<lm::Fault> fault =
        reader.read(std::string_view(text).substr(0, size), record);
    if (fault) FAIL(fault->code + ": " + fault->detail);
    evidence.set(record);
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  std::string text;
  lm::uq::RecordReader reader;
  lm::uq::UqRecord record;
  lm::uq::Evidence evidence;
};

// Scores of a record; absent ones are not in the map.
std::map<std::string, f64> scores(std::string text, const ScoreOptions& options = {}) {
  Read read(std::move(text), options);
  std::map<std::string, f64> out;
  for (const Estimator& one : lm::uq::estimators()) {
    const f64 value = one.score(read.evidence);
    if (!std::isnan(value)) out[one.name] = value;
  }
  return out;
}

ScoreOptions with(lm::uq::Sim sim) {
  ScoreOptions options;
  options.sim = sim;
  return options;
}

std::set<std::string> names(const std::map<std::string, f64>& found) {
  std::set<std::string> out;
  for (const auto& [name, value] : found)
    out.insert(name);
  return out;
}

// Samples of log-probability log(p), one token each.
std::string samples_json(const std::vector<std::pair<std::string, f64>>& samples) {
  std::string out = "\"samples\":[";
  for (const auto& [text, p] : samples)
    out += std::string(out.back() == '[' ? "" : ",") + "{\"text\":\"" + text + "\",\"logp\":[" +
           std::to_string(std::log(p)) + "]}";
  return out + "]";
}

}  // namespace

TEST_CASE("scores of the greedy tokens are those worked out by hand", "[uq]") {
  auto got = scores(
      R"({"vocab":4,"greedy":{"text":"x","logp":[-1,-3],"entropy":[0.5,1.5],"logp0":[-9,-2],)"
      R"("top":[[[1,-2],[2,-1]],[[3,-3],[4,-3.5]]],"sqrt_mass":[2,1],"mean_logp":[-1.5,-2],)"
      R"("csl_weight":[1,3],"relevance":[3,1],"attn_self":[[0.5,0.25],[1,1]],)"
      R"("attn_prev":[[[0,0.1],[0,0.6]]],)"
      R"("alternatives":[[[-1,"e"],[-1,"c"],[0,"n"]],[[-2,"e"]]]},"p_true":0.8})");
  CHECK(got["msp"] == 4);
  CHECK(got["perplexity"] == 2);
  CHECK(got["perplexity_exp"] == Approx(std::exp(2)));
  CHECK(got["min_token"] == 3);
  CHECK(got["mean_token_entropy"] == 1);
  CHECK(got["max_token_entropy"] == 1.5);
  CHECK(got["margin"] == Approx(-.75));
  CHECK(got["pmi"] == Approx(-(-1 + (-3 + 2)) / 2.0));
  CHECK(got["cpmi"] == Approx(-(-1 + (-3 + 3.599 * 2)) / 2.0));
  // S = 2 is the uniform distribution of four: distance 0; S = 1 is certainty: log 4 and 2/3.
  CHECK(got["renyi"] == Approx(-std::log(4) / 2));
  CHECK(got["fisher_rao"] == Approx(-(2.0 / 3) / 2));
  CHECK(got["self_certainty"] == Approx(-1.75 + std::log(4)));
  CHECK(got["csl"] == Approx((1 + 9) / 4.0));
  CHECK(got["token_sar"] == Approx((3 + 3) / 4.0));
  CHECK(got["attention_score"] == Approx((std::log(2) + std::log(4)) / 2));
  const f64 c1 = std::exp(-1);
  const f64 c2 = .2 * std::exp(-3) + .8 * .6 * c1;
  CHECK(got["rauq"] == Approx(1 - (std::log(c1) + std::log(c2)) / 2));
  CHECK(got["ccp"] == Approx(-.5));
  CHECK(got["p_true"] == Approx(.2));
  CHECK(got.count("mc_entropy") == 0);
  CHECK(got.count("cocoa_msp") == 0);
}

TEST_CASE("five samples in three clusters have the published entropies", "[uq]") {
  auto got =
      scores("{" +
             samples_json(
                 {{"Paris", .3}, {"the paris", .2}, {"Rome", .1}, {"PARIS!", .1}, {"Oslo", .05}}) +
             "}");
  CHECK(got["cluster_entropy"] == Approx(.950271).margin(1e-6));
  CHECK(got["semantic_entropy"] == Approx(.627705).margin(1e-5));
  CHECK(got["semantic_entropy_mc"] == Approx(1.078477).margin(1e-5));
  CHECK(got["semantic_entropy_norm"] == Approx(.627705).margin(1e-5));    // one token each
  CHECK(got["semantic_entropy_unique"] == Approx(.627705).margin(1e-5));  // no text twice
  CHECK(got["label_prob"] == Approx(.4));
  CHECK(got["num_sets"] == 3);
  CHECK(got["self_consistency"] == Approx(.4));
  CHECK(got["mc_entropy"] == Approx(-std::log(.3 * .2 * .1 * .1 * .05) / 5).margin(1e-5));
}

TEST_CASE("equal texts count once in the unique form", "[uq]") {
  auto got = scores("{" + samples_json({{"a b", .5}, {"a b", .5}, {"c", .5}}) + "}");
  CHECK(got["semantic_entropy"] == Approx(-(2 * std::log(2.0 / 3) + std::log(1.0 / 3)) / 3));
  CHECK(got["semantic_entropy_unique"] == Approx(std::log(2)));
}

TEST_CASE("all equal and all different answers have the limits of every measure", "[uq]") {
  auto same = scores(R"({"samples":["yes indeed","yes indeed","Yes indeed"]})");
  CHECK(same["eigv"] == Approx(1));
  CHECK(same["degmat"] == Approx(0).margin(1e-12));
  CHECK(same["cluster_entropy"] == 0);
  CHECK(same["lexsim"] == Approx(-1));
  CHECK(same["label_prob"] == 0);
  CHECK(same["num_sets"] == 1);
  auto apart = scores(R"({"samples":["one","two","three"]})");
  CHECK(apart["eigv"] == Approx(3));
  CHECK(apart["degmat"] == Approx(2.0 / 3));
  CHECK(apart["cluster_entropy"] == Approx(std::log(3)));
  CHECK(apart["kle_scaled"] == Approx(1));
  CHECK(apart["lexsim"] == 0);
  CHECK(apart["num_sets"] == 3);
}

TEST_CASE("a score whose ingredients are missing is absent, never zero", "[uq]") {
  CHECK(names(scores(R"({"greedy":{"text":"x"}})")).empty());
  CHECK(names(scores(R"({"samples":[]})")).empty());
  // One sample: no pairs, but clusters and a graph.
  const std::set<std::string> one = names(scores(R"({"samples":["a"]})"));
  CHECK(one == std::set<std::string>{"num_sets", "cluster_entropy", "label_prob", "eigv", "degmat",
                                     "ecc", "kle", "self_consistency"});
  // A sample without log-probabilities takes the likelihoods of all away.
  CHECK(scores(R"({"samples":[{"text":"a","logp":[-1]},"b"]})").count("mc_entropy") == 0);
  // Matrices that --sim asks for and the record lacks.
  CHECK(names(scores(R"({"samples":["a","b"]})", with(lm::uq::Sim::kNli))) ==
        std::set<std::string>{"lexsim", "lexsim_rouge1", "lexsim_rouge2", "lexsim_bleu",
                              "self_consistency"});
  CHECK(scores(R"({"samples":["a","b"]})", with(lm::uq::Sim::kEmbed)).count("eigv") == 0);
}

TEST_CASE("given matrices and embeddings take the place of texts", "[uq]") {
  const std::string given =
      R"({"samples":["a","b","c"],"sim":{"answers":[[1,0.9,0.1],[0.9,1,0.2],[0.1,0.2,1]]}})";
  auto got = scores(given, with(lm::uq::Sim::kGiven));
  CHECK(got["eigv"] == Approx(1.745421).margin(1e-6));
  CHECK(got["degmat"] == Approx(.4));
  CHECK(got["ecc"] == Approx(1.000148).margin(1e-6));
  CHECK(got["kle"] == Approx(1.073382).margin(1e-6));
  CHECK(got["kle_scaled"] == Approx(.977034).margin(1e-6));
  CHECK(got["num_sets"] == 2);
  // Cosines 1, 0 and 0: halves under (1 + c) / 2.
  auto emb = scores(R"({"samples":["a","b","c"],"emb":{"samples":[[1,0],[2,0],[0,1]]}})",
                    with(lm::uq::Sim::kEmbed));
  CHECK(emb["degmat"] == Approx((9 - (3 + 2 + 4 * .5)) / 9));
  CHECK(emb.count("eigenscore") == 1);
  // Of both directions the mean counts; 0.9999999 is what rounding leaves of 1.
  const auto unlike =
      scores(R"({"samples":["a","b"],"sim":{"answers":[[0.9999999,0.25],[0.75,1]]}})",
             with(lm::uq::Sim::kGiven));
  CHECK(unlike.at("degmat") == Approx((4 - 3) / 4.0).margin(1e-15));
}

TEST_CASE("cosines of very large and very small embeddings are those of their directions", "[uq]") {
  ScoreOptions options = with(lm::uq::Sim::kEmbed);
  options.map = lm::uq::SimMap::kRelu;
  // (1, 0) and (1, 2): 1 / sqrt 5.
  for (const char* first : {"[1e160,1]", "[1e308,1]", "[1,1e-200]", "[1e-200,0]", "[5e-324,0]"}) {
    const std::string record =
        std::string(R"({"samples":["a","b"],"emb":{"samples":[)") + first + ",[1,2]]}}";
    CHECK(scores(record, options).at("degmat") == Approx((2 - 2 / std::sqrt(5)) / 4));
  }
  // Opposite: (1 + -1) / 2.
  options.map = lm::uq::SimMap::kHalf;
  CHECK(
      scores(R"({"samples":["a","b"],"emb":{"samples":[[1e200,1e200],[-1e200,-1e200]]}})", options)
          .at("degmat") == Approx(.5));
}

TEST_CASE("what overflows makes a record a bad one and no score", "[uq]") {
  const auto fault_of = [](std::string text, const char* name) {
    const std::size_t size = text.size();
    text.append(64, ' ');
    lm::uq::RecordReader reader;
    lm::uq::UqRecord record;
    REQUIRE(!reader.read(std::string_view(text).substr(0, size), record));
    lm::uq::Scorer scorer({}, {lm::uq::find_estimator(name)});
    std::string json;
    const std::optional<lm::Fault> fault = scorer.score(record, json);
    std::string next;
    CHECK(!scorer.score({}, next));
    return fault ? fault->code + ": " + fault->detail : json;
  };
  const std::string large =
      R"({"samples":[{"text":"a","emb":[1e160,1]},{"text":"b","emb":[1,2]}]})";
  CHECK(fault_of(large, "eigenscore") ==
        "range: field \"samples\": numbers too large: the embeddings' covariance overflows");
  CHECK(fault_of(large, "eigv") == R"({"scores":{"eigv":2},"samples":2})");
}

TEST_CASE("entailment decides clusters in its strict and its loose form", "[uq]") {
  // 0 and 1 entail each other; 1 entails 2, 2 is neutral to 1; 0 and 2 contradict.
  const std::string record = R"({"samples":["a","b","c"],"sim":{)"
                             R"("nli_e":[[1,0.9,0.1],[0.8,1,0.7],[0.1,0.2,1]],)"
                             R"("nli_c":[[0,0.05,0.8],[0.1,0,0.1],[0.8,0.1,0]]}})";
  ScoreOptions options = with(lm::uq::Sim::kNli);
  auto strict = scores(record, options);
  CHECK(strict["cluster_entropy"] == Approx(-(2 * std::log(2.0 / 3) + std::log(1.0 / 3)) / 3));
  options.loose = true;
  options.components = true;
  CHECK(scores(record, options)["cluster_entropy"] == 0);
  // Mutual "entails more than contradicts": 0-1 and 1-2, hence one set.
  CHECK(strict["num_sets"] == 1);
  const f64 sum = .9 / .95 + .1 / .9 + .8 / .9 + .7 / .8 + .1 / .9 + .2 / .3;
  CHECK(strict["luq"] == Approx(1 - sum / 6));
}

TEST_CASE("greedy and samples together give distances and densities", "[uq]") {
  auto got = scores(R"({"greedy":{"text":"Rome","logp":[-2],"entropy":[1]},)"
                    R"("samples":[{"text":"rome","logp":[-1]},{"text":"Oslo","logp":[-3]}],)"
                    R"("sim":{"nli_e":[[1,0,1],[0,1,0],[0.75,0.25,1]],)"
                    R"("nli_c":[[0,1,0],[1,0,1],[0,0.5,0]]}})");
  // msp 2 times the mean distance of "Rome" to "rome" and "Oslo".
  CHECK(got["cocoa_msp"] == Approx(1));
  CHECK(got["cocoa_ppl"] == Approx(1));
  CHECK(got["cocoa_mte"] == Approx(.5));
  CHECK(got.count("semantic_density") == 1);
  const f64 k0 = 1 - .25 / 2;
  const f64 k1 = 1 - .5 - .25 / 2;
  const f64 p0 = std::exp(-1);
  const f64 p1 = std::exp(-3);
  const f64 g = std::exp(-2);
  CHECK(got["semantic_density"] == Approx(-(g + k0 * p0 + k1 * p1) / (g + p0 + p1)));
}

TEST_CASE("a wording of one's own is needed for the inverse family, and unlike ones", "[uq]") {
  const std::string answers = R"("samples":["x"],"perturb":[{"prompt":"b c","samples":["y"]},)"
                              R"({"prompt":"c d e","samples":["x","y"]}])";
  auto got = scores(R"({"id":"1","prompt":"b c d",)" + answers + "}");
  CHECK(got.count("inv_entropy") == 1);
  CHECK(got.count("spuq") == 1);
  CHECK(
      scores(R"({"prompt":"b","perturb":[{"prompt":"c","samples":["y"]}]})").count("inv_entropy") ==
      0);
  CHECK(scores(R"({"prompt":"b c","samples":["x"],"perturb":[{"prompt":"C b","samples":["y"]}]})")
            .count("inv_entropy") == 0);
  ScoreOptions options;
  options.perturbations = 4;
  CHECK(scores(R"({"id":"1","prompt":"b c d",)" + answers + "}", options).count("inv_entropy") ==
        1);
}

TEST_CASE("three wordings in a record give the published entropy", "[uq]") {
  // Prompts by embeddings with cosines .6 .2 -.2, that is .8 .6 .4 under (1 + c) / 2; answers alike
  // 1, .2, .2, that is cosines 1, -.6, -.6.
  const f64 b = std::sqrt(1 - .36);
  const f64 c1 = (-.2 - .6 * .2) / b;
  const f64 c2 = std::sqrt(1 - .04 - c1 * c1);
  const auto number = [](f64 v) {
    std::string out;
    lm::io::append_json_number(out, v);
    return out;
  };
  ScoreOptions options = with(lm::uq::Sim::kEmbed);
  options.prompt_sim = lm::uq::Sim::kEmbed;
  auto got = scores(R"({"id":"1","prompt":"p","emb":{"prompt":[1,0,0]},)"
                    R"("samples":[{"text":"s","emb":[1,0]}],"perturb":[)"
                    R"({"prompt":"q","emb":[0.6,)" +
                        number(b) +
                        R"(,0],"samples":[{"text":"s","emb":[1,0]}]},)"
                        R"({"prompt":"r","emb":[0.2,)" +
                        number(c1) + "," + number(c2) +
                        R"(],"samples":[{"text":"t","emb":[-0.6,0.8]}]}]})",
                    options);
  CHECK(got["inv_entropy"] == Approx(1.099901).margin(1e-6));
  CHECK(got["ni_entropy"] == Approx(1.098937).margin(1e-6));
  CHECK(got["inv_trace"] == Approx(1.177096).margin(1e-6));
  CHECK(got["inv_wd"] == Approx(.009680).margin(1e-6));
}

TEST_CASE("an ensemble of two coins has the measures worked out by hand", "[uq]") {
  // One token, members (.5,.5) and (.25,.75).
  const auto text = [](f64 p) { return std::to_string(std::log(p)); };
  auto got = scores("{\"samples\":[\"a\"],\"ensemble\":[[[" + text(.5) + "," + text(.5) + "]],[[" +
                    text(.25) + "," + text(.75) + "]]]}");
  const auto h = [](f64 p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); };
  CHECK(got["ensemble_total"] == Approx(h(.375)).margin(1e-5));
  CHECK(got["ensemble_data"] == Approx((h(.5) + h(.25)) / 2).margin(1e-5));
  CHECK(got["ensemble_mi"] == Approx(h(.375) - (h(.5) + h(.25)) / 2).margin(1e-5));
  const f64 there = .5 * std::log(.5 / .25) + .5 * std::log(.5 / .75);
  const f64 back = .25 * std::log(.25 / .5) + .75 * std::log(.75 / .5);
  CHECK(got["ensemble_epkl"] == Approx((there + back) / 2).margin(1e-5));
  CHECK(got["ensemble_rmi"] == Approx(got["ensemble_epkl"] - got["ensemble_mi"]));
}

TEST_CASE("stated confidences are found and nothing is made up", "[uq]") {
  using lm::uq::stated_confidence;
  CHECK(*stated_confidence("Paris. Confidence: 85%", false) == Approx(.85));
  CHECK(*stated_confidence("Probability: 0.3", false) == Approx(.3));
  CHECK(*stated_confidence("my confidence is 8/10", false) == Approx(.8));
  CHECK(*stated_confidence("confidence 90", false) == Approx(.9));
  CHECK(!stated_confidence("It was 1999, 50% of them", false));
  CHECK(!stated_confidence("Confidence: high", false));
  CHECK(!stated_confidence("confidence 1.5", false));
  CHECK(*stated_confidence("I would say 70 %", true) == Approx(.7));
  CHECK(!stated_confidence("", true));
}

TEST_CASE("names are unique and costs follow what was generated", "[uq]") {
  std::set<std::string> seen;
  for (const Estimator& one : lm::uq::estimators())
    CHECK(seen.insert(one.name).second);
  CHECK(lm::uq::find_estimator("msp") != nullptr);
  CHECK(lm::uq::find_estimator("nothing") == nullptr);
  const lm::uq::Generated generated{10, 5, 50};
  CHECK(lm::uq::generations(lm::uq::find_estimator("msp")->cost, generated) == 1);
  CHECK(lm::uq::generations(lm::uq::find_estimator("eigv")->cost, generated) == 10);
  CHECK(lm::uq::generations(lm::uq::find_estimator("cocoa_msp")->cost, generated) == 11);
  CHECK(lm::uq::generations(lm::uq::find_estimator("p_true_sampled")->cost, generated) == 6);
  CHECK(lm::uq::generations(lm::uq::find_estimator("inv_trace")->cost, generated) == 50);
}

TEST_CASE("distances of the answer's state", "[uq]") {
  const std::string record = R"({"greedy":{"text":"a","emb":[3,4]}})";
  CHECK(scores(record).count("mahalanobis") == 0);
  ScoreOptions options;
  options.distance = [](std::span<const f64> state) { return std::hypot(state[0], state[1]); };
  CHECK(scores(record, options).at("mahalanobis") == Approx(5));
  CHECK(scores(record, options).count("relative_mahalanobis") == 0);
  options.background = [](std::span<const f64> state) { return state[0]; };
  CHECK(scores(record, options).at("relative_mahalanobis") == Approx(2));
  CHECK(scores(R"({"greedy":{"text":"a"}})", options).count("mahalanobis") == 0);
}

TEST_CASE("dominant tokens are found in a record's likeliest ones, or given", "[uq]") {
  // p = .5 .3 .2 and .9 .1: no drop of 30 % but the first of either; the second answer token is
  // among the rest.
  const auto pair = [](i64 id, f64 p) {
    return "[" + std::to_string(id) + "," + std::to_string(std::log(p)) + "]";
  };
  const std::string greedy = R"("greedy":{"text":"x","tokens":[0,1],"logp":[)" +
                             std::to_string(std::log(.5)) + "," + std::to_string(std::log(.1)) +
                             R"(],"top":[[)" + pair(0, .5) + "," + pair(1, .3) + "," + pair(2, .2) +
                             "],[" + pair(0, .9) + "," + pair(1, .1) + "," + pair(2, 1e-9) + "]]}}";
  // .5 -> .3 takes 40 %, .3 -> .2 takes 33 %: two dominate. .9 -> .1, then .1 -> 0: both dominate.
  CHECK(scores(R"({"vocab":3,)" + greedy)["boostedprob"] == Approx(-(.8 + 1) / 2).epsilon(1e-5));
  CHECK(scores(R"({"vocab":4,)" + greedy).count("boostedprob") == 0);  // a fourth may follow
  CHECK(scores(R"({"greedy":{"text":"x","boosted":[0.5,1]}})")["boostedprob"] == Approx(-.75));
}

TEST_CASE("focus is read from a record", "[uq]") {
  const std::string given = R"({"greedy":{"text":"x y z","focus":[1,2,3],"keyword":[1,0,1])";
  CHECK(scores(given + R"(,"attn_back":[[],[],[0.1,0.3]]}})")["focus"] == Approx((1 + 4.575) / 2));
  CHECK(scores(given + "}}").count("focus") == 0);
}

TEST_CASE("scores that were fitted need a state and the fit", "[uq]") {
  lm::uq::Fitted fitted;
  fitted.width = 1;
  fitted.probe = lm::uq::Probe{{2}, -1};
  fitted.density = lm::uq::Gaussian{{1}, lm::uq::Cholesky::of({2}, 1)};
  fitted.ranks.emplace(std::vector<f64>{1, 2, 3, 4}, std::vector<f64>{0, 1, 2, 3});
  ScoreOptions options;
  options.fitted = std::make_shared<const lm::uq::Fitted>(fitted);
  const std::string record =
      R"({"greedy":{"text":"a","logp":[-1,-3],"emb":[6]},"emb":{"prompt":[0.5]}})";
  auto got = scores(record, options);
  CHECK(got.at("p_ik") == Approx(.5));
  // Distance 5 / 2, perplexity 2: ranks 3/4 and 1/2.
  CHECK(got.at("ppl_md") == Approx((.75 + .5) / 2));
  // In distribution (up to 2.85), of 0, 1, 2: perplexities 1, 2, 3 of which two are up to 2.
  CHECK(got.at("huq") == Approx(2.0 / 3));
  CHECK(got.count("rde") == 0);
  CHECK(scores(record).count("p_ik") == 0);
  CHECK(scores(R"({"greedy":{"text":"a","logp":[-1]}})", options).count("ppl_md") == 0);
  CHECK(scores(R"({"greedy":{"text":"a"},"p_ik":0.9})", options).at("p_ik") == Approx(.1));
}

namespace {

// Scores of each claim of a record.
std::vector<std::map<std::string, f64>> claim_scores(std::string text) {
  Read read(std::move(text));
  std::vector<std::map<std::string, f64>> out;
  for (const lm::uq::Claim& claim : read.record.claims) {
    out.emplace_back();
    for (const lm::uq::ClaimEstimator& one : lm::uq::claim_estimators()) {
      const f64 value = one.score(read.evidence, claim);
      if (!std::isnan(value)) out.back()[one.name] = value;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("claims are scored by their own tokens", "[uq]") {
  const auto got = claim_scores(
      R"({"samples":["a","b","c"],"greedy":{"text":"x","logp":[-1,-3,-2],"entropy":[0.5,1.5,1],)"
      R"("logp0":[-9,-2,-2.5],"relevance":[2,1,1],"attn_self":[[0.5,0.25,1],[1,1,0.5]],)"
      R"("alternatives":[[[-1,"e"]],[[-1,"e"],[-1,"c"]],[[-2,"e"],[-2,"c"]]]},)"
      R"("claims":[{"text":"s","token_span":[0,2],"p_true":0.7,"nli":["e","c","e"]},)"
      R"({"text":"t","token_span":[1,3]},{"text":"u","p_true":0.5}]})");
  REQUIRE(got.size() == 3);
  CHECK(got[0].at("claim_msp") == 4);
  CHECK(got[0].at("claim_perplexity") == 2);
  CHECK(got[0].at("claim_max_entropy") == 1.5);
  CHECK(got[0].at("claim_ccp") == Approx(-.5));
  CHECK(got[0].at("claim_pmi") == Approx(1 + (3 - 2)));  // the answer's first token has no prior
  CHECK(got[0].at("claim_p_true") == Approx(.3));
  CHECK(got[0].at("claim_token_sar") == Approx((2 + 3) / 4.0));
  CHECK(got[0].at("claim_attention_score") == Approx((std::log(2) + std::log(4)) / 2));
  CHECK(got[0].at("claim_frequency") == -1);
  CHECK(got[1].at("claim_pmi") == Approx((3 - 2) + (2 - 2.5)));
  CHECK(got[1].at("claim_ccp") == Approx(-.25));
  CHECK(got[1].count("claim_p_true") == 0);
  CHECK(got[1].count("claim_frequency") == 0);
  CHECK(got[2].size() == 1);  // without a span nothing of the tokens
}

TEST_CASE("claims stand beside the scores of a record", "[uq]") {
  const std::string line = R"({"greedy":{"text":"x","logp":[-1,-2]},"claims":[)"
                           R"({"token_span":[0,1]},{"token_span":[1,2]}]})";
  std::string text = line + std::string(64, ' ');
  lm::uq::RecordReader reader;
  lm::uq::UqRecord record;
  REQUIRE(!reader.read(std::string_view(text).substr(0, line.size()), record));
  const auto* of_claim = lm::uq::find_claim_estimator("claim_msp");
  const auto* of_answer = lm::uq::find_estimator("msp");
  std::string json;
  lm::uq::Scorer({}, {of_answer}, {of_claim}).score(record, json);
  CHECK(json == R"({"scores":{"msp":3},"claims":[{"claim_msp":1},{"claim_msp":2}]})");
  lm::uq::Scorer({}, {of_answer}).score(record, json);
  CHECK(json == R"({"scores":{"msp":3}})");
}
