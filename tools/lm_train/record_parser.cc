#include "record_parser.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "io/json_node.h"
#include "train/sequence_objective.h"

namespace lm::train_tool {

namespace {

using train::RecordForm;

/// A log-probability that is rounded may come out a little above zero.
constexpr f64 kMostLogProbability = 1e-3;

std::vector<std::string> paths(const RecordRules& rules) {
  const std::string none = "\x01";  // no field has that name
  const auto or_none = [&](const std::string& name) { return name.empty() ? none : name; };
  std::vector<std::string> out = {rules.prompt,
                                  rules.prompt + "_ids",
                                  or_none(rules.ids),
                                  "loss_mask",
                                  or_none(rules.label),
                                  or_none(rules.margin),
                                  or_none(rules.log_probabilities),
                                  rules.prefix_mask ? "prefix_len" : none};
  out.insert(out.end(), rules.completions.begin(), rules.completions.end());
  for (const std::string& name : rules.completions)
    out.push_back(name + "_ids");
  return out;
}

[[noreturn]] void need_tokenizer() {
  throw Error(ErrorKind::kUsage, "records with text need a tokenizer",
              "--tokenizer FILE names it, where --init-from has none");
}

}  // namespace

i64 RecordRules::scalars() const {
  if (form == RecordForm::kPair) return train::kPairScalars;
  const bool labelled = form == RecordForm::kLabelled || form == RecordForm::kClass;
  return labelled ? i64{train::kLabelScalars} : i64{0};
}

RecordParser::RecordParser(const RecordRules& rules, std::atomic<i64>& truncated)
    : rules_(rules),
      truncated_(truncated),
      json_(paths(rules)),
      state_(rules.tokenizer == nullptr ? nullptr : rules.tokenizer->new_state()) {}

std::optional<Fault> RecordParser::parse(io::JsonReader& json, ParsedRecord& out) {
  if (std::optional<Fault> fault = one_form(json)) return fault;
  if (rules_.form == RecordForm::kClass)
    if (std::optional<Fault> fault = text(json, out.sequences.emplace_back())) return fault;
  for (i64 c = 0; c < isize(rules_.completions); ++c) {
    Tokens& tokens = out.sequences.emplace_back();
    if (std::optional<Fault> fault = completion(json, c, tokens)) return fault;
    const std::string where = isize(rules_.completions) > 1
                                  ? cat("field ", quote(rules_.completions[usize(c)]), ": ")
                                  : std::string();
    if (std::optional<Fault> fault = fit(where, tokens)) return fault;
  }
  if (rules_.form == RecordForm::kPair && out.sequences[0].ids == out.sequences[1].ids)
    return Fault{"equal",
                 cat("fields ", quote(rules_.completions[0]), " and ", quote(rules_.completions[1]),
                     " are the same, expected two completions"),
                 -1};
  return numbers(json, out);
}

/// A record that says the same twice may say two things.
std::optional<Fault> RecordParser::one_form(io::JsonReader& json) const {
  const auto both = [&](i64 one, i64 other) {
    return Fault{"ambiguous",
                 cat("fields ", quote(json_.path(one)), " and ", quote(json_.path(other)),
                     " both say what to train on, expected one of them"),
                 -1};
  };
  if (json.has(kPrompt) && json.has(kPromptIds)) return both(kPrompt, kPromptIds);
  for (i64 c = 0; c < isize(rules_.completions); ++c)
    if (json.has(text_of(c)) && json.has(ids_of(c))) return both(text_of(c), ids_of(c));
  if (rules_.form == RecordForm::kCompletion && json.has(kIds) && json.has(kMask))
    for (const i64 part : {i64{kPromptIds}, i64{kPrompt}, ids_of(0), text_of(0)})
      if (json.has(part)) return both(part, kMask);
  return std::nullopt;
}

/// A text without a completion: no token of it is a target.
std::optional<Fault> RecordParser::text(io::JsonReader& json, Tokens& out) {
  const bool has_ids = json.has(kPromptIds);
  if (has_ids) {
    if (std::optional<Fault> fault = json.integers(kPromptIds, rules_.vocab, out.ids)) return fault;
  } else {
    if (state_ == nullptr) need_tokenizer();
    const Result<std::string_view> text = json.string(kPrompt);
    if (!text) return text.fault();
    if (rules_.begin) out.ids.push_back(*rules_.begin);
    if (std::optional<Fault> fault = encode(kPrompt, *text, out.ids)) return fault;
  }
  if (rules_.end && (out.ids.empty() || out.ids.back() != *rules_.end))
    out.ids.push_back(*rules_.end);
  const std::string field = quote(json_.path(has_ids ? kPromptIds : kPrompt));
  if (out.ids.empty())
    return Fault{"empty", cat("field ", field, " is empty, expected tokens"), -1};
  if (isize(out.ids) > rules_.most) {
    if (!rules_.truncate)
      return Fault{"too_long", cat(out.ids.size(), " tokens, expected at most ", rules_.most), -1};
    out.ids.resize(usize(rules_.most));
    ++truncated_;
  }
  out.loss.assign(out.ids.size(), 0);
  return std::nullopt;
}

std::optional<Fault> RecordParser::completion(io::JsonReader& json, i64 c, Tokens& out) {
  if (json.has(kPromptIds) || json.has(ids_of(c))) return from_ids(json, c, out);
  const bool masked = rules_.form == RecordForm::kCompletion && json.has(kIds);
  if (masked && !json.has(kPrompt) && !json.has(text_of(c))) return from_mask(json, out);
  return from_text(json, c, out);
}

std::optional<Fault> RecordParser::from_text(io::JsonReader& json, i64 c, Tokens& out) {
  if (state_ == nullptr) need_tokenizer();
  const Result<std::string_view> prompt = json.string(kPrompt);
  if (!prompt) return prompt.fault();
  if (rules_.begin) out.ids.push_back(*rules_.begin);
  if (std::optional<Fault> fault = encode(kPrompt, *prompt, out.ids)) return fault;
  const i64 from = isize(out.ids);
  const Result<std::string_view> completion = json.string(text_of(c));
  if (!completion) return completion.fault();
  if (std::optional<Fault> fault = encode(text_of(c), *completion, out.ids)) return fault;
  return finish(text_of(c), from, out);
}

std::optional<Fault> RecordParser::encode(i64 field, std::string_view text, std::vector<i32>& ids) {
  try {
    if (rules_.tokenizer->encode(text, *state_, ids)) return std::nullopt;
    return Fault{"special", cat("field ", quote(json_.path(field)), " has a special token"), -1};
  } catch (const Error& e) {  // its patterns or its normalizer give up
    if (e.kind() != ErrorKind::kData) throw;
    return Fault{"range", e.message(), -1};
  }
}

std::optional<Fault> RecordParser::from_ids(io::JsonReader& json, i64 c, Tokens& out) {
  if (std::optional<Fault> fault = json.integers(kPromptIds, rules_.vocab, out.ids)) return fault;
  const i64 from = isize(out.ids);
  if (std::optional<Fault> fault = json.integers(ids_of(c), rules_.vocab, out.ids)) return fault;
  return finish(ids_of(c), from, out);
}

std::optional<Fault> RecordParser::from_mask(io::JsonReader& json, Tokens& out) {
  std::vector<i32> mask;
  if (std::optional<Fault> fault = json.integers(kIds, rules_.vocab, out.ids)) return fault;
  if (std::optional<Fault> fault = json.integers(kMask, 2, mask)) return fault;
  if (mask.size() != out.ids.size())
    return Fault{
        "range",
        cat("field \"loss_mask\" has ", mask.size(), " values for ", out.ids.size(), " tokens"),
        -1};
  out.loss.assign(mask.begin(), mask.end());
  if (!rules_.prefix_mask) return std::nullopt;
  const Result<i64> prefix = json.integer(kPrefixLength);
  if (!prefix) return prefix.fault();
  if (*prefix < 0 || *prefix > isize(out.ids))
    return Fault{"range",
                 cat("field \"prefix_len\" is ", *prefix, " for ", out.ids.size(), " tokens"), -1};
  out.prefix = *prefix;
  return std::nullopt;
}

/// The completion begins at `from`: the end token, and the mask.
std::optional<Fault> RecordParser::finish(i64 field, i64 from, Tokens& out) const {
  if (isize(out.ids) == from)
    return Fault{"empty", cat("field ", quote(json_.path(field)), " is empty, expected tokens"),
                 -1};
  if (rules_.end && out.ids.back() != *rules_.end) out.ids.push_back(*rules_.end);
  out.loss.assign(out.ids.size(), 1);
  if (!rules_.on_prompt) std::fill_n(out.loss.begin(), from, u8{0});
  if (rules_.prefix_mask) out.prefix = from;
  return std::nullopt;
}

/// Cuts or refuses what is too long, and refuses what has no target. where: begins messages.
std::optional<Fault> RecordParser::fit(const std::string& where, Tokens& out) {
  const i64 size = isize(out.ids);
  if (size > rules_.most) {
    if (!rules_.truncate)
      return Fault{"too_long", cat(where, size, " tokens, expected at most ", rules_.most), -1};
    out.ids.resize(usize(rules_.most));
    out.loss.resize(usize(rules_.most));
    out.prefix = std::min(out.prefix, rules_.most);
  }
  // The first token has none before it to be predicted from, those of a prefix are seen.
  const i64 first = std::min(std::max<i64>(out.prefix, 1), isize(out.loss));
  if (std::find(out.loss.begin() + first, out.loss.end(), 1) == out.loss.end()) {
    if (size > rules_.most)
      return Fault{"too_long",
                   cat(where, "the prompt fills all ", rules_.most, " tokens of ", size), -1};
    return Fault{"empty", cat(where, "no token to predict"), -1};
  }
  if (size > rules_.most) ++truncated_;
  return std::nullopt;
}

std::optional<Fault> RecordParser::numbers(io::JsonReader& json, ParsedRecord& out) {
  out.scalars.assign(usize(rules_.scalars()), 0.0f);
  if (rules_.form == RecordForm::kPair && !rules_.margin.empty() && json.has(kMargin)) {
    const Result<f64> margin = json.number(kMargin);
    if (!margin) return margin.fault();
    out.scalars[train::kMargin] = static_cast<f32>(*margin);
    if (!std::isfinite(out.scalars[train::kMargin]))
      return Fault{
          "range",
          cat("field ", quote(rules_.margin), " is ", *margin, ", expected a number of f32"), -1};
  }
  if (rules_.form == RecordForm::kLabelled)
    if (std::optional<Fault> fault = label(json, out.scalars[train::kLabel])) return fault;
  if (rules_.form == RecordForm::kClass)
    if (std::optional<Fault> fault = label_of(json, out.scalars[train::kLabel])) return fault;
  if (!rules_.reference) return std::nullopt;
  static_assert(i64{train::kRefChosen} == i64{train::kRefOwn});
  return reference(json, out, std::span(out.scalars).subspan(train::kRefChosen));
}

std::optional<Fault> RecordParser::label(io::JsonReader& json, f32& out) const {
  const io::JsonField& field = json.field(kLabelField);
  const std::string_view raw = field.type == io::JsonType::kMissing ? "" : json.raw(kLabelField);
  out = raw == "true" || raw == "1" ? 1.0f : 0.0f;
  if (out == 1.0f || raw == "false" || raw == "0") return std::nullopt;
  if (raw.empty())
    return Fault{"missing",
                 cat("field ", quote(rules_.label), " is missing, expected true or false"), -1};
  return Fault{"type",
               cat("field ", quote(rules_.label), " is ", raw.substr(0, 40),
                   ", expected true, false, 1 or 0"),
               field.begin};
}

/// The place of a name among the labels.
std::optional<Fault> RecordParser::label_of(io::JsonReader& json, f32& out) const {
  const Result<std::string_view> name = json.string(kLabelField);
  if (!name) return name.fault();
  const auto at = std::find(rules_.labels.begin(), rules_.labels.end(), *name);
  if (at == rules_.labels.end())
    return Fault{"range",
                 cat("field ", quote(rules_.label), " is ", quote(*name, 100), ", expected one of ",
                     join(rules_.labels, ", ")),
                 json.field(kLabelField).begin};
  out = static_cast<f32>(at - rules_.labels.begin());
  return std::nullopt;
}

/// A number for each completion, or an object with "sum" and perhaps "tokens".
std::optional<Fault> RecordParser::reference(io::JsonReader& json, const ParsedRecord& record,
                                             std::span<f32> out) const {
  const std::string& name = rules_.log_probabilities;
  const i64 count = isize(record.sequences);
  const auto wrong = [&](const char* code, std::string_view what) {
    return Fault{code, cat("field ", quote(name), what), json.field(kReference).begin};
  };
  const std::string expected =
      cat(", expected ", count, count == 1 ? " log-probability" : " log-probabilities",
          " of the reference model, as lm-decode score writes them");
  if (!json.has(kReference)) return wrong("missing", " is missing" + expected);
  const io::JsonDocument document(json.raw(kReference));
  if (!document.error().empty()) return wrong("type", " is no JSON");
  const io::JsonNode root = document.root(name);
  if (root.is_array() ? root.size() != count : count != 1)
    return wrong("range", root.is_array() ? cat(" has ", root.size(), " values", expected)
                                          : " is no list" + expected);
  for (i64 i = 0; i < count; ++i) {
    const io::JsonNode item = root.is_array() ? root.item(i) : root;
    std::optional<f64> value = item.as_number();
    if (item.is_object() && item.has("sum")) value = item.at("sum").as_number();
    if (!value || !std::isfinite(*value)) return wrong("type", " has no numbers" + expected);
    if (*value > kMostLogProbability || !std::isfinite(static_cast<f32>(*value)))
      return wrong("range",
                   cat(" has ", *value, ", expected log-probabilities, which are negative"));
    out[usize(i)] = static_cast<f32>(*value);
    if (!item.is_object() || !item.has("tokens")) continue;
    const std::vector<u8>& loss = record.sequences[usize(i)].loss;
    const i64 targets = std::count(loss.begin() + 1, loss.end(), 1);
    if (item.at("tokens").as_integer() != targets)
      return wrong("range",
                   cat(" has the log-probability of ", item.at("tokens").as_integer().value_or(-1),
                       " tokens, but field ", quote(rules_.completions[usize(i)]), " has ", targets,
                       rules_.end ? " with the end token" : ""));
  }
  return std::nullopt;
}

}  // namespace lm::train_tool
