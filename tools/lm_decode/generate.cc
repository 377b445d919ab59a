// lm-decode generate: records with prompts become records with completions.

#include "decode/generate.h"

#include "adapters.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "constraining.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode.h"
#include "diffusion.h"
#include "drafting.h"
#include "engines.h"
#include "feasible.h"
#include "generate_json.h"
#include "generate_work.h"
#include "model/layer.h"
#include "prompt_flags.h"
#include "prompts.h"
#include "record_head.h"
#include "router.h"
#include "switching.h"
#include "tally.h"

namespace lm::decode_tool {

namespace {

using decode::Completion;
using decode::Generated;
using decode::GenerateRequest;

enum Field : i64 {
  kId,
  kParams,
  kPromptTokens,
  kPromptLogprobs,
  kCompletions,
  kCompletion,
  kModel,
  kLm,
  kGrammar,
  kRegex,
  kSchema,
  kChoices,
  kConstraint,
  kPrompts  // the first field that prompts are read from
};

class GenerateMode : public io::HeldMapper {
 public:
  GenerateMode(cli::Tool& tool, decode::Session& session, const decode::ModelDefaults& defaults,
               const Adapters& adapters, const Router& router, Constraining& constraining,
               const Feasible& feasible, const Drafting& drafting, const Switching& switching)
      : tool_(tool),
        options_(tool.options()),
        session_(session),
        defaults_(feasible.with_length(
            tool_options::params_of(options_, tool.seed(), session.cfg().vocab, defaults))),
        prompts_(tool,
                 {session.tokenizer(), session.begin(), session.cfg().vocab,
                  session.engine().positions(), false, model::state_numbers(session.cfg()) > 0},
                 kPrompts),
        reads_prompts_(reads_prompts(options_, session)),
        echo_(options_.on("echo") ? kPrompts + isize(prompts_.paths()) : -1),
        truncated_(prompts_.has_forms() ? kPrompts + isize(prompts_.paths()) + (echo_ >= 0) : -1),
        adapter_(kPrompts + isize(prompts_.paths()) + (echo_ >= 0) + (truncated_ >= 0)),
        instance_(adapter_ + adapters.any()),
        detail_{options_.on("tokens"), options_.on("logprobs"),
                options_.integer("top-logprobs") > 0},
        replies_(options_.text("reply") == "messages"),
        adapters_(adapters),
        router_(router),
        constraining_(constraining),
        feasible_(feasible),
        switching_(switching),
        generator_(switching.engine(), session.tokenizer(),
                   generate_options(session, drafting, switching, reads_prompts_)),
        tally_(tool) {}

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {
        "id", "params",  "prompt_tokens", "prompt_logprobs", "completions", "completion", "model",
        "lm", "grammar", "regex",         "schema",          "choices",     "constraint"};
    out.insert(out.end(), prompts_.paths().begin(), prompts_.paths().end());
    if (echo_ >= 0) out.emplace_back("prompt_text");
    if (truncated_ >= 0) out.emplace_back("truncated");
    if (adapters_.any()) out.push_back(adapters_.field());
    if (feasible_.on()) out.emplace_back("instance");
    return out;
  }

