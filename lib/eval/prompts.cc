#include "eval/prompts.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "decode/jrt.h"
#include "io/json_node.h"
#include "text/segment.h"

namespace lm::eval {

using text::Template;
using text::Value;
using text::ValueList;

namespace {

/// A part made ready: the name of a field that some document has, a template, or a value.
class Part {
 public:
  Part(const DocPart& part, const std::vector<Doc>& docs) : where_(part.where), value_(part.value) {
    if (!value_.is_string()) return;
    const std::string& text = value_.str();
    const bool marks = text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
    if (!marks && std::any_of(docs.begin(), docs.end(),
                              [&](const Doc& doc) { return doc.fields.find(value_) != nullptr; })) {
      field_ = value_;
    } else {
      template_.emplace(text, where_, text::TemplateOptions::task());
    }
  }

  bool given() const { return !value_.is_none(); }
  const std::string& where() const { return where_; }
  /// Templates give texts, fields and literals what they are.
  Value of(const Value& doc) const {
    if (template_) return template_->render(doc);
    if (field_.is_none()) return value_;
    const Value* found = doc.find(field_);
    if (found == nullptr)
      throw Error(ErrorKind::kData,
                  cat(where_, ": the document has no field ", quote(field_.str())));
    return *found;
  }
  bool rendered() const { return template_.has_value(); }
  /// Looks like a field's name, and no document has one.
  bool names_nothing() const {
    const auto word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '.' || c == '-';
    };
    return rendered() && !value_.str().empty() &&
           std::all_of(value_.str().begin(), value_.str().end(), word);
  }
  const std::string& name() const { return value_.str(); }

 private:
  std::string where_;
  Value value_;
  Value field_;
  std::optional<Template> template_;
};

bool all_digits(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Digits are an index where there are choices; a list in brackets is one.
Value interpreted(const Part& part, const Value& doc, bool choices, bool lists) {
  Value value = part.of(doc);
  if (!part.rendered()) return value;
  const std::string& text = value.str();
  if (choices && all_digits(text))
    if (const std::optional<i64> index = parse_int(text)) return *index;
  if (lists && text.size() >= 2 && text.front() == '[' && text.back() == ']')
    if (std::optional<Value> list = text::parse_python_literal(text)) return std::move(*list);
  return value;
}

std::string as_text(const Value& value, const Part& part) {
  if (value.is_string() || value.is_number()) return value.to_text();
  throw Error(ErrorKind::kData, cat(part.where(), ": gives a value of type ", value.type_name(),
                                    ", expected a text"));
}

std::vector<std::string> choices_of(const Part& part, const Value& doc) {
  Value value = part.of(doc);
  if (part.rendered()) {
    std::optional<Value> list = text::parse_python_literal(value.str());
    if (!list)
      throw Error(ErrorKind::kData,
                  cat(part.where(), ": gives ", quote(value.str()), ", expected a list"));
    value = std::move(*list);
  }
  if (value.is_map()) {
    ValueList values;
    for (const auto& [key, each] : value.map())
      values.push_back(each);
    value = std::move(values);
  }
  if (value.is_list() && value.list().empty())
    throw Error(ErrorKind::kData,
                cat(part.where(), ": gives an empty list, expected at least one choice"));
  if (!value.is_list())
    throw Error(ErrorKind::kData, cat(part.where(), ": gives a value of type ", value.type_name(),
                                      ", expected a list of choices"));
  std::vector<std::string> out;
  for (const Value& each : value.list())
    out.push_back(as_text(each, part));
  return out;
}

/// What an answer must be; nothing where a field says null.
std::optional<decode::Language> form_of(decode::Language::Kind kind, const Part& part,
                                        const Value& doc) {
  // A pattern may be a word; lists of choices, schemas and grammars are none.
  if (kind != decode::Language::Kind::kRegex && part.names_nothing())
    throw Error(ErrorKind::kData,
                cat(part.where(), ": no document has a field ", quote(part.name())),
                "the value is a field's name, a template, or stands there itself");
  const Value value = part.of(doc);
  if (value.is_none()) return std::nullopt;
  if (kind == decode::Language::Kind::kChoices)
    return decode::Language{kind, io::Json(choices_of(part, doc)).dump()};
  if (kind == decode::Language::Kind::kSchema && !value.is_string())
    return decode::Language{kind, text::to_json(value)};
  return decode::Language{kind, as_text(value, part)};
}

const std::string& choice_at(const std::vector<std::string>& choices, const Value& index,
                             const Part& part) {
  const std::optional<i64> at = index.as_whole();
  if (!at || *at < 0 || *at >= isize(choices))
    throw Error(ErrorKind::kData, cat(part.where(), ": gives ", index.repr(), ", and there are ",
                                      choices.size(), " choices"));
  return choices[usize(*at)];
}

/// Between two texts, unless blanks stand there already.
bool needs_blank(std::string_view before, std::string_view behind) {
  const bool ends =
      !before.empty() && text::strip(before).size() > 0 &&
      text::strip(before).data() + text::strip(before).size() != before.data() + before.size();
  const bool begins = !behind.empty() && text::py_space_size(behind, 0) > 0;
  return !ends && !begins;
}

}  // namespace

namespace {

/// doc_to_reading made ready.
class Reading {
 public:
  Reading(const ReadingSpec& spec, const std::vector<Doc>& docs)
      : context_(spec.context, docs),
        question_(spec.question, docs),
        kind_(spec.kind, docs),
        intro_(spec.intro, docs),
        cloze_(spec.cloze, docs),
        prompt_(spec.order, spec.separator) {}

