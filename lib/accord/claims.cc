#include "accord/claims.h"

#include "core/str.h"

namespace lm::accord {

using text::Value;

namespace {

// Sums of stated and true numbers stay far below overflow.
constexpr i64 kMostStated = 999999999999999;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  const std::optional<Fault>& fault() const { return fault_; }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  /// Passes the word if it is next.
  bool take(std::string_view word) {
    if (fault_) return false;
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void expect(std::string_view word) {
    if (!fault_ && !take(word)) fail(quote(word));
  }
  i64 number() {
    if (fault_) return 0;
    skip_blanks();
    std::size_t end = at_ < text_.size() && text_[at_] == '-' ? at_ + 1 : at_;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9')
      ++end;
    const std::optional<i64> value = parse_int(text_.substr(at_, end - at_));
    if (!value || *value > kMostStated || *value < -kMostStated) {
      fail("a whole number of at most 15 digits");
      return 0;
    }
    at_ = end;
    return *value;
  }
  /// "[#,#] x #": words, and numbers for '#', which are returned in order. Blanks separate words.
  Step numbers(std::string_view pattern) {
    Step out{};
    std::size_t count = 0;
    while (!pattern.empty()) {
      const std::size_t length = pattern[0] == '#' ? 1 : pattern.find_first_of(" #");
      if (pattern[0] == '#')
        out[count++] = number();
      else if (pattern[0] != ' ')
        expect(pattern.substr(0, length));
      pattern.remove_prefix(pattern[0] == ' ' ? 1 : std::min(length, pattern.size()));
    }
    return out;
  }
  void fail(std::string_view expected) {
    if (fault_) return;
    const std::string_view rest = text_.substr(at_);
    fault_ = Fault{"form",
                   rest.empty() ? cat("ends where ", expected, " is expected")
                                : cat(quote(rest, 20), " where ", expected, " is expected"),
                   static_cast<i64>(at_)};
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Fault> fault_;
};

void scan_knapsack(Scanner& in, Claims& out) {
  in.expect("Solution:");
  out.lines.emplace_back();
  while (!in.fault() && in.take("[")) {
    const bool outer = in.take("[");
    Step step = in.numbers("# , # ] -> value : # + # = # , weight : # + # = # <= #");
    out.lines[0].steps.push_back(step);
    if (outer) in.expect("]");
    in.take(",");
  }
  const Step value = in.numbers("Total Value: #");
  const Step weight = in.numbers("Total Weight: # <= #");
  out.totals = {value[0], weight[0], weight[1]};
}

void scan_binpack(Scanner& in, Claims& out) {
  do {
    Line line;
    line.label = in.numbers("Bin # :")[0];
    do {
      line.steps.push_back(in.numbers("( # , # )"));
    } while (in.take("->"));
    line.bound = in.numbers("<= #")[0];
    out.lines.push_back(std::move(line));
  } while (!in.fault() && !in.at_end());
}

void scan_routes(Scanner& in, Claims& out) {
  do {
    in.expect("Vehicle Route:");
    Line line;
    line.steps.push_back(in.numbers("( # ) : ( # , # )"));
    while (in.take("->"))
      line.steps.push_back(in.numbers("( # ) : ( # , # ) + #"));
    out.lines.push_back(std::move(line));
  } while (!in.fault() && !in.take("Overall Total Distance:"));
  out.totals = {in.number()};
}

void scan_jssp(Scanner& in, Claims& out) {
  out.lines.emplace_back();
  do {
    out.lines[0].steps.push_back(in.numbers("J # -M # : # + # -> #"));
  } while (!in.fault() && !in.take("Makespan:"));
  out.totals = {in.number()};
}

void scan_fssp(Scanner& in, Claims& out) {
  do {
    Line line;
    line.label = in.numbers("J # :")[0];
    do {
      line.steps.push_back(in.numbers("M # ( # + # = # )"));
    } while (in.take("->"));
    out.lines.push_back(std::move(line));
  } while (!in.fault() && !in.take("Makespan:"));
  out.totals = {in.number()};
}

std::optional<Fault> scan_accord(Problem problem, std::string_view text, Claims& out) {
  Scanner in(text);
  switch (problem) {
    case Problem::kKnapsack:
      scan_knapsack(in, out);
      break;
    case Problem::kBinpack:
      scan_binpack(in, out);
      break;
    case Problem::kTsp:
    case Problem::kVrp:
      scan_routes(in, out);
      break;
    case Problem::kJssp:
      scan_jssp(in, out);
      break;
    case Problem::kFssp:
      scan_fssp(in, out);
      break;
  }
  if (!in.fault() && !in.at_end()) in.fail("the end");
  return in.fault();
}

Fault list_fault(std::string_view expected) {
  return Fault{"form", cat("expected a list of ", expected), -1};
}

/// out: the numbers of a list of whole numbers.
bool read_numbers(const Value& value, std::vector<i64>& out) {
  if (!value.is_list()) return false;
  for (const Value& one : value.list()) {
    if (!one.is_whole()) return false;
    out.push_back(one.whole());
  }
  return true;
}

/// A list of pairs: one line.
std::optional<Fault> read_pairs(const Value& root, std::string_view what, Claims& out) {
  out.lines.emplace_back();
  for (const Value& part : root.list()) {
    std::vector<i64> numbers;
    if (!read_numbers(part, numbers) || numbers.size() != 2) return list_fault(what);
    out.lines[0].steps.push_back({numbers[0], numbers[1]});
  }
  return std::nullopt;
}

std::optional<Fault> read_lists(Problem problem, std::string_view text, Claims& out) {
  const Result<Value> root = text::parse_json_value(text);
  if (!root) return Fault{"form", root.fault().detail, root.fault().offset};
  if (!root->is_list()) return list_fault("lists");
  if (problem == Problem::kKnapsack) return read_pairs(*root, "pairs of value and weight", out);
  if (problem == Problem::kJssp) return read_pairs(*root, "pairs of job and machine", out);
  const bool flat = problem == Problem::kFssp;
  const auto add = [&](const Value& part) {
    std::vector<i64> numbers;
    if (!read_numbers(part, numbers)) return false;
    Line& line = out.lines.emplace_back();
    for (const i64 number : numbers)
      line.steps.push_back({number});
    return true;
  };
  if (flat) {
    if (!add(*root)) return list_fault("jobs");
    return std::nullopt;
  }
  for (const Value& part : root->list())
    if (!add(part)) return list_fault("lists of whole numbers");
  return std::nullopt;
}

std::string_view without_title(std::string_view text) {
  constexpr std::string_view kTitle = "Solution:";
  text = trim(text);
  if (text.starts_with(kTitle)) text = trim(text.substr(kTitle.size()));
  return text;
}

}  // namespace

Result<Claims> parse_claims(Problem problem, std::string_view text, std::optional<Format> format) {
  const std::string_view body = without_title(text);
  Claims out;
  out.format = format ? *format
               : body.starts_with("[") && body.find("->") == std::string_view::npos
                   ? Format::kLists
                   : Format::kAccord;
  const std::optional<Fault> fault = out.format == Format::kLists ? read_lists(problem, body, out)
                                                                  : scan_accord(problem, text, out);
  if (fault) return *fault;
  return out;
}

}  // namespace lm::accord
