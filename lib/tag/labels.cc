#include "tag/labels.h"

#include <map>

#include "classify/model_file.h"
#include "core/error.h"
#include "core/str.h"
#include "tag/catalogue.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

bool separates_lines(char32_t cp) {
  return (cp >= 0x0A && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x1E) || cp == 0x85 || cp == 0x2028 ||
         cp == 0x2029;
}

std::string_view blanked(std::string_view text, bool (*is_blank)(char32_t), std::string& scratch) {
  scratch.clear();
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const char* const begin = p;
    if (is_blank(text::next_valid(p))) {
      scratch += ' ';
    } else {
      scratch.append(begin, p);
    }
  }
  return scratch;
}

}  // namespace

Model read_model(const std::string& path, TagFiles& files) {
  return files.read<classify::Classifier>(
      path, [](const std::string& name) { return classify::Classifier(name); });
}

void check_types(const std::vector<TagType>& types, const std::string& path) {
  std::map<std::string, const std::string*> keys;
  for (const TagType& type : types) {
    const auto [at, fresh] = keys.emplace(key_part(type.name), &type.name);
    if (!fresh)
      throw Error(ErrorKind::kData, cat(path, ": the labels ", quote(*at->second), " and ",
                                        quote(type.name), " make one attribute, ", at->first));
  }
}

std::vector<TagType> label_types(const classify::Classifier& model, bool named,
                                 const std::string& meaning, const std::string& path) {
  std::vector<TagType> types;
  for (const std::string& label : model.labels())
    types.push_back({std::string(named ? classify::label_name(label) : label), meaning});
  check_types(types, path);
  return types;
}

i64 needed_label(const classify::Classifier& model, std::string_view name,
                 const std::string& path) {
  const i64 number = model.label_number(cat(classify::kLabelPrefix, name));
  if (number >= 0) return number;
  std::vector<std::string> names;
  for (const std::string& label : model.labels()) {
    if (names.size() == 5) break;
    names.emplace_back(classify::label_name(label));
  }
  throw Error(ErrorKind::kData, cat(path, ": the model has no label ", quote(name)),
              cat("it has ", isize(model.labels()), ": ", join(names, ", "),
                  isize(model.labels()) > isize(names) ? ", ..." : ""));
}

std::string_view as_line(std::string_view text, LineForm form, std::string& scratch) {
  if (form != LineForm::kWords) text = text::strip(text);
  switch (form) {
    case LineForm::kLower:
      scratch = text::to_lower(text);
      return scratch;
    case LineForm::kLines:
      return blanked(text, separates_lines, scratch);
    case LineForm::kWords:
      return blanked(text, text::is_white_space, scratch);
    case LineForm::kStripped:
      break;
  }
  return text;
}

}  // namespace lm::tag
