#include "answer/script.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "answer/json_at.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"

namespace lm::answer {

namespace {

constexpr i64 kMostBytes = i64{1} << 30;
constexpr f64 kNap = 0.01;  // seconds: whoever drives this looks at stop requests

using Answer = ScriptRule::Answer;

bool equal(const std::optional<std::string>& wanted, std::string_view have) {
  return !wanted || *wanted == have;
}

/// A text as it is, another value as JSON.
std::string shown(const io::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

namespace {

/// The text of a file, charged as long as it lives.
struct ScriptText {
  ScriptText(const std::string& file, MemoryBudget* memory) : held(memory) {
    const std::string what = cat("the script ", file);
    // Before it is read, where the size is known.
    std::error_code unknown;
    const auto size = std::filesystem::is_regular_file(file, unknown)
                          ? static_cast<i64>(std::filesystem::file_size(file, unknown))
                          : 0;
    if (!unknown) held.add(size, what);
    text = io::read_file(file, kMostBytes);
    if (isize(text) > held.bytes()) held.add(isize(text) - held.bytes(), what);
  }
  MemoryHold held;
  std::string text;
};

}  // namespace

ScriptAnswerer::ScriptAnswerer(const std::string& file, MemoryBudget* memory)
    : ScriptAnswerer(ScriptText(file, memory).text, file, memory) {}

ScriptAnswerer::ScriptAnswerer(std::string_view table, const std::string& name,
                               MemoryBudget* memory)
    : memory_(memory),
      rules_(parse_script(table, name, &memory_)),
      uses_(rules_.size(), 0),
      key_(xxh3_64(table)) {}

bool ScriptAnswerer::matches(const ScriptRule& rule, const Request& request,
                             const std::string& prompt, const io::Json& meta,
                             std::string& digest) const {
  if (rule.answer != Answer::kError && (rule.answer == Answer::kScores) != !request.score.empty())
    return false;
  if (!equal(rule.id, request.id) || !equal(rule.prompt, prompt)) return false;
  if (rule.id_prefix && !std::string_view(request.id).starts_with(*rule.id_prefix)) return false;
  if (rule.role && (request.messages.empty() || request.messages.back().role != *rule.role))
    return false;
  for (const auto& [path, value] : rule.meta) {
    const io::Json* const at = json_at(meta, path);
    if (at == nullptr || *at != value) return false;
  }
  if (rule.prompt_sha256) {
    if (digest.empty()) digest = sha256_hex(prompt);
    if (digest != *rule.prompt_sha256) return false;
  }
  if (rule.prompt_re && rule.prompt_re->find(prompt) != 1) return false;
  return rule.answer != Answer::kScores ||
         std::all_of(request.score.begin(), request.score.end(), [&](const std::string& text) {
           return std::any_of(rule.scores.begin(), rule.scores.end(),
                              [&](const auto& known) { return known.first == text; });
         });
}

Response ScriptAnswerer::no_rule(const std::string& prompt) {
  if (unmatched_++ == 0) first_unmatched_ = prompt;
  Response out;
  out.fault = Fault{"no_rule", cat("no rule is for the prompt ", quote(prompt)), -1};
  return out;
}

Response ScriptAnswerer::answer(const Request& request, i64& delay_ms) {
  // The prompt, what rules take from it and what they make of it; meta, and meta as JSON.
  constexpr i64 kNodeBytes = 48;
  MemoryHold working(memory_.budget());
  working.add(4 * prompt_bytes(request) + 2 * isize(request.meta) +
                  kNodeBytes * std::count(request.meta.begin(), request.meta.end(), ','),
              "a scripted request");
  const std::string prompt = plain_prompt(request);
  io::Json meta = io::Json::parse(request.meta, nullptr, false);
  if (meta.is_discarded()) meta = nullptr;
  std::string digest;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const ScriptRule& rule = rules_[i];
    if (rule.times >= 0 && uses_[i] >= rule.times) continue;
    if (!matches(rule, request, prompt, meta, digest)) continue;
    const i64 attempt = uses_[i]++;
    delay_ms = rule.delay_ms;
    Response out;
    out.prompt_tokens = count_characters(prompt);
    if (rule.answer == Answer::kError) {
      out.fault = rule.error;
    } else if (rule.answer == Answer::kScores) {
      for (const std::string& text : request.score)
        out.scores.push_back(
            std::find_if(rule.scores.begin(), rule.scores.end(), [&](const auto& one) {
              return one.first == text;
            })->second);
    } else {
      reply(rule, attempt, request, prompt, meta, out);
    }
    return out;
  }
  return no_rule(prompt);
}

void ScriptAnswerer::reply(const ScriptRule& rule, i64 attempt, const Request& request,
                           const std::string& prompt, const io::Json& meta, Response& out) {
  for (i64 sample = 0; sample < request.params.n; ++sample) {
    Result<std::string> text = text_of(rule, attempt, request, prompt, meta, sample);
    out.fault = !text      ? std::optional<Fault>(text.fault())
                : rule.raw ? std::nullopt
                           : forms_.check(request.form, *text);
    if (out.fault) {
      out.replies.clear();
      return;
    }
    memory_.add(isize(*text) + static_cast<i64>(2 * sizeof(Reply)), "scripted replies");
    Reply reply{std::move(*text), rule.finish, rule.tokens, rule.logprob};
    end_reply(request.params, reply);
    // What a model cannot complete in max_tokens it does not begin.
    if (reply.finish_reason == kLength && !rule.raw && forms_.check(request.form, reply.text))
      out.fault = Fault{"budget", cat("no reply of the form fits ", reply.tokens, " tokens"), -1};
    out.replies.push_back(std::move(reply));
  }
  if (out.fault) out.replies.clear();
}

Result<std::string> ScriptAnswerer::text_of(const ScriptRule& rule, i64 attempt,
                                            const Request& request, const std::string& prompt,
                                            const io::Json& meta, i64 sample) const {
  if (rule.answer == Answer::kReplies) {
    i64 at = sample;
    const u64 count = rule.replies.size();
    if (rule.by == ScriptRule::By::kAttempt) at = attempt;
    if (rule.by == ScriptRule::By::kHash)
      at = static_cast<i64>(oracle_draws(seed_of(request), request.id, sample).below(0, count));
    return rule.replies[static_cast<u64>(at) % count];
  }
  const auto missing = [&](std::string what) {
    return Fault{"script", cat("the rule of line ", rule.line, " needs ", what), -1};
  };
  const auto of_meta = [&](const std::string& path) -> Result<std::string> {
    const io::Json* const at = json_at(meta, path);
    if (at == nullptr) return missing(cat("meta.", path));
    return shown(*at);
  };
  Result<std::string> needle = rule.needle_meta ? of_meta(*rule.needle_meta) : rule.needle;
  if (!needle) return needle;
  Result<std::string> input = rule.input_meta ? of_meta(*rule.input_meta) : prompt;
  if (!input) return input;
  for (const auto& [mark, behind] :
       {std::pair{&rule.input_after, true}, std::pair{&rule.input_before, false}}) {
    if (!*mark) continue;
    const std::size_t place = input->find(**mark);
    if (place == std::string::npos) return missing(cat(quote(**mark), " in the prompt"));
    *input = behind ? input->substr(place + (*mark)->size()) : input->substr(0, place);
  }
  return oracle_reply(rule.oracle, *input, *needle,
                      oracle_draws(seed_of(request), request.id, sample));
}

void ScriptAnswerer::add(Request request) {
  i64 delay_ms = 0;
  Waiting own;
  const i64 before = memory_.bytes();
  own.response = answer(request, delay_ms);
  own.bytes = memory_.bytes() - before;
  own.due_s = delay_ms == 0 ? 0 : monotonic_s() + 1e-3 * static_cast<f64>(delay_ms);
  waiting_.push_back(std::move(own));
}

bool ScriptAnswerer::step() {
  if (waiting_.empty()) return false;
  const f64 left = waiting_.front().due_s - monotonic_s();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<f64>(std::min(left, kNap)));
  return true;
}

std::optional<Response> ScriptAnswerer::take() {
  if (waiting_.empty()) return std::nullopt;
  if (waiting_.front().due_s > 0 && waiting_.front().due_s > monotonic_s()) return std::nullopt;
  Response out = std::move(waiting_.front().response);
  memory_.add(-waiting_.front().bytes, {});
  waiting_.pop_front();
  return out;
}

i64 ScriptAnswerer::ordered_line() const {
  for (const ScriptRule& rule : rules_)
    if (rule.times >= 0 || (rule.by == ScriptRule::By::kAttempt && rule.replies.size() > 1))
      return rule.line;
  return 0;
}

std::string ScriptAnswerer::coverage_json() const {
  std::string unused;
  i64 used = 0;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (uses_[i] > 0) {
      ++used;
      continue;
    }
    append(unused, unused.empty() ? "" : ",", "{\"line\":", rules_[i].line,
           ",\"rule\":", rules_[i].text, "}");
  }
  return cat("{\"rules\":", rules_.size(), ",\"used\":", used, ",\"unmatched\":", unmatched_,
             ",\"unused\":[", unused, "]}");
}

}  // namespace lm::answer
