#include "diffusion.h"

#include "common/held_run.h"
#include "common/sampling_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode/diffuse.h"
#include "decode/languages.h"
#include "diffusion_models.h"
#include "generate_json.h"
#include "prompts.h"
#include "record_head.h"
#include "tally.h"

namespace lm::decode_tool {

namespace {

using decode::Completion;
using decode::Diffused;
using decode::DiffuseRequest;
using decode::DiffusionSampler;

enum Field : i64 {
  kId,
  kParams,
  kPromptTokens,
  kCompletions,
  kCompletion,
  kModel,
  kLm,
  kDiffusion,
  kSuffix,
  kGrammar,
  kRegex,
  kSchema,
  kChoices,
  kConstraint,
  kPrompts  // the first field that prompts are read from
};

struct DiffusionWork : io::HeldWork {
  DiffuseRequest request;
  ReadPrompt prompt;  // without its rows
  decode::SampleParams params;
  std::string params_json;
  i64 prompt_tokens = 0;
  Diffused result;
};

class DiffusionMode : public io::HeldMapper {
 public:
  /// energy: null without --edlm.
  DiffusionMode(cli::Tool& tool, decode::Session& session, const decode::ModelDefaults& defaults,
                const decode::DiffusionRule& rule, decode::TextEnergy* energy)
      : tool_(tool),
        options_(tool.options()),
        session_(session),
        rule_(rule),
        defaults_(tool_options::params_of(options_, tool.seed(), session.cfg().vocab, defaults)),
        prompts_(tool,
                 {session.tokenizer(), session.begin(), session.cfg().vocab,
                  session.engine().positions(), false, false, true},
                 kPrompts),
        encoder_(session.tokenizer(), std::nullopt),
        echo_(options_.on("echo") ? kPrompts + isize(prompts_.paths()) : -1),
        replies_(options_.text("reply") == "messages"),
        diffuser_(session.engine(), session.tokenizer(), diffuse_options(energy)),
        tally_(tool) {
    if (options_.given("length")) defaults_.max_tokens = options_.integer("length");
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {"id",          "params",     "prompt_tokens",
                                    "completions", "completion", "model",
                                    "lm",          "diffusion",  options_.text("suffix-field")};
    out.insert(out.end(), std::begin(decode::kLanguageFields), std::end(decode::kLanguageFields));
    out.insert(out.end(), prompts_.paths().begin(), prompts_.paths().end());
    if (echo_ >= 0) out.emplace_back("prompt_text");
    return out;
  }

