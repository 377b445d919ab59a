// languages: figures by language from records that carry scores and answers.

#include "core/str.h"
#include "eval/held_bytes.h"
#include "eval_tool.h"

namespace lm::eval_tool {

namespace {

using text::Value;
using text::ValueList;
using text::ValueMap;

enum Field : i64 { kScore = ItemFields::kFirst, kAnswer, kScores, kAnswerLanguage };

struct Scored {
  LanguageItem item;
  std::optional<f64> score;
  std::optional<std::string> answer;
  std::vector<f64> scores;
  i64 lines = 0;  // of the answer, with a language
  i64 right = 0;  // of them in the language asked in
};

Fault type_fault(const io::JsonReader& json, i64 field, const char* expected) {
  return {"type",
          cat("field ", quote(json.path(field)), " is ", json_type_name(json.field(field).type),
              ", expected ", expected),
          json.field(field).begin};
}

/// Reads what of the record's fields is there.
Result<Scored> read(io::Record& record) {
  io::JsonReader& json = record.json;
  Result<LanguageItem> item = language_item(record);
  if (!item) return item.fault();
  Scored out;
  out.item = std::move(*item);
  if (json.has(kScore)) {
    if (json.field(kScore).type == io::JsonType::kBool) {
      out.score = json.raw(kScore) == "true" ? 1.0 : 0.0;
    } else {
      const Result<f64> number = json.number(kScore);
      if (!number) return number.fault();
      out.score = *number;
    }
  }
  if (json.has(kAnswer)) out.answer = json.text_of(kAnswer);
  if (json.has(kScores)) {
    const Result<Value> list = text::parse_json_value(json.raw(kScores));
    if (!list || !list->is_list() || list->list().empty())
      return type_fault(json, kScores, "a list of numbers");
    for (const Value& each : list->list()) {
      if (!each.is_number()) return type_fault(json, kScores, "a list of numbers");
      out.scores.push_back(each.number());
    }
  }
  if (json.has(kAnswerLanguage)) {
    const Result<Value> value = text::parse_json_value(json.raw(kAnswerLanguage));
    if (!value) return value.fault();
    const ValueList one = {*value};
    const ValueList& lines = value->is_list() ? value->list() : one;
    for (const Value& line : lines) {
      if (!line.is_string())
        return type_fault(json, kAnswerLanguage, "a language or a list of them");
      ++out.lines;
      out.right += line.str() == out.item.language ? 1 : 0;
    }
  }
  return out;
}

Value pairs_value(const std::vector<eval::AnswerTable::Pair>& pairs) {
  ValueList list;
  f64 sum = 0;
  for (const eval::AnswerTable::Pair& pair : pairs) {
    list.push_back(
        ValueMap{{"a", pair.a}, {"b", pair.b}, {"n", pair.n}, {"agreement", pair.agreement}});
    sum += pair.agreement;
  }
  return ValueMap{{"mean", sum / static_cast<f64>(pairs.size())}, {"pairs", std::move(list)}};
}

}  // namespace

void run_languages(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  check_device(tool);
  tool_options::refuse_output_options(tool);
  tool.input();
  TextOutput out(tool);
  eval::RatioOptions ratio = ratio_options(tool);
  ratio.higher_is_better = !options.on("lower-is-better");
  eval::RatioTable scores;
  eval::RatioTable fidelity;
  eval::AnswerTable answers;
  eval::HeldBytes held(tool.ctx().memory, "the figures of records");
  const std::function<void(std::vector<Scored>&)> take = [&](std::vector<Scored>& items) {
    for (Scored& each : items) {
      const std::string& language = each.item.language;
      const std::string& id = each.item.id;
      held.add(256 + 2 * isize(id) + isize(each.answer.value_or("")) + 8 * isize(each.scores));
      if (each.score) scores.add(language, id, {*each.score, 1});
      if (each.lines > 0)
        fidelity.add(language, id, {static_cast<f64>(each.right), static_cast<f64>(each.lines)});
      if (each.answer) answers.add(language, id, std::move(*each.answer));
      if (!each.scores.empty()) answers.add_ranking(language, id, std::move(each.scores));
    }
  };
  each_item<Scored>(tool,
                    {options.text("score-field"), options.text("answer-field"),
                     options.text("scores-field"), options.text("answer-lang-field")},
                    read, take);
  Value result(ValueMap{});
  if (!ratio.pivot.empty()) result.set("pivot", ratio.pivot);
  if (!scores.empty()) result.set("score", eval::summary_value(scores.summary(ratio)));
  ratio.higher_is_better = true;
  if (!fidelity.empty()) result.set("fidelity", eval::summary_value(fidelity.summary(ratio)));
  if (const std::vector<eval::AnswerTable::Pair> pairs = answers.pairs(); !pairs.empty())
    result.set("consistency", pairs_value(pairs));
  if (const std::vector<eval::AnswerTable::Pair> pairs = answers.ranking_pairs(); !pairs.empty())
    result.set("rank_consistency", pairs_value(pairs));
  out.write(text::to_json(result, {.indent = 2}) + "\n");
}

}  // namespace lm::eval_tool
