// lm-decode generate: records with prompts become records with completions.

#include "decode/generate.h"

#include <cmath>

#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode.h"
#include "decode/prompt.h"
#include "drafting.h"
#include "score_json.h"
#include "switching.h"

namespace lm::decode_tool {

namespace {

using decode::Generated;
using decode::GenerateRequest;

enum Field : i64 {
  kId,
  kPrompt,
  kTokens,
  kParams,
  kPromptTokens,
  kPromptLogprobs,
  kCompletions,
  kCompletion,
  kModel,
  kLm
};

struct GenerateWork : io::HeldWork {
  GenerateRequest request;
  decode::SampleParams params;
  std::string params_json;  // the effective ones
  i64 prompt_tokens = 0;
  Generated result;
};

std::string number_list(std::span<const f32> numbers) {
  std::string out = "[";
  for (const f32 number : numbers) {
    if (out.size() > 1) out += ',';
    io::append_json_number(out, number);
  }
  return out + "]";
}

std::string id_list(std::span<const i32> ids) {
  std::string out = "[";
  for (const i32 id : ids)
    append(out, out.size() > 1 ? "," : "", id);
  return out + "]";
}

class GenerateMode : public io::HeldMapper {
 public:
  GenerateMode(cli::Tool& tool, decode::Session& session, const Drafting& drafting,
               const Switching& switching)
      : tool_(tool),
        options_(tool.options()),
        session_(session),
        defaults_(tool_options::params_of(options_, tool.seed(), session.cfg().vocab)),
        prompt_(options_.text("prompt-field") == "id" ? kId : kPrompt),
        encoder_(session.tokenizer(), session.begin()),
        switching_(switching),
        generator_(switching.engine(), session.tokenizer(),
                   generate_options(session, drafting, switching)) {}

