// Records of prompts and completions: read and tokenised before the first step, kept in memory.

#include <algorithm>
#include <any>
#include <atomic>

#include "core/str.h"
#include "decode/prompt.h"
#include "record_parser.h"
#include "train.h"
#include "train/sequence_objective.h"

namespace lm::train_tool {

namespace {

/// The end token that completions get. Error{kData}: there is none.
i32 completion_end(const model::ModelCfg& cfg, const text::Tokenizer* tokenizer) {
  if (const std::optional<i32> end = decode::end_token(cfg, tokenizer)) return *end;
  throw Error(ErrorKind::kData,
              "neither the tokenizer nor the model names an end token for completions",
              "--no-eos trains on completions as they are");
}

train::RecordStore read_all(cli::Tool& tool, const RecordRules& rules,
                            std::atomic<i64>& truncated) {
  train::RecordStore store(std::max<i64>(1, isize(rules.completions)), rules.scalars());
  io::WorkerPool<RecordParser> parsers(
      [&] { return std::make_unique<RecordParser>(rules, truncated); });
  io::RecordRun& records = tool.records_only();
  const auto parse = [&](io::Batch& batch) {
    std::vector<ParsedRecord> parsed;
    parsers.with([&](RecordParser& parser) {
      records.each_record(batch, parser.json(), [&](io::Record& record) {
        ParsedRecord one;
        std::optional<Fault> fault = parser.parse(record.json, one);
        if (!fault) parsed.push_back(std::move(one));
        return fault;
      });
    });
    batch.user = std::move(parsed);
  };
  i64 charged = 0;
  const auto keep = [&](io::Batch& batch) {
    for (const ParsedRecord& record : std::any_cast<const std::vector<ParsedRecord>&>(batch.user)) {
      i64 bytes = 2 * 4 * isize(record.scalars);
      for (const Tokens& tokens : record.sequences)
        bytes += train::RecordStore::bytes_of(isize(tokens.ids));
      tool.ctx().memory->charge_growing(charged, bytes, "the records to train on");
      charged += bytes;
      for (const Tokens& tokens : record.sequences)
        store.add(tokens.ids, tokens.loss, tokens.prefix);
      store.add_scalars(record.scalars);
    }
  };
  records.run({{StageMode::kParallel, parse}, {StageMode::kSerial, keep}});
  return store;
}

/// Counts good and bad completions. The authors of kto advise that their weighed shares lie between
/// 1 and 4/3 (Ethayarajh et al. 2024).
void check_labels(cli::Tool& tool, const train::RecordStore& store) {
  const cli::Options& o = tool.options();
  i64 good = 0;
  for (i64 i = 0; i < store.count(); ++i)
    good += store.scalars(i)[train::kLabel] > 0 ? 1 : 0;
  const i64 bad = store.count() - good;
  tool.add_metric("desirable", cat(good));
  tool.add_metric("undesirable", cat(bad));
  if (o.text("objective") != "kto") return;
  const f64 of_good = o.real("desirable-weight") * static_cast<f64>(good);
  const f64 of_bad = o.real("undesirable-weight") * static_cast<f64>(bad);
  if (of_good >= of_bad && of_good * 3 <= of_bad * 4) return;
  tool.console().message(LogLevel::kWarning,
                         cat(good, " good and ", bad, " bad completions weigh ",
                             format_fixed(of_good, 1), " : ", format_fixed(of_bad, 1),
                             ", advised are 1 : 1 to 4 : 3 (--desirable-weight, "
                             "--undesirable-weight)"));
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
  const train::ObjectiveDef& def = objective_def(o);
  RecordRules rules;
  rules.form = def.form;
  rules.reference = def.reference;
  rules.prompt = o.text("prompt-field");
  rules.completions = {o.text("completion-field")};
  if (def.form == train::RecordForm::kPair)
    rules.completions = {o.text("chosen-field"), o.text("rejected-field")};
  if (def.form == train::RecordForm::kClass) rules.completions.clear();
  rules.labels = class_labels(o, def);
  if (o.given("mismatched-field")) rules.completions.push_back(o.text("mismatched-field"));
  rules.margin = o.text("margin-field");
  rules.label = o.text("label-field");
  rules.log_probabilities = o.text("ref-field");
  rules.ids = o.text("ids-field");
  rules.vocab = setup.cfg.vocab;
  rules.most = setup.objective->tokens_per_sequence(setup.train.seq_len);
  rules.on_prompt = o.text("loss-on") == "all";
  rules.truncate = o.text("too-long") == "truncate";
  rules.prefix_mask = o.on("prefix-mask");
  rules.tokenizer = tokenizer.get();
  if (tokenizer) rules.begin = decode::begin_token(setup.cfg, *tokenizer);
  if (o.on("eos")) rules.end = completion_end(setup.cfg, tokenizer.get());
  std::atomic<i64> truncated = 0;
  train::RecordStore store = read_all(tool, rules, truncated);
  if (tool.ctx().stop->requested())
    throw Error(ErrorKind::kTemporary, "stopped while records were read, nothing to save",
                "the same command begins again");
  if (def.form == train::RecordForm::kLabelled) check_labels(tool, store);
  tool.add_metric("records_truncated", cat(truncated.load()));
  if (truncated.load() > 0)
    tool.console().message(LogLevel::kWarning, cat(truncated.load(), " of ", store.count(),
                                                   " records were cut to ", rules.most, " tokens"));
  return {std::move(store),
          {setup.train.seq_len, tool.seed(), o.text("order") == "shuffle", o.on("pack"),
           setup.objective.get()}};
}

}  // namespace lm::train_tool
