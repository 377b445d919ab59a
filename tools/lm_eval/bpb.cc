// bpb: how well a model predicts each language, whatever its tokenizer.

#include <cmath>

#include "common/model_options.h"
#include "core/str.h"
#include "decode/neural_scorer.h"
#include "eval/held_bytes.h"
#include "eval_tool.h"
#include "text/utf8.h"

namespace lm::eval_tool {

namespace {

using text::Value;
using text::ValueMap;

constexpr f64 kLn2 = 0.693147180559945309;

struct TextItem {
  LanguageItem item;
  std::string text;
};

struct Sums {
  i64 records = 0;
  i64 unscored = 0;
  i64 bytes = 0;
  i64 characters = 0;
  i64 tokens = 0;
  f64 nats = 0;
};

/// The scored characters: those of the tail that the scored bytes stand for.
i64 scored_characters(const std::string& text, i64 bytes) {
  const i64 head = std::max<i64>(0, isize(text) - bytes);
  i64 out = 0;
  for (i64 i = head; i < isize(text); ++i)
    out += (static_cast<u8>(text[usize(i)]) & 0xC0) != 0x80 ? 1 : 0;
  return out;
}

Value table(const eval::RatioSummary& summary, const std::map<std::string, Sums>& sums) {
  Value out = eval::summary_value(summary);
  const auto quotient = [](f64 a, i64 b) {
    return b == 0 ? Value() : Value(std::exp(a / static_cast<f64>(b)));
  };
  Value rows = *out.find("languages");
  for (Value& row : rows.list()) {
    const Sums& s = sums.at(row.find("language")->str());
    row.set("bytes", s.bytes);
    row.set("characters", s.characters);
    row.set("tokens", s.tokens);
    row.set("nats", s.nats);
    row.set("normalised_ppl_byte", quotient(s.nats, s.bytes));
    row.set("normalised_ppl_character", quotient(s.nats, s.characters));
    row.set("ppl_token", quotient(s.nats, s.tokens));
    if (s.unscored > 0) row.set("unscored", s.unscored);
  }
  return out;
}

}  // namespace

void run_bpb(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  tool_options::refuse_output_options(tool);
  tool_options::add_model_inputs(tool);
  tool.input();
  TextOutput out(tool);
  const eval::RatioOptions ratio = [&] {
    eval::RatioOptions made = ratio_options(tool);
    made.scale = 1 / kLn2;
    return made;
  }();
  const std::string& folder = options.text("model");
  if (folder.empty()) throw Error(ErrorKind::kUsage, "--model FOLDER is needed");
  decode::SessionOptions session = tool_options::session_options(tool, folder);
  session.tokenizer = options.text("tokenizer");
  decode::NeuralScorerOptions how;
  how.window = options.maybe_integer("window").value_or(0);
  how.stride = options.maybe_integer("stride").value_or(0);
  bool numbers = true;
  how.not_numbers = [&] { numbers = false; };
  decode::NeuralScorer scorer(session, how);

  eval::RatioTable nats;
  std::map<std::string, Sums> sums;
  eval::HeldBytes held(tool.ctx().memory, "the figures of records");
  const std::function<Result<TextItem>(io::Record&)> read =
      [](io::Record& record) -> Result<TextItem> {
    Result<LanguageItem> item = language_item(record);
    if (!item) return item.fault();
    const Result<std::string_view> text = record.json.string(ItemFields::kFirst);
    if (!text) return text.fault();
    return TextItem{std::move(*item), std::string(*text)};
  };
  const std::function<void(std::vector<TextItem>&)> take = [&](std::vector<TextItem>& items) {
    std::vector<std::string_view> texts;
    for (const TextItem& each : items)
      texts.push_back(each.text);
    std::vector<text::Score> scores(items.size());
    scorer.score(texts, scores);
    if (!numbers)
      throw Error(ErrorKind::kData, cat(folder, ": the model's logits are not numbers"));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const text::Score& score = scores[i];
      if (score.fault)
        throw Error(ErrorKind::kData,
                    cat("record ", quote(items[i].item.id), ": ", score.fault->detail));
      Sums& s = sums[items[i].item.language];
      ++s.records;
      held.add(128 + isize(items[i].item.id));
      const bool scored = score.tokens > 0;
      s.unscored += scored ? 0 : 1;
      nats.add(items[i].item.language, items[i].item.id,
               {scored ? score.nll_nats : 0, static_cast<f64>(score.bytes)});
      if (!scored) continue;
      s.bytes += score.bytes;
      s.characters += scored_characters(items[i].text, score.bytes);
      s.tokens += score.tokens;
      s.nats += score.nll_nats;
    }
  };
  each_item<TextItem>(tool, {options.text("field")}, read, take);
  Value result(ValueMap{{"metric", "bits_per_byte"}, {"model", scorer.digest()}});
  if (!ratio.pivot.empty()) result.set("pivot", ratio.pivot);
  const Value figures = table(nats.summary(ratio), sums);
  for (const auto& [key, value] : figures.map())
    result.set(key, value);
  out.write(text::to_json(result, {.indent = 2}) + "\n");
}

}  // namespace lm::eval_tool