  Value of(const Value& doc) const {
    decode::JrtInput input;
    input.context = as_text(context_.of(doc), context_);
    input.question = as_text(question_.of(doc), question_);
    input.kind = text_of(kind_, doc).value_or("");
    input.intro = text_of(intro_, doc);
    input.cloze = text_of(cloze_, doc);
    Result<std::string> text = prompt_.render(input);
    if (!text)
      throw Error(ErrorKind::kData,
                  cat(context_.where(), ": doc_to_reading: ", text.fault().detail));
    return std::move(*text);
  }

 private:
  /// Nothing where the part is not given or a field says null.
  static std::optional<std::string> text_of(const Part& part, const Value& doc) {
    const Value value = part.given() ? part.of(doc) : Value();
    if (value.is_none()) return std::nullopt;
    return as_text(value, part);
  }

  Part context_, question_, kind_, intro_, cloze_;
  decode::JrtPrompt prompt_;
};

}  // namespace

struct Prompts::Parts {
  Part text, target, choice, description, gen_prefix, constraint;
  Part shot_text, shot_target, shot_choice;
  std::optional<Reading> reading, shot_reading;  // instead of text and shot_text

  /// What a document asks, its answer's choices or not.
  Value question(const Value& doc) const {
    return reading ? reading->of(doc) : interpreted(text, doc, choice.given(), false);
  }
  Value shot_question(const Value& shot) const {
    return shot_reading ? shot_reading->of(shot)
                        : interpreted(shot_text, shot, shot_choice.given(), false);
  }
};

Prompts::Prompts(const TaskSpec& task, const std::vector<Doc>& docs, const std::vector<Doc>& shots,
                 bool same_split, u64 seed, bool unconditional)
    : task_(task),
      docs_(docs),
      shots_(shots),
      same_split_(same_split),
      seed_(seed),
      unconditional_(unconditional) {
  const auto or_else = [](const DocPart& own, const DocPart& other) -> const DocPart& {
    return own.given() ? own : other;
  };
  parts_ = std::make_unique<const Parts>(
      Parts{Part(task.text, docs), Part(task.target, docs), Part(task.choice, docs),
            Part(task.description, docs), Part(task.gen_prefix, docs),
            Part(task.constraint.value, docs), Part(or_else(task.fewshot.text, task.text), shots),
            Part(or_else(task.fewshot.target, task.target), shots),
            Part(or_else(task.fewshot.choice, task.choice), shots),
            task.reading.given() ? std::optional<Reading>(std::in_place, task.reading, docs)
                                 : std::nullopt,
            task.reading.given() && !task.fewshot.text.given()
                ? std::optional<Reading>(std::in_place, task.reading, shots)
                : std::nullopt});
  if (!docs.empty() && task.text.given() && task.choice.given())
    several_inputs_ = interpreted(parts_->text, docs[0].fields, true, false).is_whole();
  const i64 left = isize(shots) - (same_split ? 1 : 0);
  if (task.num_fewshot > left)
    throw Error(ErrorKind::kConfig, cat(task.where, ": num_fewshot is ", task.num_fewshot, ", and ",
                                        std::max<i64>(0, left), " examples are there"));
}

Prompts::~Prompts() = default;

std::vector<i64> Prompts::examples(i64 doc) const {
  std::vector<i64> out;
  const i64 n = isize(shots_);
  if (task_.num_fewshot == 0) return out;
  const Value& own = docs_[usize(doc)].fields;
  const auto usable = [&](i64 i) { return !same_split_ || !(shots_[usize(i)].fields == own); };
  if (task_.fewshot.sampler == "first_n") {
    for (i64 i = 0; i < n && isize(out) < task_.num_fewshot; ++i)
      if (usable(i)) out.push_back(i);
  } else {
    // A partial Fisher-Yates shuffle whose untouched places hold their own number.
    const RandomStream random(seed_, RandomPurpose::kSampling,
                              mix64(xxh3_64(task_.name) + static_cast<u64>(doc)));
    std::vector<std::pair<i64, i64>> moved;
    const auto at = [&](i64 i) {
      for (const auto& [place, number] : moved)
        if (place == i) return number;
      return i;
    };
    for (i64 i = 0; i < n && isize(out) < task_.num_fewshot; ++i) {
      const i64 j =
          i + static_cast<i64>(random.below(static_cast<u64>(i), static_cast<u64>(n - i)));
      const i64 taken = at(j);
      moved.insert(moved.begin(), {j, at(i)});
      if (usable(taken)) out.push_back(taken);
    }
  }
  if (isize(out) < task_.num_fewshot)
    throw Error(ErrorKind::kConfig,
                cat(task_.where, ": num_fewshot is ", task_.num_fewshot, ", and ", out.size(),
                    " examples differ from document ", doc));
  return out;
}

/// Description and examples.
std::string Prompts::context(i64 doc) const {
  std::string out;
  const Parts& parts = *parts_;
  if (parts.description.given())
    out = as_text(parts.description.of(docs_[usize(doc)].fields), parts.description);
  const std::string& delimiter = task_.fewshot.delimiter.value_or(task_.fewshot_delimiter);
  const std::string& between = task_.fewshot.target_delimiter.value_or(task_.target_delimiter);
  for (const i64 i : examples(doc)) {
    const Value& shot = shots_[usize(i)].fields;
    const bool choices = parts.shot_choice.given();
    const Value question = parts.shot_question(shot);
    const Value answer = interpreted(parts.shot_target, shot, choices, true);
    const std::vector<std::string> listed =
        choices ? choices_of(parts.shot_choice, shot) : std::vector<std::string>();
    out += several_inputs_ && question.is_whole() ? choice_at(listed, question, parts.shot_choice)
                                                  : as_text(question, parts.shot_text);
    const bool empty = answer.is_string() && answer.str().empty();
    if (empty) continue;
    std::string shown;
    if (answer.is_list()) {
      if (!answer.list().empty()) shown = as_text(answer.list()[0], parts.shot_target);
    } else if (answer.is_whole() && choices && !several_inputs_) {
      shown = choice_at(listed, answer, parts.shot_choice);
    } else {
      shown = as_text(answer, parts.shot_target);
    }
    out += between;
    if (parts.gen_prefix.given()) {
      const std::string prefix = as_text(parts.gen_prefix.of(shot), parts.gen_prefix);
      append(out, prefix, needs_blank(prefix, shown) ? " " : "");
    }
    append(out, shown, delimiter);
  }
  return out;
}

DocRequests Prompts::requests(i64 doc) const {
  const Parts& parts = *parts_;
  const Value& fields = docs_[usize(doc)].fields;
  const bool has_choices = parts.choice.given();
  DocRequests out;
  try {
    if (has_choices) out.choices = choices_of(parts.choice, fields);
    const Value target = interpreted(parts.target, fields, has_choices, true);
    out.target = target;
    if (task_.output_type == OutputType::kRolling) {
      out.likelihoods.push_back({"", as_text(target, parts.target), true});
      return out;
    }
    const Value question = parts.question(fields);
    std::string context = this->context(doc);
    std::string prefix;
    if (parts.gen_prefix.given()) {
      prefix = as_text(parts.gen_prefix.of(fields), parts.gen_prefix);
      const std::string asked = several_inputs_ ? "" : as_text(question, parts.text);
      if (needs_blank(asked, prefix)) prefix = task_.target_delimiter + prefix;
    }
    const auto ask = [&](const std::string& text, const std::string& continuation) {
      out.likelihoods.push_back(
          {context + text + prefix, continuation, false, task_.reading.given()});
    };
    switch (task_.output_type) {
      case OutputType::kLoglikelihood:
        ask(as_text(question, parts.text), as_text(target, parts.target));
        break;
      case OutputType::kGenerate:
        out.prompt = context + as_text(question, parts.text) + prefix;
        if (parts.constraint.given())
          out.form = form_of(task_.constraint.kind, parts.constraint, fields);
        break;
      case OutputType::kMultipleChoice:
        if (several_inputs_) {  // the choices are contexts of one continuation
          for (const std::string& choice : out.choices)
            ask(choice, task_.target_delimiter + as_text(target, parts.target));
          out.target = question;
        } else {
          const std::string text = as_text(question, parts.text);
          for (const std::string& choice : out.choices)
            ask(text, task_.target_delimiter + choice);
        }
        if (unconditional_)
          for (const std::string& choice : out.choices)
            out.likelihoods.push_back({"", task_.target_delimiter + choice});
        break;
      case OutputType::kRolling:
        break;
    }
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    const std::string place = docs_[usize(doc)].place();
    throw Error(ErrorKind::kData,
                cat(e.message(), " (document ", doc, place.empty() ? "" : ", ", place, ")"),
                e.hint());
  }
  return out;
}

}  // namespace lm::eval
