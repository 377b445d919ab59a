#include "eval/filter.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "eval/regex.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::eval {

using text::Value;

namespace {

using Answers = std::vector<std::string>;

/// Arguments of a step by name and type.
class StepArgs {
 public:
  explicit StepArgs(const FilterStep& step) : step_(step) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kConfig,
                cat(step_.where, ": the filter ", quote(step_.function), " ", what));
  }
  const FilterStep& step() const { return step_; }
  void only(std::initializer_list<const char*> known) const {
    for (const auto& [key, value] : step_.args.map()) {
      const bool found =
          std::any_of(known.begin(), known.end(),
                      [&, &wanted = key](const char* name) { return wanted == Value(name); });
      if (!found) fail(cat("has no argument ", quote(key.to_text())));
    }
  }
  const Value* find(const char* name) const { return step_.args.find(name); }
  std::string text(const char* name, const std::string& fallback) const {
    const Value* found = find(name);
    if (found == nullptr) return fallback;
    if (!found->is_string()) fail(cat("has a ", name, " that is no text"));
    return found->str();
  }
  i64 whole(const char* name, i64 fallback) const {
    const Value* found = find(name);
    if (found == nullptr) return fallback;
    if (!found->is_whole()) fail(cat("has a ", name, " that is no whole number"));
    return found->whole();
  }
  bool flag(const char* name) const {
    const Value* found = find(name);
    if (found == nullptr) return false;
    if (!found->is_bool()) fail(cat("has a ", name, " that is neither true nor false"));
    return found->flag();
  }

 private:
  const FilterStep& step_;
};

constexpr const char* kDefaultPattern = "#### (\\-?[0-9\\.\\,]+)";

/// One match of several: by number, from the end if negative; the first group that took part.
std::string selected(const std::vector<std::vector<std::string>>& matches, i64 select,
                     const std::string& fallback) {
  const i64 n = isize(matches);
  const i64 at = select < 0 ? select + n : select;
  if (at < 0 || at >= n) return fallback;
  const std::vector<std::string>& groups = matches[usize(at)];
  if (groups.size() == 1) return std::string(text::strip(groups[0]));
  for (const std::string& group : groups)
    if (!group.empty()) return std::string(text::strip(group));
  return fallback;
}

template <typename F>
class EachFilter final : public AnswerFilter {
 public:
  explicit EachFilter(F f) : f_(std::move(f)) {}
  Answers apply(Answers answers, const Value&) const override {
    for (std::string& answer : answers)
      answer = f_(answer);
    return answers;
  }

 private:
  F f_;
};

template <typename F>
class ListFilter final : public AnswerFilter {
 public:
  explicit ListFilter(F f) : f_(std::move(f)) {}
  Answers apply(Answers answers, const Value&) const override { return f_(std::move(answers)); }

 private:
  F f_;
};

using Made = std::unique_ptr<AnswerFilter>;

template <typename F>
Made each(F f) {
  return std::make_unique<EachFilter<F>>(std::move(f));
}
template <typename F>
Made listed(F f) {
  return std::make_unique<ListFilter<F>>(std::move(f));
}

Made make_regex(const StepArgs& args) {
  args.only({"regex_pattern", "group_select", "fallback"});
  return each([regex = Regex(args.text("regex_pattern", kDefaultPattern), args.step().where),
               select = args.whole("group_select", 0),
               fallback = args.text("fallback", "[invalid]")](const std::string& answer) {
    return selected(regex.find_all(answer), select, fallback);
  });
}

/// Letters of choices: by the pattern, else by a choice's text, else by ": X". The document lists
/// the texts in "choices".
class ChoiceFilter final : public AnswerFilter {
 public:
  explicit ChoiceFilter(const StepArgs& args)
      : where_(args.step().where),
        regex_(args.text("regex_pattern", kDefaultPattern), where_),
        select_(args.whole("group_select", 0)),
        fallback_(args.text("fallback", "[invalid]")),
        ignore_case_(args.flag("ignore_case")),
        ignore_punctuation_(args.flag("ignore_punctuation")) {
    args.only({"regex_pattern", "group_select", "fallback", "ignore_case", "ignore_punctuation",
               "regexes_to_ignore"});
    if (const Value* list = args.find("regexes_to_ignore")) {
      if (!list->is_list()) args.fail("has regexes_to_ignore that are no list");
      for (const Value& pattern : list->list())
        ignored_.emplace_back(pattern.to_text(), where_);
    }
  }

  Answers apply(Answers answers, const Value& doc) const override {
    const Value* choices = doc.find("choices");
    if (choices == nullptr || !choices->is_list())
      throw Error(ErrorKind::kData, cat(where_,
                                        ": multi_choice_regex needs a list \"choices\" in "
                                        "the document"));
    std::vector<std::pair<std::string, std::string>> letters;  // text, "(A)"
    std::string any_text;
    std::string any_letter;
    for (i64 i = 0; i < isize(choices->list()); ++i) {
      const std::string text =
          reduced(std::string(text::strip(choices->list()[usize(i)].to_text())));
      const char letter = static_cast<char>('A' + i);
      letters.emplace_back(text, cat("(", letter, ")"));
      append(any_text, i > 0 ? "|" : "", Regex::escape(text));
      append(any_letter, i > 0 ? "|" : "", letter);
    }
    const Regex texts(any_text, where_);
    const Regex behind(cat(":[\\s]*(", any_letter, ")"), where_);
    for (std::string& answer : answers) {
      std::string found = selected(regex_.find_all(answer), select_, "");
      if (found.empty()) {
        found = selected(texts.find_all(reduced(answer)), select_, "");
        // The last of equal texts, as a dictionary would have it.
        for (auto each = letters.rbegin(); each != letters.rend() && !found.empty(); ++each) {
          if (each->first != found) continue;
          found = each->second;
          break;
        }
      }
      if (found.empty()) {
        found = selected(behind.find_all(answer), select_, "");
        if (!found.empty()) found = cat("(", found, ")");
      }
      answer = found.empty() ? fallback_ : found;
    }
    return answers;
  }

