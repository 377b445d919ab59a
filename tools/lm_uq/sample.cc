// sample: questions become records of what a model answers to them.

#include <algorithm>
#include <cmath>

#include "ask.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "io/json.h"
#include "sample_json.h"
#include "uq.h"
#include "uq/record_json.h"

namespace lm::uq_tool {

namespace {

using decode::Completion;

enum Field : i64 {
  kId,
  kPrompt,
  kPerturb,
  kTemperature,
  kVocab,
  kGreedy,
  kSamples,
  kPTrue,
  kVotes,
  kModel,
  kLm,
  kStale  // and what follows: measured of other answers
};
constexpr i64 kEmb = 0, kEnsemble = 1;  // of them
constexpr const char* kStaleNames[] = {"emb", "ensemble", "sim", "p_ik", "verbal", "claims"};

constexpr const char* kTruthPrompt =
    "Question: {prompt}\nProposed answer: {answer}\nIs the proposed answer true or false?\nIt is";

std::vector<f64> temperatures_of(const cli::Options& options) {
  std::vector<f64> out;
  for (const std::string& text : name_list(options, "temperatures")) {
    const std::optional<f64> value = parse_float(text);
    if (!value)
      throw Error(ErrorKind::kUsage, cat("--temperatures: ", quote(text), " is no number"));
    out.push_back(*value);
  }
  if (out.empty()) out.push_back(options.real("temperature"));
  for (const f64 t : out) {
    if (!(t > 0 && t <= 1e3))
      throw Error(ErrorKind::kUsage, cat("temperature ", t, " is not above 0 and at most 1000"),
                  "at temperature 0 every sample is the greedy answer, which is there anyway");
  }
  return out;
}

AskOptions ask_options(const cli::Tool& tool, i64 least_top, i64 vocab) {
  const cli::Options& options = tool.options();
  AskOptions out;
  out.params = tool_options::params_of(options, tool.seed(), vocab);
  out.samples = out.params.n;
  out.answers = options.integer("answers");
  out.temperatures = temperatures_of(options);
  out.top = std::max(options.integer("top-logprobs"), least_top);
  out.without_prompt = options.on("without-prompt");
  out.truth = options.on("p-true");
  out.votes = options.integer("p-true-votes");
  out.truth_prompt = options.given("p-true-prompt") ? options.text("p-true-prompt") : kTruthPrompt;
  return out;
}

class SampleMode final : public io::HeldMapper {
 public:
  SampleMode(cli::Tool& tool, decode::Session& session, Measurer& measurer)
      : tool_(tool),
        session_(session),
        measurer_(measurer),
        asker_(session, ask_options(tool, measurer.top(), session.cfg().vocab)) {}

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {"id",     "prompt",  "perturb", "temperature",    "vocab",
                                    "greedy", "samples", "p_true",  "p_true_samples", "model",
                                    "lm"};
    out.insert(out.end(), std::begin(kStaleNames), std::end(kStaleNames));
    return out;
  }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    const Result<std::string> id = io::record_id(record.json, kId, record.ordinal);
    if (!id) return id.fault();
    const Result<std::string_view> prompt = record.json.string(kPrompt);
    if (!prompt) return prompt.fault();
    const std::vector<std::string> none;
    if (record.json.has(kPerturb)) {
      if (std::optional<Fault> fault = read_.read(record.json.raw(kPerturb))) return fault;
    }
    std::unique_ptr<Question> question = std::make_unique<Question>();
    if (std::optional<Fault> fault = asker_.plan(
            *id, *prompt, record.json.has(kPerturb) ? read_.prompts() : none, *question))
      return fault;
    out.work = std::move(question);
    return std::nullopt;
  }

