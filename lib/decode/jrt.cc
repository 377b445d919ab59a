#include "decode/jrt.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/str.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::decode {

namespace {

enum class Form : u8 { kPlain, kAttribute, kAnswer, kCloze };

struct Kind {
  const char* name;
  Form form;
  const char* ends_at = nullptr;  // the document ends where this begins
  bool markers = false;           // the document may have TriviaQA's markers
  bool colons = true;             // a question before the document loses its colons
};
constexpr Kind kKinds[] = {
    {"", Form::kPlain},
    {"plain", Form::kPlain},
    {"attribute", Form::kAttribute},
    {"fda", Form::kAttribute},
    {"swde", Form::kAttribute, "Summary of information above..."},
    {"answer", Form::kAnswer},
    {"nq", Form::kAnswer},
    {"triviaqa", Form::kAnswer, nullptr, true, false},
    {"drop", Form::kAnswer},
    {"cloze", Form::kCloze, "Question:"},
    {"squad", Form::kCloze, "Question:"},
};

Result<Kind> kind_of(const JrtInput& input) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kind& kind) { return input.kind == kind.name; });
  if (found == std::end(kKinds)) {
    std::string names;
    for (const Kind& kind : kKinds)
      if (kind.name[0] != '\0') append(names, names.empty() ? "" : ", ", kind.name);
    return Fault{"jrt", cat("kind ", quote(input.kind), " is not known; expected ", names), -1};
  }
  if (found->form == Form::kCloze && !input.cloze)
    return Fault{"jrt", cat("a record of kind ", input.kind, " needs the text in \"cloze\""), -1};
  if (found->form == Form::kAttribute && text::strip(input.question).empty())
    return Fault{"jrt", "the attribute asked for is empty", -1};
  return *found;
}

std::string_view without(std::string_view text, char c) {
  while (text.starts_with(c))
    text.remove_prefix(1);
  while (text.ends_with(c))
    text.remove_suffix(1);
  return text;
}

/// text without what it ends with, as often as it does, in large or small letters.
std::string_view without_end(std::string_view text, std::string_view end) {
  const std::string wanted = text::to_lower(end);
  const i64 length = text::count_code_points(end);
  if (length == 0) return text;
  for (;;) {
    std::size_t at = text.size();
    for (i64 i = 0; i < length && at > 0; ++i)
      do {
        --at;
      } while (at > 0 && (static_cast<u8>(text[at]) & 0xC0) == 0x80);
    if (text::to_lower(text.substr(at)) != wanted) return text;
    text = text.substr(0, at);
  }
}

std::string_view pointless(std::string_view text) {
  return text::strip(without(text::strip(text), '.'));
}

std::string capitalised(std::string_view key) {
  std::string out;
  const char* at = key.data();
  append_utf8(out, text::simple_upper(text::next_valid(at)));
  return out + std::string(key.substr(static_cast<std::size_t>(at - key.data())));
}

void erase_all(std::string& text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
}

/// The texts that stand in a prompt.
struct Parts {
  std::string document;
  std::string intro;                // before a document
  std::string question;             // behind one
  std::optional<std::string> both;  // a document and a question behind it, where they are one text
};

Parts parts_of(const JrtInput& input, const Kind& kind, std::string_view document) {
  Parts out;
  const std::string question(kind.form == Form::kPlain ? std::string_view(input.question)
                                                       : text::strip(input.question));
  const std::string intro = input.intro.value_or(question);
  switch (kind.form) {
    case Form::kPlain:
      return {std::string(document), intro, question, std::nullopt};
    case Form::kAttribute: {
      const std::string key = capitalised(question);
      out.intro = input.intro.value_or(cat("Information about ", without(key, ':'), "."));
      out.question = key + ":";
      break;
    }
    case Form::kAnswer:
      out.intro = kind.colons ? std::string(without(intro, ':')) : intro;
      out.question = question;
      break;
    case Form::kCloze:
      return {std::string(document), input.intro.value_or(input.question), question,
              std::string(text::strip(*input.cloze))};
  }
  out.document = cat(pointless(document), ".");
  return out;
}

}  // namespace

JrtPrompt::JrtPrompt(std::string order, std::string separator)
    : order_(std::move(order)), separator_(std::move(separator)) {
  if (order_.empty() || order_.size() > 64 || order_.find_first_not_of("CQ") != std::string::npos)
    throw Error(ErrorKind::kUsage, cat(quote(order_), " is no order of C and Q"));
}

JrtPrompt::JrtPrompt(std::string_view source, std::string name, std::string separator, i64 times)
    : separator_(std::move(separator)),
      times_(times),
      template_(std::in_place, source, std::move(name), text::TemplateOptions::task()) {}

Result<std::string> JrtPrompt::document(const JrtInput& input) {
  const Result<Kind> kind = kind_of(input);
  if (!kind) return kind.fault();
  if (kind->form == Form::kPlain) return input.context;
  std::string text = input.context;
  if (kind->ends_at != nullptr) text.resize(std::min(text.size(), text.find(kind->ends_at)));
  if (kind->form == Form::kCloze) return text;
  if (kind->markers)
    for (const char* const marker : {"[PAR]", "[DOC]", "[TLE]"})
      erase_all(text, marker);
  const std::string question =
      cat(text::strip(input.question), kind->form == Form::kAttribute ? ":" : "");
  return std::string(pointless(without_end(text::strip(text), question)));
}

Result<std::string> JrtPrompt::render(const JrtInput& input, i64 keep) const {
  const Result<std::string> document = JrtPrompt::document(input);
  if (!document) return document.fault();
  const Result<Kind> kind = kind_of(input);
  const std::string_view kept =
      std::string_view(*document).substr(0, keep < 0 ? std::string::npos : usize(keep));
  const Parts parts = parts_of(input, *kind, kept);
  if (template_) {
    text::ValueMap vars = {{"context", parts.document},
                           {"question", parts.question},
                           {"intro", parts.intro},
                           {"kind", input.kind},
                           {"separator", separator_},
                           {"times", times_},
                           {"cloze", parts.both ? text::Value(*parts.both) : text::Value()}};
    try {
      return template_->render(text::Value(std::move(vars)));
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      return Fault{"template", e.message(), -1};
    }
  }
  std::string out;
  bool leads = false;  // the question just written belongs to the document behind it
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const char next = i + 1 < order_.size() ? order_[i + 1] : '\0';
    const bool closes = order_[i] == 'Q' && i > 0 && order_[i - 1] == 'C';
    if (i > 0) out += leads || closes ? " " : separator_;
    leads = order_[i] == 'Q' && !closes && next == 'C';
    if (order_[i] == 'Q') {
      out += leads ? parts.intro : parts.question;
    } else if (parts.both && next == 'Q') {
      out += *parts.both;
      ++i;
    } else {
      out += parts.document;
    }
  }
  return out;
}

std::string jrt_order(std::string_view mode, i64 times) {
  const bool repeats = mode == "repeat" || mode == "both";
  const bool question = mode == "question" || mode == "both";
  return cat(question ? "Q" : "", std::string(usize(repeats ? times : 1), 'C'), "Q");
}

}  // namespace lm::decode