  std::vector<u64> keys() const { return prompts_.keys(); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    Result<RecordHead> head = record_head(record, kId, kParams, defaults_);
    if (!head) return head.fault();
    std::unique_ptr<GenerateWork> work = std::make_unique<GenerateWork>();
    work->id = head->id;
    GenerateRequest& r = work->request;
    r.id = std::move(head->id);
    r.params = std::move(head->params);
    ReadPrompt& prompt = work->prompt;
    if (std::optional<Fault> fault = prompts_.read(record.json, kId, r.params.max_tokens, prompt))
      return fault;
    if (replies_ && prompt.messages && r.params.n > 1 && !options_.on("flat"))
      return Fault{"params",
                   cat("--reply messages with n ", r.params.n, " needs --flat: an answer a record"),
                   -1};
    r.prompt = in_prefix_mode(std::exchange(prompt.rows, {}));
    r.next = prompt.next;
    const decode::LanguageFields fields{kGrammar, kRegex, kSchema, kChoices, kConstraint};
    Result<std::optional<decode::Language>> asked =
        constraining_.asked(record.json, fields, r.params);
    if (!asked) return asked.fault();
    work->language = std::move(*asked);
    if (std::optional<Fault> fault = feasible_.set(record.json, instance_, *work)) return fault;
    if (std::optional<Fault> fault =
            router_.choose(record.json, prompts_.prompt_field(kId), adapter_, session_, *work))
      return fault;
    r.logprobs = options_.on("logprobs");
    r.top_logprobs = options_.integer("top-logprobs");
    r.prompt_logprobs = options_.on("prompt-logprobs");
    r.processed = options_.text("logprobs-from") == "processed";
    if (options_.on("prefix-mask")) r.prefix = isize(r.prompt);
    work->params = r.params;
    work->params_json = decode::params_json(r.params, session_.activation());
    work->prompt_tokens = isize(r.prompt);
    if (work->language) work->unwritten = constraining_.warm_up(r);
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& base) override {
    GenerateWork& work = own(base);
    if (work.language) work.result.fault = constraining_.set(work);
    if (!work.result.fault) generator_.add(std::move(work.request));
  }
  i64 pending() const override { return generator_.pending(); }
  bool step() override { return generator_.step(); }
  bool poll(io::HeldWork& work) override {
    if (own(work).result.fault) return true;  // it has no language
    std::optional<Generated> result = generator_.take();
    if (!result) return false;
    own(work).result = std::move(*result);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    GenerateWork& work = own(base);
    constraining_.keep(work);
    if (work.result.fault) return work.result.fault;
    std::vector<Completion>& all = work.result.completions;
    for (i64 i = 0; i < work.unwritten; ++i)
      tally_.add_unwritten(all[usize(i)]);
    all.erase(all.begin(), all.begin() + work.unwritten);
    tally_.add(work.id, all);
    if (!options_.on("flat")) {
      write(json, work, 0, completion_list(work), kCompletions, "completions", out);
      return std::nullopt;
    }
    for (i64 i = 0; i < isize(work.result.completions); ++i)
      write(json, work, i, completion_of(work, i), kCompletion, "completion", out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { tally_.add_reused(); }
  void report(f64 wall_s) const {
    tally_.report(generator_.stats(), wall_s, session_.engine().cache().total_pages());
  }

 private:
  static decode::GenerateOptions generate_options(const decode::Session& session,
                                                  const Drafting& drafting,
                                                  const Switching& switching, bool prefixes) {
    decode::GenerateOptions out = session.generate_options();
    out.prefixes = prefixes;
    drafting.set(out);
    switching.set(out);
    return out;
  }
  static GenerateWork& own(io::HeldWork& work) { return static_cast<GenerateWork&>(work); }

  /// A prompt as --prefix-mode has it.
  std::vector<decode::PromptRow> in_prefix_mode(std::vector<decode::PromptRow> rows) const {
    const std::string& mode = options_.text("prefix-mode");
    if (mode != "repeat" && mode != "iterate") return rows;
    const std::optional<i32> begin = session_.begin();
    const i64 twice = 2 * isize(rows) - (begin && rows[0].token == *begin ? 1 : 0);
    return decode::repeated(rows, begin, mode == "repeat" ? twice : options_.integer("prefix-len"));
  }

  std::string completion_of(const GenerateWork& work, i64 index) const {
    const Completion& c = work.result.completions[usize(index)];
    return completion_json(c, index, *work.params.seed, detail_,
                           switching_.completion_json(c, work.prompt_tokens));
  }

  std::string completion_list(const GenerateWork& work) const {
    std::string out = "[";
    for (i64 i = 0; i < isize(work.result.completions); ++i)
      append(out, i > 0 ? "," : "", completion_of(work, i));
    return out + "]";
  }

  /// sample: whose text answers messages.
  void write(const io::JsonReader& json, const GenerateWork& work, i64 sample,
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
    // What an earlier run said there would be stale.
    if (work.prompt.truncated || (work.prompt.document && json.has(truncated_)))
      line.set(truncated_, "truncated", work.prompt.truncated ? "true" : "false");
    if (echo_ >= 0) line.set(echo_, "prompt_text", io::json_string(work.prompt.text));
    if (options_.on("prompt-logprobs"))
      line.set(kPromptLogprobs, "prompt_logprobs", number_list(work.result.prompt_logprobs));
    line.set(field, name, std::move(completions));
    line.set(kParams, "params", work.params_json);
    if (!work.routed.empty()) line.set(adapter_, adapters_.field(), work.routed);
    line.set(kModel, "model", io::json_string(session_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, work));
    line.write(out);
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  decode::Session& session_;
  decode::SampleParams defaults_;
  Prompts prompts_;
  bool reads_prompts_;
  i64 echo_;  // fields of the result that some runs have, else -1
  i64 truncated_;
  i64 adapter_;
  i64 instance_;
  CompletionDetail detail_;
  bool replies_;
  const Adapters& adapters_;
  const Router& router_;
  Constraining& constraining_;
  const Feasible& feasible_;
  const Switching& switching_;
  decode::Generator generator_;
  Tally tally_;
};

}  // namespace

void run_generate(cli::Tool& tool) {
  if (tool.options().given("resume") && tool.options().on("flat"))
    throw Error(ErrorKind::kUsage, "--resume does not go with --flat: a record may be half there");
  if (tool.options().text("decoder") == "diffusion") return run_diffusion(tool);
  if (by_engine(tool.options())) return run_engine(tool);
  if (tool.options().on("dump-prompt")) return run_dump(tool);
  const Adapters adapters(tool);
  const Router router(tool, adapters);
  const Models models = open_models(tool, adapters);
  const decode::ModelDefaults defaults = tool_options::model_defaults(tool);
  Constraining constraining(tool, *models.main);
  const Drafting drafting(tool, models);
  const Switching switching(tool.options(), models);
  const Feasible feasible(tool, *models.main);
  GenerateMode mode(tool, *models.main, defaults, adapters, router, constraining, feasible,
                    drafting, switching);
  std::vector<u64> keys = models.keys();
  for (const u64 key : mode.keys())
    keys.push_back(key);
  if (constraining.key() != 0) keys.push_back(constraining.key());
  if (defaults.key() != 0) keys.push_back(defaults.key());
  if (router.on()) keys.push_back(router.key());
  const f64 start = monotonic_s();
  tool_options::run_held(tool, mode, 4 * models.main->options().batch, keys);
  mode.report(monotonic_s() - start);
  drafting.save(tool);
  constraining.save();
  constraining.report();
}

}  // namespace lm::decode_tool
