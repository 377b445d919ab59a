#include "flow/problems.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "flow/reply.h"
#include "io/json.h"
#include "text/utf8.h"

namespace lm::flow {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

constexpr std::array kColours = {"red", "blue", "green", "yellow", "black", "white"};
constexpr std::array kObjects = {"lamp", "door", "box", "chair"};
constexpr std::array kOrdinals = {"first", "second", "third", "fourth", "fifth", "sixth"};

/// Draws one after the other.
class Draws {
 public:
  Draws(Problem problem, const InstanceOptions& options, u64 seed, i64 number)
      : stream_(seed, RandomPurpose::kOther,
                xxh3_64(cat("flow ", static_cast<int>(problem), " ", options.length, " ",
                            options.target, " ", options.needles, " ", number))) {}
  f64 uniform() { return stream_.uniform(at_++); }
  i64 below(i64 bound) { return static_cast<i64>(stream_.below(at_++, static_cast<u64>(bound))); }

 private:
  RandomStream stream_;
  u64 at_ = 0;
};

std::string thing(i64 index) {
  return cat(kColours[usize(index / isize(kObjects))], " ",
             kObjects[usize(index % isize(kObjects))]);
}
constexpr i64 kThings = isize(kColours) * isize(kObjects);

std::string code_of(Draws& draws, i64 digits) {
  std::string out;
  for (i64 i = 0; i < digits; ++i)
    out += static_cast<char>('0' + draws.below(10));
  return out;
}

std::string needle_sentence(const std::string& what, const std::string& code) {
  return cat("The passcode to the ", what, " is ", code, ". ");
}

std::string digit_sentence(const std::string& what, i64 place, char digit) {
  return cat("The ", kOrdinals[usize(place)], " digit of the passcode to the ", what, " is ", digit,
             ". ");
}

/// Sentences of other things, of at most `room` characters together.
std::vector<std::string> others(Problem problem, Draws& draws, i64 target, i64 room) {
  std::vector<std::string> out;
  for (;;) {
    const i64 other = (target + 1 + draws.below(kThings - 1)) % kThings;
    const std::string what = thing(other);
    std::string sentence = problem == Problem::kNeedle
                               ? needle_sentence(what, code_of(draws, 6))
                               : digit_sentence(what, draws.below(isize(kOrdinals)),
                                                static_cast<char>('0' + draws.below(10)));
    if (isize(sentence) > room) return out;
    room -= isize(sentence);
    out.push_back(std::move(sentence));
  }
}

void make_needles(Problem problem, const InstanceOptions& options, Draws& draws, Instance& out) {
  const i64 target = draws.below(kThings);
  const std::string what = thing(target);
  std::vector<std::string> own;
  std::string code;
  if (problem == Problem::kNeedle) {
    code = code_of(draws, 6);
    own = {needle_sentence(what, code)};
  } else {
    code = code_of(draws, options.needles);
    const i64 first = options.needles == 1 ? draws.below(isize(kOrdinals)) : 0;
    for (i64 i = 0; i < options.needles; ++i)
      own.push_back(digit_sentence(what, first + i, code[usize(i)]));
  }
  if (!options.target) own.clear();
  i64 room = options.length;
  for (const std::string& sentence : own)
    room -= isize(sentence);
  if (room < 0)
    throw Error(ErrorKind::kUsage,
                cat("a text of ", options.length, " characters has no room for what is asked for"),
                cat("it takes ", options.length - room));
  std::vector<std::string> sentences = others(problem, draws, target, room);
  const f64 count = static_cast<f64>(sentences.size());
  for (const std::string& sentence : own) {
    // One target stands at its depth, several anywhere.
    const f64 depth =
        problem == Problem::kNeedle
            ? options.depth_low + (options.depth_high - options.depth_low) * draws.uniform()
            : draws.uniform();
    const i64 place = std::min(isize(sentences), static_cast<i64>(depth * (count + 1)));
    sentences.insert(sentences.begin() + place, sentence);
  }
  std::string text;
  for (const std::string& sentence : sentences)
    text += sentence;
  text.resize(usize(options.length), ' ');
  out.fields = {{Value("text"), Value(std::move(text))}, {Value("question"), Value(what)}};
  if (options.target) out.answer = Value(code);
}

}  // namespace

const std::vector<std::string>& problem_names() {
  static const std::vector<std::string> kNames = {"count", "sort", "needle", "multineedle"};
  return kNames;
}

std::optional<Problem> problem_of(std::string_view name) {
  const std::vector<std::string>& names = problem_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Problem>(found - names.begin());
}