 private:
  std::string reduced(std::string text) const {
    for (const Regex& pattern : ignored_)
      text = pattern.without(text);
    if (ignore_case_) text = text::to_lower(text);
    if (!ignore_punctuation_) return text;
    std::string out;
    for (const char32_t cp : text::to_utf32(text))
      if (!text::is_punctuation(cp)) text::append_utf8(out, cp);
    return out;
  }

  std::string where_;
  Regex regex_;
  i64 select_;
  std::string fallback_;
  bool ignore_case_;
  bool ignore_punctuation_;
  std::vector<Regex> ignored_;
};

Made make_map(const StepArgs& args) {
  args.only({"mapping_dict", "default_value"});
  const Value* mapping = args.find("mapping_dict");
  if (mapping != nullptr && !mapping->is_map()) args.fail("has a mapping_dict that is no map");
  const Value* fallback = args.find("default_value");
  return each([mapping = mapping == nullptr ? Value(text::ValueMap{}) : *mapping,
               fallback = fallback == nullptr ? Value() : *fallback](const std::string& answer) {
    const Value* found = mapping.find(answer);
    return (found == nullptr ? fallback : *found).to_text();
  });
}

/// The most frequent answer, of equally frequent ones the one that came first.
Answers majority(const Answers& answers) {
  std::size_t best = 0;
  i64 most = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const i64 votes = std::count(answers.begin(), answers.end(), answers[i]);
    if (votes <= most) continue;
    most = votes;
    best = i;
  }
  return {answers[best]};
}

Made make_step(const FilterStep& step) {
  const StepArgs args(step);
  const std::string& name = step.function;
  if (name == "regex") return make_regex(args);
  if (name == "multi_choice_regex") return std::make_unique<ChoiceFilter>(args);
  if (name == "map") return make_map(args);
  if (name == "take_first_k") {
    args.only({"k"});
    const i64 k = args.whole("k", 0);
    if (k < 1) args.fail("needs a k of at least 1");
    return listed([k](Answers answers) {
      answers.resize(std::min(answers.size(), usize(k)));
      return answers;
    });
  }
  args.only({});
  if (name == "take_first")
    return listed([](Answers answers) {
      answers.resize(1);
      return answers;
    });
  if (name == "majority_vote")
    return listed([](const Answers& answers) { return majority(answers); });
  if (name == "lowercase") return each([](const std::string& a) { return text::to_lower(a); });
  if (name == "uppercase")
    return each([](const std::string& a) {
      std::string out;
      for (const char32_t cp : text::to_utf32(a))
        text::append_utf8(out, text::simple_upper(cp));
      return out;
    });
  if (name == "remove_whitespace")
    return each([](const std::string& a) {
      const std::string_view both = text::strip(a);
      return both.empty() ? std::string()
                          : a.substr(static_cast<std::size_t>(both.data() - a.data()));
    });
  throw Error(ErrorKind::kConfig,
              cat(step.where, ": the filter ", quote(name), " is not understood"),
              "known: regex, multi_choice_regex, map, take_first, take_first_k, majority_vote, "
              "lowercase, uppercase, remove_whitespace");
}

}  // namespace

void check_filter(const FilterPipe& pipe, OutputType type, i64 repeats) {
  i64 answers = repeats;
  for (const FilterStep& step : pipe.steps) {
    make_step(step);
    const std::string& name = step.function;
    if (type != OutputType::kGenerate && name != "take_first")
      throw Error(ErrorKind::kConfig,
                  cat(step.where, ": the filter ", quote(name), " takes texts, and ",
                      output_type_name(type), " gives likelihoods"));
    if (name == "take_first" || name == "majority_vote") answers = 1;
    if (name == "take_first_k") {
      const i64 k = step.args.find("k")->whole();
      if (k > answers)
        throw Error(ErrorKind::kConfig, cat(step.where, ": take_first_k of ", k, ", and there are ",
                                            answers, " answers (\"repeats\")"));
      answers = k;
    }
  }
  if (answers > 1 && type == OutputType::kGenerate)
    throw Error(ErrorKind::kConfig,
                cat(pipe.steps.empty() ? "filter_list" : pipe.steps.back().where, ": the filter ",
                    quote(pipe.name), " leaves ", answers, " answers"),
                "end it with take_first or majority_vote");
}

FilterChain::FilterChain(const FilterPipe& pipe) {
  for (const FilterStep& step : pipe.steps)
    steps_.push_back(make_step(step));
}

std::string FilterChain::apply(std::vector<std::string> answers, const Value& doc) const {
  LM_CHECK(!answers.empty(), "a document has an answer");
  for (const std::unique_ptr<AnswerFilter>& step : steps_)
    answers = step->apply(std::move(answers), doc);
  return answers[0];
}

}  // namespace lm::eval