  void add(io::HeldWork& work) override { asker_.add(own(work)); }
  i64 pending() const override { return asker_.pending(); }
  bool step() override { return asker_.step(); }
  bool poll(io::HeldWork& work) override { return asker_.take(own(work)); }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& work, std::string& out) override {
    const Question& q = own(work);
    if (std::optional<Fault> fault = q.fault()) return fault;
    if (json.has(kPerturb)) {
      if (std::optional<Fault> fault = write_.read(json.raw(kPerturb))) return fault;
    }
    ++records_;
    if (q.cut_off) ++cut_off_;
    count(q.answers);
    for (const decode::Generated& wording : q.wordings)
      count(wording);
    const std::vector<std::string> none;
    const QuestionMeasures measures =
        measurer_.of(q, session_, json.has(kPerturb) ? write_.prompts() : none);
    if (!finite(measures)) return Fault{"vector", "the model's states are not numbers", -1};
    const std::string greedy = greedy_json(q, measures.answers[0], measures.greedy,
                                           tool_.options().integer("top-logprobs"));
    for (i64 t = 0; t < isize(asker_.options().temperatures); ++t)
      write(json, q, measures, greedy, t, out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { ++reused_; }

  void report(f64 wall_s) const;

 private:
  static Question& own(io::HeldWork& work) { return static_cast<Question&>(work); }

  void count(const decode::Generated& generated) {
    answers_ += isize(generated.completions);
    for (const Completion& completion : generated.completions)
      tokens_ += isize(completion.tokens);
  }

  /// The samples of one temperature.
  template <typename Item>
  static std::span<const Item> at(const std::vector<Item>& all, i64 first, i64 count,
                                  i64 temperature) {
    return std::span(all).subspan(usize(first + temperature * count), usize(count));
  }

  static bool finite(const QuestionMeasures& measures) {
    const auto good = [](const std::vector<f32>& emb) {
      return std::all_of(emb.begin(), emb.end(), [](f32 x) { return std::isfinite(x); });
    };
    const auto all_good = [&](const std::vector<AnswerMeasures>& answers) {
      return std::all_of(answers.begin(), answers.end(),
                         [&](const AnswerMeasures& one) { return good(one.emb); });
    };
    const auto good_ensemble = [](const std::optional<uq::EnsembleMeasures>& one) {
      return !one || std::isfinite(one->total + one->data + one->pairwise);
    };
    return good(measures.prompt) && good_ensemble(measures.ensemble.product) &&
           good_ensemble(measures.ensemble.expectation) && all_good(measures.answers) &&
           std::all_of(measures.wordings.begin(), measures.wordings.end(), good) &&
           std::all_of(measures.wording_answers.begin(), measures.wording_answers.end(), all_good);
  }

  void write(const io::JsonReader& json, const Question& q, const QuestionMeasures& measures,
             const std::string& greedy, i64 t, std::string& out) {
    const AskOptions& asked = asker_.options();
    const bool drop = tool_.options().on("drop-extra");
    io::ResultLine line(json, drop);
    line.set_id(kId, q.id);
    line.set(kTemperature, "temperature", cat(asked.temperatures[usize(t)]));
    line.set(kVocab, "vocab", cat(session_.cfg().vocab));
    line.set(kGreedy, "greedy", greedy);
    line.set(kSamples, "samples",
             samples_json(at(q.answers.completions, 1, asked.samples, t),
                          at(measures.answers, 1, asked.samples, t)));
    if (json.has(kPerturb)) {
      std::vector<std::string> answers;
      for (std::size_t j = 0; j < q.wordings.size(); ++j)
        answers.push_back(samples_json(at(q.wordings[j].completions, 0, asked.answers, t),
                                       at(measures.wording_answers[j], 0, asked.answers, t)));
      line.set(kPerturb, "perturb", write_.with(answers, measures.wordings));
    }
    set_truth(json, q, t, line);
    for (i64 i = 0; i < isize(std::span(kStaleNames)); ++i) {
      const bool measured = (i == kEmb && !measures.prompt.empty()) ||
                            (i == kEnsemble && measures.ensemble.product.has_value());
      if (json.has(kStale + i) && !drop && !measured) line.set(kStale + i, kStaleNames[i], "null");
    }
    if (measures.ensemble.product) {
      std::string ensemble;
      uq::append_ensemble(ensemble, measures.ensemble);
      line.set(kStale + kEnsemble, kStaleNames[kEnsemble], ensemble);
    }
    if (!measures.prompt.empty())
      line.set(kStale + kEmb, "emb",
               cat("{\"prompt\":", numbers_json(measures.prompt), ",\"layer\":", *measurer_.layer(),
                   "}"));
    line.set(kModel, "model", io::json_string(session_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, q));
    line.write(out);
  }

  void set_truth(const io::JsonReader& json, const Question& q, i64 t, io::ResultLine& line) const {
    if (q.truth) {
      line.set(kPTrue, "p_true", probability_json(*q.truth));
    } else if (json.has(kPTrue)) {
      line.set(kPTrue, "p_true", "null");
    }
    if (q.votes) {
      std::string votes;
      for (const Completion& vote : at(q.votes->completions, 0, asker_.options().votes, t))
        append(votes, votes.empty() ? "[" : ",", io::json_string(vote.text));
      line.set(kVotes, "p_true_samples", votes + "]");
    } else if (json.has(kVotes)) {
      line.set(kVotes, "p_true_samples", "null");
    }
  }

  cli::Tool& tool_;
  decode::Session& session_;
  Measurer& measurer_;
  Asker asker_;
  Rewordings read_;   // of prepare(), on its thread
  Rewordings write_;  // of finish()
  i64 records_ = 0;
  i64 reused_ = 0;
  i64 answers_ = 0;
  i64 tokens_ = 0;
  i64 cut_off_ = 0;
};

void SampleMode::report(f64 wall_s) const {
  const decode::GenerateStats& s = asker_.stats();
  const std::string json = cat(
      "{\"records\":", records_, ",\"reused_records\":", reused_, ",\"answers\":", answers_,
      ",\"prompt_tokens\":", s.prompt_rows, ",\"generated_tokens\":", tokens_,
      ",\"without_p_true\":", cut_off_, ",\"wall_s\":", format_fixed(wall_s, 3),
      ",\"generated_tokens_per_s\":",
      format_fixed(wall_s > 0 ? static_cast<f64>(tokens_) / wall_s : 0, 1), ",\"steps\":", s.steps,
      ",\"kv_pages_most\":", s.most_pages, ",\"forward_s\":", format_fixed(s.forward_s, 3), "}");
  tool_.add_metric("throughput", json);
  tool_.console().message(LogLevel::kInfo, json);
  if (cut_off_ > 0)
    tool_.console().message(LogLevel::kWarning,
                            cat(cut_off_,
                                " records have no p_true: the question about the answer "
                                "does not fit the model's context"));
  if (measurer_.ensemble() != nullptr && measurer_.ensemble()->too_long() > 0)
    tool_.console().message(LogLevel::kWarning,
                            cat(measurer_.ensemble()->too_long(),
                                " records have no ensemble: the answer does not fit the context of "
                                "every member"));
  if (measurer_.too_long() > 0)
    tool_.console().message(LogLevel::kWarning,
                            cat(measurer_.too_long(),
                                " records have no csl_weight: the question about the answer "
                                "does not fit the model's context"));
}

}  // namespace

void run_sample(cli::Tool& tool) {
  Measurer measurer(tool);
  const std::unique_ptr<decode::Session> session = tool_options::open_model(tool);
  SampleMode mode(tool, *session, measurer);
  const f64 start = monotonic_s();
  std::vector<u64> keys = {session->key()};
  if (measurer.ensemble() != nullptr) keys.push_back(measurer.ensemble()->key());
  tool_options::run_held(tool, mode, 4 * session->options().batch, keys);
  mode.report(monotonic_s() - start);
}

}  // namespace lm::uq_tool