  std::vector<std::string> paths() const override {
    const std::string field = prompt_ == kId ? "prompt" : options_.text("prompt-field");
    return {"id",          field,        "tokens", "params", "prompt_tokens", "prompt_logprobs",
            "completions", "completion", "model",  "lm"};
  }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    const Result<std::string> id = io::record_id(record.json, kId, record.ordinal);
    if (!id) return id.fault();
    std::unique_ptr<GenerateWork> work = std::make_unique<GenerateWork>();
    work->id = *id;
    GenerateRequest& r = work->request;
    r.id = *id;
    r.params = defaults_;
    if (record.json.has(kParams)) {
      if (std::optional<Fault> fault = decode::apply_params(record.json.raw(kParams), r.params))
        return fault;
    }
    if (std::optional<Fault> fault = read_prompt(record.json, r.prompt)) return fault;
    r.logprobs = options_.on("logprobs");
    r.top_logprobs = options_.integer("top-logprobs");
    r.prompt_logprobs = options_.on("prompt-logprobs");
    r.processed = options_.text("logprobs-from") == "processed";
    work->params = r.params;
    work->params_json = decode::params_json(r.params, session_.activation());
    work->prompt_tokens = isize(r.prompt);
    if (options_.on("dump-prompt")) {
      const std::vector<i32> tokens = decode::tokens_of(r.prompt);
      out.line =
          cat("{\"id\":", io::json_string(*id), ",\"prompt\":", io::json_string(text_of(tokens)),
              ",\"tokens\":", id_list(tokens), "}");
      return std::nullopt;
    }
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& work) override { generator_.add(std::move(own(work).request)); }
  i64 pending() const override { return generator_.pending(); }
  bool step() override { return generator_.step(); }
  bool poll(io::HeldWork& work) override {
    std::optional<Generated> result = generator_.take();
    if (!result) return false;
    own(work).result = std::move(*result);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    GenerateWork& work = own(base);
    if (work.result.fault) return work.result.fault;
    ++records_;
    for (const decode::Completion& completion : work.result.completions) {
      tokens_ += isize(completion.tokens);
      ++reasons_[completion.finish_reason];
      if (completion.fault) note_failed(work.id, *completion.fault);
    }
    if (!options_.on("flat")) {
      write(json, work, completion_list(work), kCompletions, "completions", out);
      return std::nullopt;
    }
    for (i64 i = 0; i < isize(work.result.completions); ++i)
      write(json, work, completion_json(work, i), kCompletion, "completion", out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { ++reused_; }

  void report(cli::Tool& tool, f64 wall_s) const;

 private:
  static decode::GenerateOptions generate_options(const decode::Session& session,
                                                  const Drafting& drafting,
                                                  const Switching& switching) {
    decode::GenerateOptions out = session.generate_options();
    drafting.set(out);
    switching.set(out);
    return out;
  }
  static GenerateWork& own(io::HeldWork& work) { return static_cast<GenerateWork&>(work); }

  /// A sample without an end carries its error; the first of a kind is also said at once.
  void note_failed(const std::string& id, const Fault& fault) {
    if (++failed_[fault.code] > 1) return;
    tool_.console().message(LogLevel::kWarning, cat("record ", quote(id), ": ", fault.detail));
  }

  std::optional<Fault> read_prompt(io::JsonReader& json, std::vector<decode::PromptRow>& rows) {
    if (prompt_ == kPrompt && json.has(kPrompt) && json.has(kTokens) &&
        json.field(kTokens).type == io::JsonType::kArray)
      return Fault{"prompt", "the record has both a prompt and tokens, expected one of them", -1};
    if (json.has(kTokens)) {
      std::vector<i32> tokens;
      if (std::optional<Fault> fault = json.integers(kTokens, session_.cfg().vocab, tokens))
        return fault;
      rows = decode::prompt_rows(tokens);
    } else {
      const Result<std::string_view> text = json.string(prompt_);
      if (!text) return text.fault();
      Result<std::vector<decode::PromptRow>> prompt = encoder_.prompt(*text);
      if (!prompt) return prompt.fault();
      rows = std::move(*prompt);
    }
    if (rows.empty())
      return Fault{"prompt", "the prompt is empty and the model has no token that begins a text",
                   -1};
    return std::nullopt;
  }

  /// A given id may lie in the model's vocabulary only: it has no text.
  std::string text_of(std::vector<i32> tokens) const {
    std::erase_if(tokens, [&](i32 id) { return !session_.tokenizer().has(id); });
    return session_.tokenizer().decode(tokens, false);
  }

  std::string completion_json(const GenerateWork& work, i64 index) const {
    const decode::Completion& c = work.result.completions[usize(index)];
    std::string out = cat("{\"index\":", index, ",\"text\":", io::json_string(c.text));
    if (options_.on("tokens")) append(out, ",\"tokens\":", id_list(c.tokens));
    if (options_.on("logprobs")) append(out, ",\"logprobs\":", number_list(c.logprobs));
    if (options_.integer("top-logprobs") > 0) append(out, ",\"top_logprobs\":", top_json(c.top));
    append(out, ",\"finish_reason\":\"", c.finish_reason, "\"");
    if (c.fault)
      append(out, ",\"error\":{\"code\":", io::json_string(c.fault->code),
             ",\"message\":", io::json_string(c.fault->detail), "}");
    append(out, ",\"completion_tokens\":", c.tokens.size(), ",\"seed\":", *work.params.seed,
           switching_.completion_json(c, work.prompt_tokens), "}");
    return out;
  }

  std::string completion_list(const GenerateWork& work) const {
    std::string out = "[";
    for (i64 i = 0; i < isize(work.result.completions); ++i)
      append(out, i > 0 ? "," : "", completion_json(work, i));
    return out + "]";
  }

  void write(const io::JsonReader& json, const GenerateWork& work, std::string completions,
             i64 field, std::string_view name, std::string& out) const {
    const bool drop = options_.on("drop-extra");
    io::ResultLine line(json, drop);
    const bool has_id = json.has(kId);
    if (drop || !has_id)
      line.set(kId, "id", has_id ? std::string(json.raw(kId)) : io::json_string(work.id));
    line.set(kPromptTokens, "prompt_tokens", cat(work.prompt_tokens));
    if (options_.on("prompt-logprobs"))
      line.set(kPromptLogprobs, "prompt_logprobs", number_list(work.result.prompt_logprobs));
    line.set(field, name, std::move(completions));
    line.set(kParams, "params", work.params_json);
    line.set(kModel, "model", io::json_string(session_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, work));
    line.write(out);
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  decode::Session& session_;
  decode::SampleParams defaults_;
  i64 prompt_;  // the id may be the prompt too
  decode::PromptEncoder encoder_;
  const Switching& switching_;
  decode::Generator generator_;
  i64 records_ = 0;
  i64 reused_ = 0;  // taken from --resume FILE
  i64 tokens_ = 0;
  std::map<std::string, i64> reasons_;
  std::map<std::string, i64> failed_;  // samples that ended with an error, by its code
};

f64 rate(i64 count, f64 seconds) {
  return seconds > 0 ? static_cast<f64>(count) / seconds : 0;
}

void GenerateMode::report(cli::Tool& tool, f64 wall_s) const {
  const decode::GenerateStats& s = generator_.stats();
  const f64 decode_s = s.forward_s - s.prompt_s;
  const f64 steps = static_cast<f64>(std::max<i64>(1, s.steps));
  std::string reasons = "{";
  for (const auto& [name, count] : reasons_)
    append(reasons, reasons.size() > 1 ? "," : "", "\"", name, "\":", count);
  const std::string json = cat(
      "{\"records\":", records_, ",\"reused_records\":", reused_,
      ",\"prompt_tokens\":", s.prompt_rows, ",\"generated_tokens\":", tokens_,
      ",\"wall_s\":", format_fixed(wall_s, 3),
      ",\"prefill_tokens_per_s\":", format_fixed(rate(s.prompt_rows, s.prompt_s), 1),
      ",\"decode_tokens_per_s\":", format_fixed(rate(s.decode_rows + s.draft_tokens, decode_s), 1),
      ",\"generated_tokens_per_s\":", format_fixed(rate(tokens_, wall_s), 1),
      ",\"steps\":", s.steps, ",\"draft_rows\":", s.draft_rows,
      ",\"draft_tokens\":", s.draft_tokens, ",\"draft_s\":", format_fixed(s.draft_s, 3),
      ",\"mean_batch\":", format_fixed(static_cast<f64>(s.busy_samples) / steps, 2),
      ",\"mean_rows\":",
      format_fixed(static_cast<f64>(s.prompt_rows + s.decode_rows + s.draft_rows) / steps, 2),
      ",\"kv_pages_most\":", s.most_pages,
      ",\"kv_pages\":", session_.engine().cache().total_pages(), ",\"other_steps\":", s.other_steps,
      ",\"other_rows\":", s.other_rows, ",\"forward_s\":", format_fixed(s.forward_s, 3),
      ",\"sampling_s\":", format_fixed(s.draw_s, 3), ",\"finish_reasons\":", reasons, "}}");
  if (!failed_.empty()) {
    std::string summary;
    i64 count = 0;
    for (const auto& [code, samples] : failed_) {
      append(summary, summary.empty() ? "" : ", ", code, " ", samples);
      count += samples;
    }
    tool.console().message(LogLevel::kWarning,
                           cat(count, " samples ended with an error (", summary, ")"));
  }
  tool.add_metric("throughput", json);
  tool.console().message(LogLevel::kInfo, json);
}

}  // namespace

void run_generate(cli::Tool& tool) {
  if (tool.options().given("resume") && tool.options().on("flat"))
    throw Error(ErrorKind::kUsage, "--resume does not go with --flat: a record may be half there");
  const Models models = open_models(tool);
  const Drafting drafting(tool, models);
  const Switching switching(tool.options(), models);
  GenerateMode mode(tool, *models.main, drafting, switching);
  const f64 start = monotonic_s();
  tool_options::run_held(tool, mode, 4 * models.main->options().batch, models.keys());
  mode.report(tool, monotonic_s() - start);
  drafting.save();
}

}  // namespace lm::decode_tool
