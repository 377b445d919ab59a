// G1 to G5: what a model is asked and what becomes of its answers.

#include "eval/run.h"

#include <cmath>
#include <fstream>
#include <functional>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/random.h"
#include "eval/neural_answers.h"
#include "eval/samples.h"
#include "text/segment.h"

namespace lm::eval {
namespace {

using test::TempDir;
using text::Value;
using text::ValueMap;

/// Words are independent; the continuation's are scored.
class UnigramModel final : public AnswerSource {
 public:
  explicit UnigramModel(std::map<std::string, f64> probabilities) : p_(std::move(probabilities)) {}
  std::vector<Likelihood> likelihoods(std::span<const LikelihoodRequest> requests) override {
    std::vector<Likelihood> out;
    for (const LikelihoodRequest& request : requests) {
      f64 sum = 0;
      for (const std::string_view word : text::words_ws(request.continuation))
        sum += std::log(p_.at(std::string(word)));
      out.push_back({sum, false});
    }
    return out;
  }
  std::vector<std::vector<std::string>> texts(std::span<const TextRequest> requests,
                                              const Generation&, i64 repeats) override {
    return {requests.size(), std::vector<std::string>(usize(repeats), "the")};
  }

 private:
  std::map<std::string, f64> p_;
};

TaskSet tasks(const TempDir& dir, const std::string& yaml, const std::string& data) {
  std::ofstream(dir.file("d.jsonl")) << data;
  std::ofstream(dir.file("t.yaml")) << yaml;
  return read_tasks({dir.file("t.yaml")});
}

TEST_CASE("a unigram model's accuracies equal hand counts", "[eval]") {
  const TempDir dir;
  const TaskSet set =
      tasks(dir,
            "task: t\ndataset: d.jsonl\noutput_type: multiple_choice\n"
            "doc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\ndoc_to_choice: '{{c}}'\n"
            "metric_list: [{metric: acc}, {metric: acc_norm}, {metric: brier_score}]\n",
            "{\"q\":\"x\",\"c\":[\"the\",\"cat\"],\"a\":0}\n"
            "{\"q\":\"x\",\"c\":[\"the\",\"cat cat\"],\"a\":1}\n"
            "{\"q\":\"x\",\"c\":[\"cat\",\"the\"],\"a\":0}\n"
            "{\"q\":\"x\",\"c\":[\"the the\",\"cat\"],\"a\":0}\n");
  // p(the) = .5, p(cat) = .25. Sums of logs over ln 2: the -1, cat -2, cat cat -4, the the -2.
  // acc: 1 (the); 0 (the before cat cat); 0; 1 (a tie goes to the first).
  // Per character: the -1/3, cat -2/3, cat cat -4/7, the the -2/7:
  // acc_norm: 1; 0 (-1/3 > -4/7); 0; 1 (-2/7 > -2/3).
  UnigramModel model({{"the", 0.5}, {"cat", 0.25}});
  const LocalContext ctx;
  const TaskResult result = run_task(set.tasks[0], model, {}, ctx, nullptr);
  CHECK(result.evaluated == 4);
  CHECK(result.find("acc", "none")->estimate.value == Approx(0.5));
  CHECK(result.find("acc_norm", "none")->estimate.value == Approx(0.5));
  // Brier, softmax of (a, b): (2/3,1/3) gold 0: 2/9; (8/9,1/9) gold 1: 2 (64/81); (1/3,2/3) gold 0:
  // 8/9; (1/2,1/2): 1/2.
  CHECK(result.find("brier_score", "none")->estimate.value ==
        Approx((2.0 / 9 + 128.0 / 81 + 8.0 / 9 + 0.5) / 4));
  RunOptions some;
  some.limit = 2;
  CHECK(run_task(set.tasks[0], model, some, ctx, nullptr).evaluated == 2);
  some.limit = 0;
  some.limit_share = 0.3;
  CHECK(run_task(set.tasks[0], model, some, ctx, nullptr).evaluated == 2);
}

TEST_CASE("groups weigh their tasks by documents", "[eval]") {
  const TempDir dir;
  std::ofstream(dir.file("a.jsonl")) << "{\"a\":0}\n{\"a\":0}\n{\"a\":1}\n";
  std::ofstream(dir.file("b.jsonl")) << "{\"a\":1}\n{\"a\":1}\n";
  const std::string head =
      "output_type: multiple_choice\ndoc_to_text: x\ndoc_to_target: a\n"
      "doc_to_choice: ['the', 'cat']\nmetric_list: [{metric: acc}]\n";
  std::ofstream(dir.file("a.yaml")) << "task: a\ndataset: a.jsonl\n" << head;
  std::ofstream(dir.file("b.yaml")) << "task: b\ndataset: b.jsonl\n" << head;
  std::ofstream(dir.file("g.yaml")) << "group: g\ntask: [a, b]\n";
  std::ofstream(dir.file("h.yaml"))
      << "group: h\ntask: [g]\naggregate_metric_list: [{metric: acc, weight_by_size: no}]\n";
  const TaskSet set = read_tasks({dir.file("g.yaml"), dir.file("h.yaml")});
  UnigramModel model({{"the", 0.5}, {"cat", 0.25}});
  const LocalContext ctx;
  std::vector<TaskResult> results;
  for (const TaskSpec& task : set.tasks)
    results.push_back(run_task(task, model, {}, ctx, nullptr));
  const std::vector<GroupResult> groups = run_groups(set, results);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].metrics[0].estimate.value == Approx(2.0 / 5));
  CHECK(groups[1].metrics[0].estimate.value == Approx(1.0 / 3));
  // Pooled: ((3-1) 3 s_a^2 + (2-1) 2 s_b^2) / (5 - 2) / 5, s_a^2 = (1/3)/3, s_b = 0.
  CHECK(groups[0].metrics[0].estimate.standard_error == Approx(std::sqrt(6.0 / 9 / 3 / 5)));
  const Value json = *text::parse_json_value(results_json(set, results, groups, ValueMap{}));
  CHECK(json.find("results")->find("a")->find("acc,none")->number() == Approx(2.0 / 3));
  CHECK(json.find("groups")->find("g")->find("sample_len")->whole() == 5);
}