Instance make_instance(Problem problem, const InstanceOptions& options, u64 seed, i64 number) {
  Draws draws(problem, options, seed, number);
  Instance out;
  out.id =
      cat(problem_names()[static_cast<std::size_t>(problem)], "-", options.length, "-", number);
  if (problem == Problem::kCount) {
    const f64 share = 0.3 + 0.4 * draws.uniform();
    std::string text;
    i64 digits = 0;
    for (i64 i = 0; i < options.length; ++i) {
      const bool digit = draws.uniform() < share;
      digits += digit ? 1 : 0;
      text += static_cast<char>(digit ? '0' + draws.below(10) : 'a' + draws.below(26));
    }
    out.fields = {{Value("text"), Value(std::move(text))}};
    out.answer = Value(digits);
  } else if (problem == Problem::kSort) {
    ValueList numbers;
    for (i64 i = 0; i < options.length; ++i)
      numbers.emplace_back(static_cast<f64>(draws.below(101)) / 100);
    ValueList sorted = numbers;
    std::sort(sorted.begin(), sorted.end(),
              [](const Value& a, const Value& b) { return a.real() < b.real(); });
    out.fields = {{Value("numbers"), Value(std::move(numbers))}};
    out.answer = Value(std::move(sorted));
  } else {
    make_needles(problem, options, draws, out);
  }
  return out;
}

std::string instance_json(Problem problem, const InstanceOptions& options, const Instance& one) {
  std::string out =
      cat("{\"id\":", io::json_string(one.id), ",\"problem\":\"",
          problem_names()[static_cast<std::size_t>(problem)], "\",\"n\":", options.length);
  const text::JsonStyle style{.spaced = false};
  for (const auto& [key, value] : one.fields)
    append(out, ",", io::json_string(key.str()), ":", text::to_json(value, style));
  append(out, ",\"answer\":", text::to_json(one.answer, style), "}");
  return out;
}

Errors sort_errors(const std::vector<f64>& truth, const std::vector<f64>& answer) {
  const auto distance = [&](const std::vector<f64>& other, f64& largest) {
    f64 sum = 0;
    largest = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const f64 d = std::abs(truth[i] - other[i]);
      sum += d;
      largest = std::max(largest, d);
    }
    return truth.empty() ? 0 : sum / static_cast<f64>(truth.size());
  };
  std::vector<f64> fitted = answer;
  fitted.resize(truth.size(), answer.empty() ? 0 : answer.back());
  f64 fuzzy_max = 0;
  const f64 fuzzy_mean = distance(fitted, fuzzy_max);
  const bool same = truth.size() == answer.size();
  f64 drops = 0;
  for (std::size_t i = 0; i + 1 < answer.size(); ++i)
    drops += std::max(0.0, answer[i] - answer[i + 1]);
  return {{"mean_abs", same ? fuzzy_mean : 1},
          {"max_abs", same ? fuzzy_max : 1},
          {"fuzzy_mean_abs", fuzzy_mean},
          {"fuzzy_max_abs", fuzzy_max},
          {"length", std::abs(static_cast<f64>(truth.size()) - static_cast<f64>(answer.size()))},
          {"drops", drops},
          {"wrong", same && fuzzy_max == 0 ? 0.0 : 1.0}};
}

namespace {

/// The numbers of a list; nothing else is one.
std::vector<f64> numbers_of(const Value& value) {
  std::vector<f64> out;
  if (!value.is_list()) return out;
  for (const Value& item : value.list())
    if (item.is_number()) out.push_back(item.number());
  return out;
}

Errors needle_errors(const Value& truth, const Value& answer, const Value* winners) {
  const f64 wrong = truth == answer ? 0 : 1;
  if (winners == nullptr || !winners->is_list() || truth.is_none())
    return {{"error", wrong}, {"wrong", wrong}};
  const ValueList& tied = winners->list();
  const bool among = std::find(tied.begin(), tied.end(), truth) != tied.end();
  return {{"error", among ? 1 - 1 / static_cast<f64>(tied.size()) : 1}, {"wrong", wrong}};
}

Errors code_errors(const Value& truth, const Value& answer) {
  const std::string want = truth.is_none() ? "" : truth.to_text();
  const std::string have = answer.is_none() ? "" : answer.to_text();
  if (want.empty())
    return {{"wrong", have.empty() ? 0.0 : 1.0}, {"digits", have.empty() ? 0.0 : 1.0}};
  f64 wrong = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    wrong += i < have.size() && have[i] == want[i] ? 0 : 1;
  return {{"wrong", want == have ? 0.0 : 1.0}, {"digits", wrong / static_cast<f64>(want.size())}};
}

}  // namespace

