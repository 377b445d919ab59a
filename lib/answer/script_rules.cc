#include "answer/script_rules.h"

#include <algorithm>
#include <set>

#include "core/str.h"

namespace lm::answer {

namespace {

using io::JsonNode;

constexpr i64 kMany = 1'000'000'000;

/// One of a field's words; the first if it is absent.
template <typename Value>
Value choice(const JsonNode& node, std::string_view key,
             std::initializer_list<std::pair<std::string_view, Value>> words) {
  const std::string given = node.text_or(key, words.begin()->first);
  std::string names;
  for (const auto& [name, value] : words) {
    if (given == name) return value;
    append(names, names.empty() ? "" : ", ", name);
  }
  node.fail(key, cat("one of ", names));
}

std::optional<std::string> maybe_text(const JsonNode& node, std::string_view key) {
  if (!node.has(key)) return std::nullopt;
  return node.text(key);
}

/// A path into meta or into an input; empty: all of it.
std::string path_text(const JsonNode& value, std::string_view text) {
  if (text.empty()) return {};
  for (const std::string_view part : split(text, '.'))
    if (part.empty())
      value.fail(cat(quote(text), " is no path: names and numbers of items joined by dots"));
  return std::string(text);
}

std::optional<std::string> maybe_path(const JsonNode& node, std::string_view key) {
  const std::optional<std::string> text = maybe_text(node, key);
  if (!text) return std::nullopt;
  return path_text(node.at(key), *text);
}

std::string sha256_text(const JsonNode& value) {
  const std::string out = ascii_lower(value.str());
  if (out.size() != 64 || out.find_first_not_of("0123456789abcdef") != std::string::npos)
    value.fail(cat(quote(out), " is no SHA-256, which has 64 hexadecimal digits"));
  return out;
}

class RuleReader {
 public:
  RuleReader(const JsonNode& root, const io::Json& values, ScriptRule& out)
      : root_(root), values_(values), out_(out) {}

  void read() {
    root_.only({"when",  "times",  "reply",     "replies", "by",      "scores", "fn",
                "input", "needle", "separator", "absent",  "path",    "prefix", "suffix",
                "noise", "error",  "finish",    "tokens",  "logprob", "raw",    "delay_ms"});
    read_when(root_.object("when"));
    i64 answers = 0;
    for (const char* const key : {"reply", "replies", "scores", "fn", "error"})
      answers += root_.has(key) ? 1 : 0;
    if (answers != 1) root_.fail("a rule has one of reply, replies, scores, fn and error");
    only_with("by", {"replies"});
    for (const char* const key :
         {"input", "needle", "separator", "absent", "path", "prefix", "suffix", "noise"})
      only_with(key, {"fn"});
    for (const char* const key : {"finish", "tokens", "logprob", "raw"})
      only_with(key, {"reply", "replies", "fn"});
    out_.times = root_.integer_or("times", -1, 1, kMany);
    out_.finish = root_.text_or("finish", "stop");
    out_.tokens = root_.integer_or("tokens", -1, 0, kMany);
    out_.logprob = root_.number_or("logprob", 0, -1e300, 0);
    out_.raw = root_.flag_or("raw", false);
    out_.delay_ms = root_.integer_or("delay_ms", 0, 0, kMany);
    read_answer();
  }

 private:
  void only_with(std::string_view key, std::initializer_list<std::string_view> owners) const {
    if (!root_.has(key)) return;
    std::string names;
    for (const std::string_view owner : owners) {
      if (root_.has(owner)) return;
      append(names, names.empty() ? "" : " or ", owner);
    }
    root_.fail(cat("key ", quote(key), " goes with ", names));
  }