// A model ----------------------------------------------------------------------------------------
struct Tiny {
  explicit Tiny(bool begin = false, i64 batch = 16, i64 chunk = 512) {
    test::write_tiny_folder(dir.file("m"));
    decode::SessionOptions options;
    options.folder = dir.file("m");
    options.begin = begin;
    options.batch = batch;
    options.chunk = chunk;
    options.cache_bytes = 1 << 20;
    session.emplace(options);
    model.emplace(*session, 0);
  }
  TempDir dir;
  std::optional<decode::Session> session;
  std::optional<NeuralAnswers> model;
};

TEST_CASE("a continuation's log-likelihood is the sum of its parts", "[eval]") {
  Tiny tiny(true);
  const std::string text = "zebra,quick;brown";
  for (std::size_t cut = 1; cut + 1 < text.size(); ++cut) {
    const std::vector<LikelihoodRequest> requests = {
        {"go:", text},
        {"go:", text.substr(0, cut)},
        {"go:" + text.substr(0, cut), text.substr(cut)}};
    const std::vector<Likelihood> out = tiny.model->likelihoods(requests);
    CHECK(out[0].logprob == Approx(out[1].logprob + out[2].logprob).epsilon(1e-12));
    CHECK(out[0].greedy == (out[1].greedy && out[2].greedy));
  }
  const std::vector<LikelihoodRequest> empty = {{"", "abc"}, {"", "a"}, {"a", "bc"}, {"x", ""}};
  const std::vector<Likelihood> out = tiny.model->likelihoods(empty);
  CHECK(out[0].logprob == Approx(out[1].logprob + out[2].logprob).epsilon(1e-12));
  CHECK(out[3].logprob == 0);
}