  std::vector<u64> keys() const { return prompts_.keys(); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    Result<RecordHead> head = record_head(record, kId, kParams, defaults_);
    if (!head) return head.fault();
    std::unique_ptr<DiffusionWork> work = std::make_unique<DiffusionWork>();
    work->id = head->id;
    DiffuseRequest& r = work->request;
    r.id = std::move(head->id);
    r.params = std::move(head->params);
    if (std::optional<Fault> fault =
            prompts_.read(record.json, kId, r.params.max_tokens, work->prompt))
      return fault;
    if (std::optional<Fault> fault = check(record.json, *work)) return fault;
    r.prompt = decode::tokens_of(std::exchange(work->prompt.rows, {}));
    if (record.json.has(kSuffix)) {
      const Result<std::string_view> text = record.json.string(kSuffix);
      if (!text) return text.fault();
      Result<std::vector<i32>> ids = encoder_.piece(*text);
      if (!ids) return ids.fault();
      r.suffix = std::move(*ids);
    }
    work->params = r.params;
    work->params_json = decode::params_json(r.params, session_.activation());
    work->prompt_tokens = isize(r.prompt);
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& work) override { diffuser_.add(std::move(own(work).request)); }
  i64 pending() const override { return diffuser_.pending(); }
  bool step() override { return diffuser_.step(); }
  bool poll(io::HeldWork& work) override {
    std::optional<Diffused> result = diffuser_.take();
    if (!result) return false;
    own(work).result = std::move(*result);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    DiffusionWork& work = own(base);
    if (work.result.fault) return work.result.fault;
    tally_.add(work.id, work.result.completions);
    std::vector<std::string> all;
    for (const Completion& completion : work.result.completions) {
      const i64 index = isize(all);
      const decode::DiffusionNote& note = work.result.notes[usize(index)];
      const f64 entropy = decode::unigram_entropy(completion.tokens);
      passes_ += note.passes;
      resampled_ += note.resampled;
      effective_ += note.effective;
      entropy_ += entropy;
      ++samples_;
      std::string more = cat(",\"passes\":", note.passes, ",\"unigram_nats\":");
      io::append_json_number(more, entropy);
      if (note.resampled > 0) {
        more += ",\"effective_k\":";
        io::append_json_number(more, note.effective / static_cast<f64>(note.resampled));
      }
      all.push_back(completion_json(completion, index, *work.params.seed,
                                    {options_.on("tokens"), false, false}, more));
    }
    if (!options_.on("flat")) {
      write(json, work, 0, cat("[", join(all, ","), "]"), kCompletions, "completions", out);
      return std::nullopt;
    }
    for (i64 i = 0; i < isize(all); ++i)
      write(json, work, i, all[usize(i)], kCompletion, "completion", out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { tally_.add_reused(); }
  void report(f64 wall_s) const {
    tally_.report(diffuser_.stats(), wall_s, session_.engine().cache().total_pages());
    std::string json =
        cat("{\"samples\":", samples_, ",\"passes\":", passes_, ",\"mean_unigram_nats\":");
    io::append_json_number(json, samples_ > 0 ? entropy_ / static_cast<f64>(samples_) : 0);
    if (resampled_ > 0) {
      const f64 mean = effective_ / static_cast<f64>(resampled_);
      append(json, ",\"resampled\":", resampled_, ",\"mean_effective_k\":");
      io::append_json_number(json, mean);
      if (rule_.candidates >= 8 && mean < 1.2)
        tool_.console().message(
            LogLevel::kWarning,
            cat("--edlm-k ", rule_.candidates,
                ": of the texts nearly always one has all the weight "
                "(effective sample size ",
                format_fixed(mean, 2), "): a narrower --edlm-window or a larger --edlm-tau"));
    }
    tool_.add_metric("diffusion", json + "}");
  }

 private:
  static DiffusionWork& own(io::HeldWork& work) { return static_cast<DiffusionWork&>(work); }

  decode::DiffuseOptions diffuse_options(decode::TextEnergy* energy) const {
    const decode::GenerateOptions sizes = session_.generate_options();
    return {sizes.batch, sizes.chunk, sizes.end_ids, rule_, options_.on("block-cache"), energy};
  }

  std::optional<Fault> check(io::JsonReader& json, const DiffusionWork& work) const {
    const decode::LanguageFields fields{kGrammar, kRegex, kSchema, kChoices, kConstraint};
    const Result<std::optional<decode::Language>> language = decode::language_of(json, fields);
    if (!language) return language.fault();
    if (*language)
      return Fault{"grammar", "--decoder diffusion fills places in any order, under no constraint",
                   -1};
    if (!decode::in_order(work.prompt.rows))
      return Fault{"prompt", "--decoder diffusion reads no sets side by side", -1};
    if (replies_ && work.prompt.messages && work.request.params.n > 1 && !options_.on("flat"))
      return Fault{"params",
                   cat("--reply messages with n ", work.request.params.n,
                       " needs --flat: an answer a record"),
                   -1};
    return std::nullopt;
  }

  /// The rule as the record has it.
  std::string rule_json(const DiffusionWork& work) const {
    std::string out = cat("{\"sampler\":\"", options_.text("sampler"), "\"");
    const auto number = [&](const char* name, f64 value) {
      append(out, ",\"", name, "\":");
      io::append_json_number(out, value);
    };
    if (rule_.sampler == DiffusionSampler::kThreshold)
      number("threshold", rule_.threshold);
    else
      append(out, ",\"steps\":", rule_.steps > 0 ? rule_.steps : work.params.max_tokens);
    const i64 block = session_.cfg().diffusion->block;
    append(out, ",\"block\":", block > 0 ? block : rule_.block);
    if (rule_.remask > 0) number("remask", rule_.remask);
    if (rule_.final_draw) out += ",\"final\":\"sample\"";
    if (rule_.guidance != 0) number("guidance", rule_.guidance);
    if (!options_.text("edlm").empty()) {
      append(out, ",\"edlm\":\"", edlm_name(options_).carry_over ? "coar" : "ar",
             "\",\"edlm_k\":", rule_.candidates);
      number("edlm_from", rule_.window_begin);
      number("edlm_to", rule_.window_end);
      number("edlm_tau", rule_.tau);
    }
    return out + "}";
  }

  /// sample: whose text answers messages.
  void write(const io::JsonReader& json, const DiffusionWork& work, i64 sample,
             std::string completions, i64 field, std::string_view name, std::string& out) const {
    io::ResultLine line(json, options_.on("drop-extra"));
    line.set_id(kId, work.id);
    if (replies_ && work.prompt.messages) {
      const i64 at = prompts_.messages_field();
      line.set(at, "messages",
               answered(json.raw(at), work.result.completions[usize(sample)].text,
                        options_.on("continue-final-message")));
    }
    line.set(kPromptTokens, "prompt_tokens", cat(work.prompt_tokens));
    if (echo_ >= 0) line.set(echo_, "prompt_text", io::json_string(work.prompt.text));
    line.set(field, name, std::move(completions));
    line.set(kParams, "params", work.params_json);
    line.set(kDiffusion, "diffusion", rule_json(work));
    line.set(kModel, "model", io::json_string(session_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, work));
    line.write(out);
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  decode::Session& session_;
  decode::DiffusionRule rule_;
  decode::SampleParams defaults_;
  Prompts prompts_;
  decode::PromptEncoder encoder_;  // of suffixes
  i64 echo_;
  bool replies_;
  decode::Diffuser diffuser_;
  Tally tally_;
  i64 samples_ = 0;
  i64 passes_ = 0;
  i64 resampled_ = 0;
  f64 entropy_ = 0;    // sum over samples
  f64 effective_ = 0;  // sum over what was resampled
};

}  // namespace

void run_diffusion(cli::Tool& tool) {
  const decode::DiffusionRule rule = diffusion_rule(tool.options());
  DiffusionModels models = open_diffusion(tool);
  const decode::ModelDefaults defaults = tool_options::model_defaults(tool);
  DiffusionMode mode(tool, *models.session, defaults, rule, models.energy.get());
  std::vector<u64> keys = models.keys();
  for (const u64 key : mode.keys())
    keys.push_back(key);
  if (defaults.key() != 0) keys.push_back(defaults.key());
  const f64 start = monotonic_s();
  tool_options::run_held(tool, mode, 4 * models.session->options().batch, keys);
  mode.report(monotonic_s() - start);
}

}  // namespace lm::decode_tool
