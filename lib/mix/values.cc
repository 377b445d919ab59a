#include "mix/values.h"

#include "core/str.h"
#include "text/utf8.h"

namespace lm::mix {

using io::JsonType;

Values::Values(const Names& names)
    : names_(&names), known_(names.paths().size()), parsed_(names.attributes().size()) {
  if (names.selectors().size() > 0) selection_.emplace(names.selectors());
}

void Values::open(io::JsonReader& json) {
  json_ = &json;
  for (Known& one : known_)
    one.known = false;
  for (Parsed& one : parsed_)
    one.good = false;
  if (selection_) selection_->open(json.line());
  length_ = -1;
  fault.reset();
  met_none = false;
}

Value Values::field(i64 field) {
  Known& one = known_[usize(field)];
  // What is wrong is said whenever it is asked for.
  if (!one.known || one.value.type == Value::Type::kFault) one = {true, read(field)};
  return one.value;
}

Value Values::read(i64 field) {
  switch (json_->field(field).type) {
    case JsonType::kMissing:
    case JsonType::kNull:
      return {};
    case JsonType::kBool:
      return Value::of(json_->raw(field) == "true");
    case JsonType::kNumber: {
      const Result<f64> number = json_->number(field);
      if (number) return Value::of(*number);
      fault = number.fault();
      break;
    }
    case JsonType::kString: {
      const Result<std::string_view> text = json_->string(field);
      if (text) return Value::of(*text);
      fault = text.fault();
      break;
    }
    default:
      return {Value::Type::kOther, false, 0, io::json_type_name(json_->field(field).type)};
  }
  return Value::bad();
}

bool Values::has(i64 attribute) const {
  const i64 field = names_->field_of(attribute);
  if (!json_->has(field)) return false;
  if (json_->field(field).type != JsonType::kArray) return true;
  std::string_view inside = json_->raw(field);
  inside = inside.substr(1, inside.size() - 2);
  return inside.find_first_not_of(" \t\r") != std::string_view::npos;
}

const std::vector<text::ScoredSpan>* Values::spans(i64 attribute) {
  Parsed& one = parsed_[usize(attribute)];
  if (one.good) return &one.spans;
  one.spans.clear();
  const i64 field = names_->field_of(attribute);
  const auto refuse = [&](Fault why) {
    why.detail = cat("attribute ", quote(names_->attributes()[usize(attribute)]), ": ", why.detail);
    fault = std::move(why);
    return nullptr;
  };
  if (json_->field(field).type == JsonType::kNumber) {
    const Result<f64> number = json_->number(field);
    if (!number) return refuse(number.fault());
    const i64 length = text_length();
    if (length < 0) return nullptr;
    one.spans.push_back({0, length, *number});
  } else if (json_->field(field).type != JsonType::kMissing) {
    if (std::optional<Fault> why = text::read_spans(json_->raw(field), one.spans))
      return refuse(std::move(*why));
  }
  one.good = true;
  return &one.spans;
}

i64 Values::text_length() {
  if (length_ >= 0) return length_;
  const Value text = field(Names::kText);
  if (text.type != Value::Type::kString) {
    if (text.type != Value::Type::kFault) fault = json_->string(Names::kText).fault();
    return -1;
  }
  length_ = text::count_code_points(text.text);
  return length_;
}

}  // namespace lm::mix