TEST_CASE("blanks at the context's end are scored with the continuation", "[eval]") {
  Tiny tiny;
  const std::vector<LikelihoodRequest> requests = {
      {"a b", " the x"}, {"a b ", "the x"}, {"a b\xc2\xa0", "y"}, {"a b", "\xc2\xa0y"}};
  const std::vector<Likelihood> out = tiny.model->likelihoods(requests);
  CHECK(out[0].logprob == out[1].logprob);
  CHECK(out[2].logprob == out[3].logprob);
  CHECK(out[0].logprob < 0);
}

TEST_CASE("a rolling text scores every token once", "[eval]") {
  for (const i64 n : {1, 4, 5, 6, 9, 10, 11, 23}) {
    ScoredSequence text;
    for (i64 i = 0; i <= n; ++i)
      text.tokens.push_back(static_cast<i32>(i));
    text.first = 1;
    std::vector<int> scored(usize(n + 1));
    for (const ScoredSequence& window : rolling_windows(text, 5)) {
      CHECK(isize(window.tokens) <= 6);
      CHECK(window.first >= 1);
      for (std::size_t i = 1; i < window.tokens.size(); ++i)
        CHECK(window.tokens[i] == window.tokens[i - 1] + 1);
      for (i64 i = window.first; i < isize(window.tokens); ++i)
        ++scored[usize(window.tokens[usize(i)])];
    }
    for (i64 i = 1; i <= n; ++i)
      CHECK(scored[usize(i)] == 1);
    CHECK(scored[0] == 0);
  }
  CHECK(rolling_windows({{7}, 1, 0, 0, {}}, 5).empty());
}

TEST_CASE("a short rolling text is one pass", "[eval]") {
  Tiny tiny;
  const std::string text = "in the end, 7 words";
  const std::vector<LikelihoodRequest> requests = {{"", text, true}, {"", text, false}};
  const std::vector<Likelihood> out = tiny.model->likelihoods(requests);
  CHECK(out[0].logprob == out[1].logprob);
  const std::vector<LikelihoodRequest> longer = {{"", std::string(200, 'q'), true}};
  CHECK(tiny.model->likelihoods(longer)[0].logprob < 0);
}

TEST_CASE("answers depend neither on batch nor on order nor on what stands beside", "[eval]") {
  std::vector<LikelihoodRequest> requests;
  for (int i = 0; i < 30; ++i)
    requests.push_back({"shared beginning of a prompt " + std::to_string(i / 3),
                        " choice " + std::to_string(i % 3)});
  Tiny one(false, 16, 512);
  Tiny other(false, 1, 3);
  const std::vector<Likelihood> a = one.model->likelihoods(requests);
  const std::vector<Likelihood> b = other.model->likelihoods(requests);
  std::reverse(requests.begin(), requests.end());
  const std::vector<Likelihood> c = one.model->likelihoods(requests);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].logprob == b[i].logprob);
    CHECK(a[i].logprob == c[a.size() - 1 - i].logprob);
  }
  CHECK(one.model->stats().unique == 60);
  CHECK(one.model->stats().rows * 2 < one.model->stats().tokens);
  const std::vector<LikelihoodRequest> twice = {requests[0], requests[0]};
  one.model->likelihoods(twice);
  CHECK(one.model->stats().unique == 61);
}

TEST_CASE("a context longer than the model's loses its beginning", "[eval]") {
  Tiny tiny;  // 64 positions
  const std::string tail(60, 'b');
  const std::vector<LikelihoodRequest> requests = {{std::string(50, 'a') + tail, "ccccc"},
                                                   {std::string(90, 'z') + tail, "ccccc"}};
  const std::vector<Likelihood> out = tiny.model->likelihoods(requests);
  CHECK(out[0].logprob == out[1].logprob);
  CHECK(tiny.model->stats().cut_contexts == 2);
  const std::vector<LikelihoodRequest> impossible = {{"a", std::string(65, 'c')}};
  CHECK_THROWS_WITH(tiny.model->likelihoods(impossible),
                    Catch::Matchers::ContainsSubstring("longer than the model's context of 64"));
}