  void read_when(const JsonNode& when) {
    std::set<std::string_view> seen;
    when.each_field([&](std::string_view key, const JsonNode& value) {
      if (!seen.insert(key).second) when.fail(cat("has ", quote(key), " twice"));
      if (key == "meta") {
        out_.meta.emplace_back("", values_.at("when").at("meta"));
      } else if (key.starts_with("meta.") && key.size() > 5) {
        out_.meta.emplace_back(path_text(value, key.substr(5)),
                               values_.at("when").at(std::string(key)));
      } else if (key == "prompt_re") {
        try {
          out_.prompt_re.emplace(value.str());
        } catch (const Error& e) {
          value.fail(e.message());
        }
      } else if (key == "prompt_sha256") {
        out_.prompt_sha256 = sha256_text(value);
      } else {
        text_condition(when, key) = value.str();
      }
    });
  }

  std::optional<std::string>& text_condition(const JsonNode& when, std::string_view key) {
    if (key == "id") return out_.id;
    if (key == "id_prefix") return out_.id_prefix;
    if (key == "prompt") return out_.prompt;
    if (key == "role") return out_.role;
    when.fail(cat("has ", quote(key),
                  ", expected id, id_prefix, prompt, prompt_re, prompt_sha256, role, meta or "
                  "meta.PATH"));
  }

  void read_answer() {
    if (root_.has("reply")) {
      out_.replies = {root_.text("reply")};
    } else if (root_.has("replies")) {
      root_.array("replies").each_item(
          [&](const JsonNode& item) { out_.replies.emplace_back(item.str()); });
      if (out_.replies.empty()) root_.fail("replies", "at least one text");
      using By = ScriptRule::By;
      out_.by = choice<By>(
          root_, "by", {{"sample", By::kSample}, {"attempt", By::kAttempt}, {"hash", By::kHash}});
    } else if (root_.has("scores")) {
      out_.answer = ScriptRule::Answer::kScores;
      root_.object("scores").each_field([&](std::string_view key, const JsonNode& value) {
        out_.scores.emplace_back(key, value.number());
      });
    } else if (root_.has("error")) {
      out_.answer = ScriptRule::Answer::kError;
      const JsonNode error = root_.object("error");
      error.only({"code", "message"});
      out_.error = {error.text("code"), error.text_or("message", ""), -1};
      if (out_.error.code.empty()) error.fail("code", "a text that is not empty");
    } else {
      out_.answer = ScriptRule::Answer::kOracle;
      read_oracle();
    }
  }

  void read_oracle() {
    using Kind = Oracle::Kind;
    Oracle& oracle = out_.oracle;
    oracle.kind = choice<Kind>(root_, "fn",
                               {{"count_digits", Kind::kCountDigits},
                                {"sort_numbers", Kind::kSortNumbers},
                                {"find_needle", Kind::kFindNeedle},
                                {"echo", Kind::kEcho},
                                {"jsonpath", Kind::kJsonPath}});
    const auto of = [&](std::string_view key, Kind kind, std::string_view name) {
      const bool needed = key == "needle" || key == "path";
      if (needed && oracle.kind == kind && !root_.has(key))
        root_.fail(cat("fn ", name, " needs key ", quote(key)));
      if (root_.has(key) && oracle.kind != kind)
        root_.fail(cat("key ", quote(key), " goes with fn ", name));
    };
    of("needle", Kind::kFindNeedle, "find_needle");
    of("absent", Kind::kFindNeedle, "find_needle");
    of("separator", Kind::kSortNumbers, "sort_numbers");
    of("path", Kind::kJsonPath, "jsonpath");
    oracle.separator = root_.text_or("separator", oracle.separator);
    oracle.absent = root_.text_or("absent", oracle.absent);
    oracle.path = maybe_path(root_, "path").value_or("");
    oracle.prefix = root_.text_or("prefix", "");
    oracle.suffix = root_.text_or("suffix", "");
    if (const std::optional<JsonNode> needle = root_.maybe("needle")) {
      if (const std::optional<std::string_view> text = needle->as_string()) {
        out_.needle = *text;
      } else {
        needle->only({"meta"});
        out_.needle_meta = maybe_path(*needle, "meta");
        if (!out_.needle_meta) needle->fail("meta", "a path");
      }
    }
    if (const std::optional<JsonNode> input = root_.maybe("input")) {
      input->only({"meta", "after", "before"});
      out_.input_meta = maybe_path(*input, "meta");
      out_.input_after = maybe_text(*input, "after");
      out_.input_before = maybe_text(*input, "before");
      if (out_.input_meta.has_value() == (out_.input_after || out_.input_before))
        input->fail("expected meta, or after or before or both");
    }
    if (const std::optional<JsonNode> noise = root_.maybe("noise")) read_noise(*noise);
  }

