// Prompts of align.

#include "align_prompts.h"

#include <any>

#include "core/str.h"
#include "decode/prompt.h"
#include "io/held.h"

namespace lm::train_tool {

using align::Prompt;

namespace {

/// Reads prompts; one per worker.
class PromptParser {
 public:
  PromptParser(const cli::Options& o, const text::Tokenizer& tokenizer, const model::ModelCfg& cfg)
      : json_({"id", o.text("prompt-field"), o.text("prompt-field") + "_ids"}),
        encoder_(tokenizer, decode::begin_token(cfg, tokenizer)),
        cfg_(cfg),
        whole_(o.given("reward-command")) {}
  io::JsonReader& json() { return json_; }

  std::optional<Fault> parse(io::Record& record, Prompt& out) {
    Result<std::string> id = io::record_id(json_, kId, static_cast<u64>(record.ordinal));
    if (!id) return id.fault();
    out.id = std::move(*id);
    if (json_.has(kPrompt) && json_.has(kIds))
      return Fault{"ambiguous",
                   cat("fields ", quote(json_.path(kPrompt)), " and ", quote(json_.path(kIds)),
                       " are both prompts, expected one of them"),
                   -1};
    if (json_.has(kIds)) {
      if (std::optional<Fault> fault = json_.integers(kIds, cfg_.vocab, out.tokens)) return fault;
    } else {
      const Result<std::string_view> text = json_.string(kPrompt);
      if (!text) return text.fault();
      const Result<std::vector<decode::PromptRow>> rows =
          encoder_.prompt(decode::PromptText(*text));
      if (!rows) return rows.fault();
      out.tokens = decode::tokens_of(*rows);
    }
    if (out.tokens.empty()) return Fault{"empty", "the prompt has no token", -1};
    if (isize(out.tokens) >= cfg_.context)
      return Fault{"context",
                   cat("the prompt has ", out.tokens.size(), " tokens, which leaves none of the ",
                       "model's context of ", cfg_.context),
                   -1};
    if (whole_) out.record = record.line;
    return std::nullopt;
  }

 private:
  enum Field : i64 { kId, kPrompt, kIds };
  io::JsonReader json_;
  decode::PromptEncoder encoder_;
  const model::ModelCfg& cfg_;
  bool whole_;
};

}  // namespace

std::vector<Prompt> read_prompts(cli::Tool& tool, const text::Tokenizer& tokenizer,
                                 const model::ModelCfg& cfg) {
  std::vector<Prompt> prompts;
  io::WorkerPool<PromptParser> parsers(
      [&] { return std::make_unique<PromptParser>(tool.options(), tokenizer, cfg); });
  io::RecordRun& records = tool.records_only();
  const auto parse = [&](io::Batch& batch) {
    std::vector<Prompt> parsed;
    parsers.with([&](PromptParser& parser) {
      records.each_record(batch, parser.json(), [&](io::Record& record) {
        Prompt one;
        std::optional<Fault> fault = parser.parse(record, one);
        if (!fault) parsed.push_back(std::move(one));
        return fault;
      });
    });
    batch.user = std::move(parsed);
  };
  i64 charged = 0;
  const auto keep = [&](io::Batch& batch) {
    for (Prompt& prompt : std::any_cast<std::vector<Prompt>&>(batch.user)) {
      const i64 bytes = 2 * static_cast<i64>(sizeof(Prompt)) + isize(prompt.id) +
                        isize(prompt.record) + 4 * isize(prompt.tokens);
      tool.ctx().memory->charge_growing(charged, bytes, "the prompts");
      charged += bytes;
      prompts.push_back(std::move(prompt));
    }
  };
  records.run({{StageMode::kParallel, parse}, {StageMode::kSerial, keep}});
  if (tool.ctx().stop->requested())
    throw Error(ErrorKind::kTemporary, "stopped while prompts were read, nothing to save",
                "the same command begins again");
  if (prompts.empty()) throw Error(ErrorKind::kData, "no prompts to train on");
  return prompts;
}

}  // namespace lm::train_tool