TEST_CASE("groups with one prefix are the cheapest of all", "[eval]") {
  const RandomStream random(11, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<ScoredSequence> all;
    const u64 n = 1 + random.below(draw++, 6);
    for (u64 i = 0; i < n; ++i) {
      ScoredSequence one;
      const u64 size = 2 + random.below(draw++, 7);
      for (u64 k = 0; k < size; ++k)
        one.tokens.push_back(static_cast<i32>(random.below(draw++, 2)));
      one.first = static_cast<i64>(size) - 1;
      all.push_back(std::move(one));
    }
    const auto cost = [&](u32 members) {
      i64 shared = 100;
      i64 sum = 0;
      i64 count = 0;
      const ScoredSequence* first = nullptr;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if ((members >> i & 1) == 0) continue;
        const std::vector<i32>& own = all[i].tokens;
        if (first == nullptr) first = &all[i];
        i64 same = 0;
        while (same < std::min(isize(own), isize(first->tokens)) &&
               own[usize(same)] == first->tokens[usize(same)])
          ++same;
        shared = std::min({shared, same, all[i].first});
        sum += isize(own);
        ++count;
      }
      return shared + sum - count * shared;
    };
    // The best of all partitions: the lowest member with any subset of the rest.
    const std::function<i64(u32)> best = [&](u32 left) -> i64 {
      if (left == 0) return 0;
      const u32 lowest = left & (~left + 1);
      const u32 rest = left ^ lowest;
      i64 least = 1 << 20;
      for (u32 part = rest;; part = (part - 1) & rest) {
        least = std::min(least, cost(part | lowest) + best(rest ^ part));
        if (part == 0) return least;
      }
    };
    i64 rows = 0;
    std::vector<int> seen(all.size());
    for (const SharedPrefix& group : share_prefixes(all, 256)) {
      rows += group.rows;
      for (const i64 i : group.branches) {
        ++seen[usize(i)];
        CHECK(group.length <= all[usize(i)].first);
      }
    }
    for (const int each : seen)
      CHECK(each == 1);
    CHECK(rows == best((1u << n) - 1));
  }
}

// Samples ----------------------------------------------------------------------------------------
struct Recorded {
  std::string json;
  std::string lines;
};

Recorded record(const TaskSet& set, AnswerSource& source) {
  const LocalContext ctx;
  Recorded out;
  const SampleSink sink = [&](std::string_view line) { out.lines += line; };
  std::vector<TaskResult> results = {run_task(set.tasks[0], source, {}, ctx, sink)};
  out.json = results_json(set, results, {}, ValueMap{});
  return out;
}

const char* const kYaml[] = {
    "task: t\ndataset: d.jsonl\noutput_type: multiple_choice\ndoc_to_text: '{{q}}'\n"
    "doc_to_target: '{{a}}'\ndoc_to_choice: ['in', 'the']\nnum_fewshot: 1\n"
    "metric_list: [{metric: acc}, {metric: acc_mutual_info}, {metric: mcc}]\n",
    "task: t\ndataset: d.jsonl\noutput_type: loglikelihood\ndoc_to_text: q\ndoc_to_target: ' "
    "{{q}}'\n",
    "task: t\ndataset: d.jsonl\noutput_type: loglikelihood_rolling\ndoc_to_target: q\n",
    "task: t\ndataset: d.jsonl\ndoc_to_text: q\ndoc_to_target: q\nrepeats: 3\n"
    "generation_kwargs: {until: ['e'], max_gen_toks: 4, do_sample: true}\n"
    "filter_list:\n- {name: vote, filter: [{function: majority_vote}]}\n"
    "- {name: first, filter: [{function: take_first}, {function: lowercase}]}\n"
    "metric_list: [{metric: exact_match}, {metric: bleu}, {metric: chrf}, {metric: rougeL}]\n"};
const char* const kData =
    "{\"q\":\"one \\u00e9\",\"a\":1}\n{\"q\":\"two,\\n three\",\"a\":0}\n"
    "{\"q\":\"\",\"a\":1}\n{\"q\":\"four\",\"a\":1}\n";

