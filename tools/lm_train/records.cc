// Records of --objective sft: read and tokenised before the first step, kept in memory.

#include <algorithm>
#include <any>
#include <atomic>

#include "core/str.h"
#include "decode/prompt.h"
#include "text/tokenizer.h"
#include "train.h"

namespace lm::train_tool {

namespace {

/// What every record is read with.
struct RecordRules {
  std::string prompt, completion, ids;  // names of fields
  i64 vocab = 0;
  i64 most = 0;            // tokens of a record
  bool on_prompt = false;  // prompt tokens are targets too
  bool truncate = false;
  const text::Tokenizer* tokenizer = nullptr;
  std::optional<i32> begin, end;
};

struct Tokens {
  std::vector<i32> ids;
  std::vector<u8> loss;
};

enum Field : i64 { kPrompt, kCompletion, kPromptIds, kCompletionIds, kIds, kMask };

/// One per worker: owns a JSON reader and the tokenizer's scratch.
class RecordParser {
 public:
  RecordParser(const RecordRules& rules, std::atomic<i64>& truncated)
      : rules_(rules),
        truncated_(truncated),
        json_({rules.prompt, rules.completion, rules.prompt + "_ids", rules.completion + "_ids",
               rules.ids, "loss_mask"}),
        state_(rules.tokenizer == nullptr ? nullptr : rules.tokenizer->new_state()) {}
  io::JsonReader& json() { return json_; }

  std::optional<Fault> parse(io::JsonReader& json, Tokens& out) {
    std::optional<Fault> fault = one_form(json);
    if (fault) return fault;
    if (json.has(kPromptIds) || json.has(kCompletionIds))
      fault = from_ids(json, out);
    else if (json.has(kPrompt) || json.has(kCompletion) || !json.has(kIds))
      fault = from_text(json, out);
    else
      fault = from_mask(json, out);
    return fault ? fault : fit(out);
  }

 private:
  /// A record that says the same twice may say two things.
  std::optional<Fault> one_form(io::JsonReader& json) const {
    const bool text = json.has(kPrompt) || json.has(kCompletion);
    const bool parts = text || json.has(kPromptIds) || json.has(kCompletionIds);
    const auto both = [&](Field one, Field other) {
      return Fault{"ambiguous",
                   cat("fields ", quote(json_.path(one)), " and ", quote(json_.path(other)),
                       " both say what to train on, expected one of them"),
                   -1};
    };
    if (json.has(kPrompt) && json.has(kPromptIds)) return both(kPrompt, kPromptIds);
    if (json.has(kCompletion) && json.has(kCompletionIds)) return both(kCompletion, kCompletionIds);
    if (parts && json.has(kIds) && json.has(kMask))
      return both(json.has(kPromptIds)       ? kPromptIds
                  : json.has(kPrompt)        ? kPrompt
                  : json.has(kCompletionIds) ? kCompletionIds
                                             : kCompletion,
                  kMask);
    return std::nullopt;
  }

  std::optional<Fault> from_text(io::JsonReader& json, Tokens& out) {
    if (state_ == nullptr)
      throw Error(ErrorKind::kUsage, "records with text need a tokenizer",
                  "--tokenizer FILE names it, where --init-from has none");
    const Result<std::string_view> prompt = json.string(kPrompt);
    if (!prompt) return prompt.fault();
    if (rules_.begin) out.ids.push_back(*rules_.begin);
    if (std::optional<Fault> fault = encode(kPrompt, *prompt, out.ids)) return fault;
    const i64 from = isize(out.ids);
    const Result<std::string_view> completion = json.string(kCompletion);
    if (!completion) return completion.fault();
    if (std::optional<Fault> fault = encode(kCompletion, *completion, out.ids)) return fault;
    return finish(kCompletion, from, out);
  }

  std::optional<Fault> encode(Field field, std::string_view text, std::vector<i32>& ids) {
    try {
      if (rules_.tokenizer->encode(text, *state_, ids)) return std::nullopt;
      return Fault{"special", cat("field ", quote(json_.path(field)), " has a special token"), -1};
    } catch (const Error& e) {  // its patterns or its normalizer give up
      if (e.kind() != ErrorKind::kData) throw;
      return Fault{"range", e.message(), -1};
    }
  }

  std::optional<Fault> from_ids(io::JsonReader& json, Tokens& out) {
    if (std::optional<Fault> fault = json.integers(kPromptIds, rules_.vocab, out.ids)) return fault;
    const i64 from = isize(out.ids);
    if (std::optional<Fault> fault = json.integers(kCompletionIds, rules_.vocab, out.ids))
      return fault;
    return finish(kCompletionIds, from, out);
  }

  std::optional<Fault> from_mask(io::JsonReader& json, Tokens& out) {
    std::vector<i32> mask;
    if (std::optional<Fault> fault = json.integers(kIds, rules_.vocab, out.ids)) return fault;
    if (std::optional<Fault> fault = json.integers(kMask, 2, mask)) return fault;
    if (mask.size() != out.ids.size())
      return Fault{
          "range",
          cat("field \"loss_mask\" has ", mask.size(), " values for ", out.ids.size(), " tokens"),
          -1};
    out.loss.assign(mask.begin(), mask.end());
    return std::nullopt;
  }