Errors errors_of(Problem problem, const Value& truth, const Value& answer, const Value* winners,
                 i64 length) {
  switch (problem) {
    case Problem::kCount: {
      const f64 given = answer.is_number() ? answer.number() : 0;
      const f64 off = std::abs(given - truth.number());
      return {{"relative", off / static_cast<f64>(std::max<i64>(length, 1))},
              {"absolute", off},
              {"wrong", off == 0 ? 0.0 : 1.0}};
    }
    case Problem::kSort:
      return sort_errors(numbers_of(truth), numbers_of(answer));
    case Problem::kNeedle:
      return needle_errors(truth, answer, winners);
    case Problem::kMultiNeedle:
      return code_errors(truth, answer);
  }
  return {};
}

namespace {

PerfectReply count_reply(const Value& item) {
  PerfectReply out;
  i64 digits = 0;
  for (const char c : item.str())
    digits += c >= '0' && c <= '9' ? 1 : 0;
  out.text = cat(digits);
  out.value = Value(digits);
  out.size = text::count_code_points(item.str());
  return out;
}

PerfectReply sort_reply(const Value& item) {
  PerfectReply out;
  std::vector<f64> numbers = numbers_of(item);
  std::sort(numbers.begin(), numbers.end());
  ValueList sorted(numbers.begin(), numbers.end());
  out.value = Value(std::move(sorted));
  out.text = text::to_json(out.value);
  out.size = isize(numbers);
  return out;
}

PerfectReply needle_reply(const std::string& text, const std::string& what) {
  PerfectReply out;
  out.size = text::count_code_points(text);
  out.text = "none";
  const std::string mark = cat("The passcode to the ", what, " is ");
  const std::size_t at = text.find(mark);
  if (at == std::string::npos || at + mark.size() + 6 > text.size()) return out;
  out.needles = 1;
  out.text = text.substr(at + mark.size(), 6);
  out.value = Value(out.text);
  return out;
}

PerfectReply notes_reply(const std::string& text, const std::string& what) {
  PerfectReply out;
  out.size = text::count_code_points(text);
  for (i64 place = 0; place < isize(kOrdinals); ++place) {
    const std::string mark =
        cat("The ", kOrdinals[usize(place)], " digit of the passcode to the ", what, " is ");
    const std::size_t at = text.find(mark);
    if (at == std::string::npos || at + mark.size() + 2 > text.size()) continue;
    append(out.text, out.text.empty() ? "" : " ", text.substr(at, mark.size() + 2));
    out.which.push_back(place);
  }
  out.needles = isize(out.which);
  if (out.needles == 0) {
    out.text = "none";
  } else {
    out.value = Value(out.text);
  }
  return out;
}

PerfectReply final_reply(const std::string& notes, const std::string& what) {
  PerfectReply out;
  out.size = text::count_code_points(notes);
  for (i64 place = 0; place < isize(kOrdinals); ++place) {
    const std::string mark =
        cat("The ", kOrdinals[usize(place)], " digit of the passcode to the ", what, " is ");
    const std::size_t at = notes.find(mark);
    if (at != std::string::npos && at + mark.size() < notes.size())
      out.text += notes[at + mark.size()];
  }
  out.needles = isize(out.text);
  if (out.text.empty()) {
    out.text = "none";
  } else {
    out.value = Value(out.text);
  }
  return out;
}

}  // namespace

std::optional<PerfectReply> perfect_reply(Problem problem, const answer::Request& request) {
  const Result<Value> meta = text::parse_json_value(request.meta);
  if (!meta || !meta->is_map()) return std::nullopt;
  const auto field = [&](const char* name) { return meta->find(Value(name)); };
  const Value* const item = field("item");
  const Value* const question = field("question");
  if (problem == Problem::kCount || problem == Problem::kSort) {
    const bool count = problem == Problem::kCount;
    if (item == nullptr || (count ? !item->is_string() : !item->is_list())) return std::nullopt;
    return count ? count_reply(*item) : sort_reply(*item);
  }
  if (question == nullptr || !question->is_string()) return std::nullopt;
  if (item != nullptr && item->is_string())
    return problem == Problem::kNeedle ? needle_reply(item->str(), question->str())
                                       : notes_reply(item->str(), question->str());
  const Value* const notes = field("notes");
  if (problem != Problem::kMultiNeedle || notes == nullptr || !notes->is_string())
    return std::nullopt;
  return final_reply(notes->str(), question->str());
}

}  // namespace lm::flow