TEST_CASE("a samples file replays to the same results and samples", "[eval]") {
  Tiny tiny;
  for (const char* yaml : kYaml) {
    INFO(yaml);
    const TempDir dir;
    const TaskSet set = tasks(dir, yaml, kData);
    const Recorded made = record(set, *tiny.model);
    std::ofstream(samples_path(dir.file(""), "t")) << made.lines;
    const LocalContext ctx;
    RecordedAnswers replay(dir.file(""), ctx);
    const Recorded again = record(set, replay);
    CHECK(again.json == made.json);
    CHECK(again.lines == made.lines);
  }
}

TEST_CASE("samples that answer another prompt are refused", "[eval]") {
  const TempDir dir;
  const TaskSet set = tasks(dir, kYaml[0], kData);
  UnigramModel model({{"the", 0.5}, {"in", 0.25}});
  std::ofstream(samples_path(dir.file(""), "t")) << record(set, model).lines;
  const LocalContext ctx;
  RecordedAnswers replay(dir.file(""), ctx);
  TaskSet changed = set;
  changed.tasks[0].target_delimiter = "";
  CHECK_THROWS_WITH(record(changed, replay),
                    Catch::Matchers::ContainsSubstring(":1: the sample answers another prompt"));
  std::ofstream(samples_path(dir.file(""), "t")) << "{\"doc_id\":0}\n";
  CHECK_THROWS_WITH(record(set, replay),
                    Catch::Matchers::ContainsSubstring("has not one answer for each"));
}

TEST_CASE("a run does not differ from itself", "[eval]") {
  const TempDir dir;
  Tiny tiny;
  const TaskSet set = tasks(dir, kYaml[3], kData);
  std::ofstream(samples_path(dir.file(""), "t")) << record(set, *tiny.model).lines;
  const LocalContext ctx;
  const std::vector<Comparison> all = compare_runs(dir.file(""), dir.file(""), {}, ctx);
  CHECK(all.size() == 8);
  for (const Comparison& each : all) {
    CHECK(each.n == 4);
    CHECK(each.difference == 0);
    CHECK(each.low == 0);
    CHECK(each.high == 0);
    CHECK(each.only_a + each.only_b == 0);
    if (each.test != "none") CHECK(each.p_value == 1);
  }
  const TempDir empty;
  CHECK_THROWS_AS(compare_runs(dir.file(""), empty.file(""), {}, ctx), Error);
}

TEST_CASE("paired tests equal enumeration", "[eval]") {
  // 5 wins, 1 loss: 2 (6 + 1) / 64.
  CHECK(sign_test(5, 1) == Approx(14.0 / 64));
  CHECK(sign_test(3, 3) == 1);
  CHECK(sign_test(0, 0) == 1);
  CHECK(sign_test(0, 10) == Approx(2.0 / 1024));
  const std::vector<f64> signs = {1, 1, 1, 1, 1, -1, 0, 0};
  CHECK(sign_flip_test(signs, 10000, 0) == Approx(14.0 / 64));
  // Magnitudes count: {3, -1}: sums 2, 4, -4, -2 of signs; |sum| >= 2 always.
  CHECK(sign_flip_test(std::vector<f64>{3, -1}, 100, 0) == 1);
  CHECK(sign_flip_test(std::vector<f64>{3, 1}, 100, 0) == Approx(0.5));
  std::vector<f64> many(40, 0.5);
  many[0] = -0.5;
  CHECK(sign_flip_test(many, 20000, 1) < 0.001);
  const std::vector<f64> corrected = holm(std::vector<f64>{0.01, std::nan(""), 0.04, 0.03});
  CHECK(corrected[0] == Approx(0.03));
  CHECK(std::isnan(corrected[1]));
  CHECK(corrected[2] == Approx(0.06));
  CHECK(corrected[3] == Approx(0.06));
}

}  // namespace
}  // namespace lm::eval