  /// The completion begins at `from`: the end token, and the mask.
  std::optional<Fault> finish(Field field, i64 from, Tokens& out) const {
    if (isize(out.ids) == from)
      return Fault{"empty", cat("field ", quote(json_.path(field)), " is empty, expected tokens"),
                   -1};
    if (rules_.end && out.ids.back() != *rules_.end) out.ids.push_back(*rules_.end);
    out.loss.assign(out.ids.size(), 1);
    if (!rules_.on_prompt) std::fill_n(out.loss.begin(), from, u8{0});
    return std::nullopt;
  }

  /// Cuts or refuses what is too long, and refuses what has no target.
  std::optional<Fault> fit(Tokens& out) {
    const i64 size = isize(out.ids);
    if (size > rules_.most) {
      if (!rules_.truncate)
        return Fault{"too_long", cat(size, " tokens, expected at most ", rules_.most), -1};
      out.ids.resize(usize(rules_.most));
      out.loss.resize(usize(rules_.most));
    }
    // The first token has none before it to be predicted from.
    if (std::find(out.loss.begin() + std::min<i64>(1, isize(out.loss)), out.loss.end(), 1) ==
        out.loss.end()) {
      if (size > rules_.most)
        return Fault{"too_long", cat("the prompt fills all ", rules_.most, " tokens of ", size),
                     -1};
      return Fault{"empty", "no token to predict", -1};
    }
    if (size > rules_.most) ++truncated_;
    return std::nullopt;
  }

  const RecordRules& rules_;
  std::atomic<i64>& truncated_;
  io::JsonReader json_;
  std::unique_ptr<text::EncodeState> state_;
};

/// The end token that completions get. Error{kData}: there is none.
i32 end_token(const model::ModelCfg& cfg, const text::Tokenizer* tokenizer) {
  if (tokenizer != nullptr && tokenizer->eos()) return *tokenizer->eos();
  if (!cfg.eos.empty()) return cfg.eos.front();
  throw Error(ErrorKind::kData,
              "neither the tokenizer nor the model names an end token for completions",
              "--no-eos trains on completions as they are");
}

train::RecordStore read_all(cli::Tool& tool, const RecordRules& rules,
                            std::atomic<i64>& truncated) {
  train::RecordStore store;
  io::WorkerPool<RecordParser> parsers(
      [&] { return std::make_unique<RecordParser>(rules, truncated); });
  io::RecordRun& records = tool.records_only();
  const auto parse = [&](io::Batch& batch) {
    std::vector<Tokens> parsed;
    parsers.with([&](RecordParser& parser) {
      records.each_record(batch, parser.json(), [&](io::Record& record) {
        Tokens tokens;
        std::optional<Fault> fault = parser.parse(record.json, tokens);
        if (!fault) parsed.push_back(std::move(tokens));
        return fault;
      });
    });
    batch.user = std::move(parsed);
  };
  i64 charged = 0;
  const auto keep = [&](io::Batch& batch) {
    for (const Tokens& tokens : std::any_cast<const std::vector<Tokens>&>(batch.user)) {
      const i64 bytes = train::RecordStore::bytes_of(isize(tokens.ids));
      tool.ctx().memory->charge_growing(charged, bytes, "the records to train on");
      charged += bytes;
      store.add(tokens.ids, tokens.loss);
    }
  };
  records.run({{StageMode::kParallel, parse}, {StageMode::kSerial, keep}});
  return store;
}

}  // namespace

train::PackedSource read_records(cli::Tool& tool, const std::string& tokenizer_path,
                                 const Setup& setup) {
  const cli::Options& o = tool.options();
  std::unique_ptr<text::Tokenizer> tokenizer;
  if (!tokenizer_path.empty()) {
    text::LoadOptions load;
    load.add_specials = false;
    tokenizer = text::load_tokenizer(tokenizer_path, load);
  }
  RecordRules rules;
  rules.prompt = o.text("prompt-field");
  rules.completion = o.text("completion-field");
  rules.ids = o.text("ids-field");
  rules.vocab = setup.cfg.vocab;
  rules.most = train::make_objective(setup.train)->tokens_per_example(setup.train.seq_len);
  rules.on_prompt = o.text("loss-on") == "all";
  rules.truncate = o.text("too-long") == "truncate";
  rules.tokenizer = tokenizer.get();
  if (tokenizer) rules.begin = decode::begin_token(setup.cfg, *tokenizer);
  if (o.on("eos")) rules.end = end_token(setup.cfg, tokenizer.get());
  std::atomic<i64> truncated = 0;
  train::RecordStore store = read_all(tool, rules, truncated);
  if (tool.ctx().stop->requested())
    throw Error(ErrorKind::kTemporary, "stopped while records were read, nothing to save",
                "the same command begins again");
  tool.add_metric("records_truncated", cat(truncated.load()));
  if (truncated.load() > 0)
    tool.console().message(LogLevel::kWarning, cat(truncated.load(), " of ", store.count(),
                                                   " records were cut to ", rules.most, " tokens"));
  return {std::move(store), {setup.train.seq_len, tool.seed(), o.text("order") == "shuffle"}};
}

}  // namespace lm::train_tool