  void read_noise(const JsonNode& node) {
    using Kind = Noise::Kind;
    Noise& noise = out_.oracle.noise;
    node.only({"kind", "rate", "rate_per_char", "rate_power", "false_rate", "decimals", "digits",
               "wrong"});
    if (!node.has("kind")) node.fail("kind", "a kind of noise");
    noise.kind = choice<Kind>(node, "kind",
                              {{"binomial_miss", Kind::kBinomialMiss},
                               {"drop", Kind::kDrop},
                               {"swap", Kind::kSwap},
                               {"jitter", Kind::kJitter},
                               {"needle", Kind::kNeedle},
                               {"wrong", Kind::kWrong}});
    if (!fits(out_.oracle.kind, noise.kind))
      node.fail(cat("noise ", quote(node.text("kind")), " is not for fn ", root_.text("fn")));
    const auto of = [&](std::string_view key, std::initializer_list<Kind> kinds) {
      if (node.has(key) && std::find(kinds.begin(), kinds.end(), noise.kind) == kinds.end())
        node.fail(cat("key ", quote(key), " is not for this kind of noise"));
    };
    of("false_rate", {Kind::kBinomialMiss, Kind::kNeedle});
    of("decimals", {Kind::kJitter});
    of("digits", {Kind::kNeedle});
    of("wrong", {Kind::kWrong});
    noise.rate = node.number_or("rate", 0, 0, 1e12);
    noise.rate_per_char = node.number_or("rate_per_char", 0, 0, 1e12);
    noise.rate_power = node.number_or("rate_power", 1, 0, 16);
    noise.false_rate = node.number_or("false_rate", 0, 0, 1);
    noise.decimals = node.integer_or("decimals", 2, 0, 12);
    noise.digits = node.integer_or("digits", 6, 1, 18);
    noise.wrong = node.text_or("wrong", "");
  }

  const JsonNode& root_;
  const io::Json& values_;
  ScriptRule& out_;
};

}  // namespace

std::vector<ScriptRule> parse_script(std::string_view text, const std::string& file,
                                     MemoryHold* memory) {
  // A rule keeps its line, and of that its texts once more; what is parsed to read it is let go.
  constexpr i64 kRuleBytes = static_cast<i64>(2 * sizeof(ScriptRule)) + 256;
  constexpr i64 kKept = 2;
  constexpr i64 kParsed = 8;
  // At once, so that a refusal says what the whole table needs.
  if (memory != nullptr) memory->add(kKept * isize(text), cat("the rules of ", file));
  std::vector<ScriptRule> out;
  i64 line = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++line;
    const std::string_view own = trim(raw);
    if (own.empty()) continue;
    const std::string where = cat(file, ":", line);
    MemoryHold parsed(memory != nullptr ? memory->budget() : nullptr);
    parsed.add(kParsed * isize(own), cat("the rule at ", where));
    if (memory != nullptr) memory->add(kRuleBytes, cat("the rules of ", file));
    const io::JsonDocument document(own);
    if (!document.error().empty())
      throw Error(ErrorKind::kData, cat(where, ": no JSON: ", document.error()));
    const JsonNode root = document.root(where);
    if (!root.is_object()) root.fail("a rule is an object");
    ScriptRule& rule = out.emplace_back();
    rule.line = line;
    rule.text = own;
    RuleReader(root, io::parse_object(own, where), rule).read();
  }
  return out;
}

}  // namespace lm::answer
