#include "engine_mode.h"

#include "answer/request.h"
#include "common/held_run.h"
#include "core/str.h"
#include "generate_json.h"
#include "record_head.h"
#include "text/chat_template.h"

namespace lm::decode_tool {

using answer::Request;
using answer::Response;

namespace {

enum Field : i64 {
  kId,
  kParams,
  kPromptTokens,
  kCompletions,
  kCompletion,
  kModel,
  kLm,
  kGrammar,
  kRegex,
  kSchema,
  kChoices,
  kConstraint,
  kMessages,
  kTools,
  kDocuments,
  kMeta,
  kPrompt
};

}  // namespace

struct EngineMode::Work : io::HeldWork {
  Request request;
  std::string params_json;
  u64 seed = 0;
  Response response;
};

EngineMode::EngineMode(cli::Tool& tool, answer::Answerer& answerer, decode::SampleParams defaults,
                       std::string model)
    : tool_(tool),
      options_(tool.options()),
      answerer_(answerer),
      defaults_(std::move(defaults)),
      asked_(asked_language(tool)),
      model_(std::move(model)),
      field_(options_.text("prompt-field")),
      replies_(options_.text("reply") == "messages") {}

std::vector<std::string> EngineMode::paths() const {
  std::vector<std::string> out = {
      "id",       "params",  "prompt_tokens", "completions", "completion", "model",
      "lm",       "grammar", "regex",         "schema",      "choices",    "constraint",
      "messages", "tools",   "documents",     "meta"};
  if (field_ != "id") out.push_back(field_);
  return out;
}

std::optional<Fault> EngineMode::prepare(io::Record& record, io::Prepared& out) {
  Result<RecordHead> head = record_head(record, kId, kParams, defaults_);
  if (!head) return head.fault();
  std::unique_ptr<Work> work = std::make_unique<Work>();
  work->id = head->id;
  Request& r = work->request;
  r.id = std::move(head->id);
  r.params = std::move(head->params);
  if (std::optional<Fault> fault = read_prompt(record.json, r)) return fault;
  const decode::LanguageFields fields{kGrammar, kRegex, kSchema, kChoices, kConstraint};
  const Result<std::optional<decode::Language>> own = decode::language_of(record.json, fields);
  if (!own) return own.fault();
  const std::optional<decode::Language>& language = *own ? *own : asked_.own;
  if (language) r.form = answer::form_of(*language);
  if (record.json.has(kMeta)) r.meta = record.json.raw(kMeta);
  r.seed = tool_.seed();
  work->seed = answer::seed_of(r);
  work->params_json = decode::params_json(r.params);
  out.work = std::move(work);
  return std::nullopt;
}

void EngineMode::add(io::HeldWork& work) {
  answerer_.add(std::move(static_cast<Work&>(work).request));
}

bool EngineMode::poll(io::HeldWork& work) {
  std::optional<Response> response = answerer_.take();
  if (!response) return false;
  static_cast<Work&>(work).response = std::move(*response);
  return true;
}

std::optional<Fault> EngineMode::finish(io::JsonReader& json, io::HeldWork& base,
                                        std::string& out) {
  Work& work = static_cast<Work&>(base);
  if (work.response.fault) {
    if (work.response.fault->code == "no_rule" && unmatched_++ == 0)
      first_unmatched_ = work.response.fault->detail;
    return work.response.fault;
  }
  ++records_;
  prompt_tokens_ += work.response.prompt_tokens;
  std::vector<std::string> completions;
  for (const answer::Reply& reply : work.response.replies) {
    tokens_ += reply.tokens;
    ++reasons_[reply.finish_reason];
    completions.push_back(reply_json(reply, isize(completions), work.seed));
  }
  if (!options_.on("flat")) {
    write(json, work, 0, cat("[", join(completions, ","), "]"), kCompletions, "completions", out);
    return std::nullopt;
  }
  for (i64 i = 0; i < isize(completions); ++i)
    write(json, work, i, completions[usize(i)], kCompletion, "completion", out);
  return std::nullopt;
}

void EngineMode::report(f64 wall_s) const {
  const std::string json =
      cat("{\"records\":", records_, ",\"reused_records\":", reused_,
          ",\"prompt_tokens\":", prompt_tokens_, ",\"generated_tokens\":", tokens_,
          ",\"unmatched\":", unmatched_, ",\"wall_s\":", format_fixed(wall_s, 3),
          ",\"finish_reasons\":", counts_json(reasons_), "}");
  tool_.add_metric("throughput", json);
  tool_.console().message(LogLevel::kInfo, json);
}

void EngineMode::check_matched() const {
  if (unmatched_ > 0 && options_.on("strict-script"))
    throw Error(ErrorKind::kData,
                cat(options_.text("engine"), ": ", unmatched_,
                    unmatched_ == 1 ? " prompt has no answer: " : " prompts have no answer: ",
                    first_unmatched_));
}

std::optional<Fault> EngineMode::read_prompt(io::JsonReader& json, Request& r) const {
  const i64 field = field_ == "id" ? i64{kId} : i64{kPrompt};
  const bool messages =
      !options_.asked("prompt-field") && json.field(kMessages).type == io::JsonType::kArray;
  if (!messages) {
    const Result<std::string_view> text = json.string(field);
    if (!text)
      return Fault{text.fault().code,
                   cat(text.fault().detail, " (--record and --engine take texts and messages)"),
                   text.fault().offset};
    r.prompt = *text;
    return std::nullopt;
  }
  if (field != kId && json.has(field))
    return Fault{"prompt", "the record has both messages and a prompt, expected one of them", -1};
  if (json.has(kTools) || json.has(kDocuments))
    return Fault{"messages", "tools and documents are for a model inside", -1};
  const Result<text::Value> list = text::read_messages(json.raw(kMessages));
  if (!list) return list.fault();
  for (const text::Value& one : list->list()) {
    const text::Value* const content = one.find("content");
    if (content == nullptr || !content->is_string())
      return Fault{"messages", "a message has no content that is a text", -1};
    r.messages.push_back({one.find("role")->to_text(), content->str()});
  }
  if (replies_ && r.params.n > 1 && !options_.on("flat"))
    return Fault{"params",
                 cat("--reply messages with n ", r.params.n, " needs --flat: an answer a record"),
                 -1};
  return std::nullopt;
}

/// sample: whose text answers messages.
void EngineMode::write(const io::JsonReader& json, const Work& work, i64 sample,
                       std::string completions, i64 field, std::string_view name,
                       std::string& out) const {
  io::ResultLine line(json, options_.on("drop-extra"));
  line.set_id(kId, work.id);
  if (replies_ && json.field(kMessages).type == io::JsonType::kArray)
    line.set(kMessages, "messages",
             answered(json.raw(kMessages), work.response.replies[usize(sample)].text, false));
  line.set(kPromptTokens, "prompt_tokens", cat(work.response.prompt_tokens));
  line.set(field, name, std::move(completions));
  line.set(kParams, "params", work.params_json);
  line.set(kModel, "model", io::json_string(model_));
  line.set(kLm, "lm", tool_options::made_by(tool_, work));
  line.write(out);
}

}  // namespace lm::decode_tool
