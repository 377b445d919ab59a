#include "answer/record.h"

#include <limits>

#include "core/hash.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::answer {

namespace {

std::string text_key(std::string_view text) {
  const Hash128 hash = xxh3_128(text);
  return hex64(hash.hi) + hex64(hash.lo);
}

/// The file's whole lines.
std::string_view whole_lines(std::string_view text) {
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

struct Line {
  std::string key;    // of a request, or
  std::string count;  // of a text
  std::string model;
  i64 tokens = 0;
};

/// Throws Error{kData}.
Line parse_line(const io::Json& json, const std::string& where) {
  const io::JsonNode root(json, where);
  Line out;
  if (root.has("count")) {
    root.only({"count", "model", "tokens"});
    out.count = root.text("count");
    out.tokens = root.integer("tokens", 0, std::numeric_limits<i64>::max());
  } else {
    root.only({"key", "model", "request", "response"});
    out.key = root.text("key");
    root.object("response");
  }
  out.model = root.text("model");
  return out;
}

f64 number_or_nan(const io::JsonNode& node, std::string_view key) {
  return node.has(key) ? node.number(key, -std::numeric_limits<f64>::infinity(),
                                     std::numeric_limits<f64>::infinity())
                       : std::numeric_limits<f64>::quiet_NaN();
}

}  // namespace

std::string response_json(const Response& response) {
  std::string out = "{\"replies\":[";
  for (const Reply& reply : response.replies) {
    append(out, out.back() == '[' ? "" : ",", "{\"text\":", io::json_string(reply.text),
           ",\"finish_reason\":", io::json_string(reply.finish_reason),
           ",\"tokens\":", reply.tokens, ",\"logprob\":");
    io::append_json_number(out, reply.logprob);
    out += "}";
  }
  out += "],\"scores\":[";
  for (const f64 score : response.scores) {
    if (out.back() != '[') out += ",";
    io::append_json_number(out, score);
  }
  append(out, "],\"prompt_tokens\":", response.prompt_tokens);
  if (response.fault)
    append(out, ",\"fault\":{\"code\":", io::json_string(response.fault->code),
           ",\"detail\":", io::json_string(response.fault->detail), "}");
  return out + "}";
}

Response parse_response(const io::Json& json, const std::string& where) {
  constexpr i64 kMost = std::numeric_limits<i64>::max();
  const io::JsonNode root(json, where);
  root.only({"replies", "scores", "prompt_tokens", "fault"});
  Response out;
  root.array("replies").each_item([&](const io::JsonNode& node) {
    node.only({"text", "finish_reason", "tokens", "logprob"});
    out.replies.push_back({node.text("text"), node.text("finish_reason"),
                           node.integer("tokens", 0, kMost), number_or_nan(node, "logprob")});
  });
  root.array("scores").each_item([&](const io::JsonNode& node) {
    out.scores.push_back(node.is_null() ? std::numeric_limits<f64>::quiet_NaN() : node.number());
  });
  out.prompt_tokens = root.integer("prompt_tokens", 0, kMost);
  if (const std::optional<io::JsonNode> fault = root.maybe("fault")) {
    fault->only({"code", "detail"});
    out.fault = Fault{fault->text("code"), fault->text("detail"), -1};
  }
  return out;
}

RecordingAnswerer::RecordingAnswerer(Answerer& inner, io::AtomicFile& file, bool keep,
                                     MemoryBudget* memory)
    : inner_(inner), file_(file), memory_(memory) {
  const std::string& path = file.path();
  if (!keep || !io::path_exists(path)) return;
  const io::Mapping old(path);
  const std::string_view lines = whole_lines(old.bytes());
  i64 number = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    const std::string where = cat(path, ":", ++number);
    const Line line = parse_line(io::parse_object(lines.substr(at, end - at), where), where);
    if (line.count.empty()) {
      ++kept_;
    } else {
      counted_.insert(line.count);
    }
    at = end + 1;
  }
  file_.write(lines);
}

void RecordingAnswerer::add(Request request) {
  const u64 model = inner_.key();
  // A text of JSON, and what it is put together from.
  const i64 bytes = 2 * (prompt_bytes(request) + isize(request.form.text));
  MemoryHold joined(memory_.budget());
  joined.add(bytes, "a request that is recorded");
  asked_.push_back(cat("{\"key\":\"", request_key(request, model), "\",\"model\":\"", hex64(model),
                       "\",\"request\":", canonical_json(request), ",\"response\":"));
  memory_.add(isize(asked_.back()), "requests that are recorded");
  inner_.add(std::move(request));
}

std::optional<Response> RecordingAnswerer::take() {
  std::optional<Response> out = inner_.take();
  if (!out) return out;
  file_.write(cat(asked_.front(), response_json(*out), "}\n"));
  memory_.add(-isize(asked_.front()), {});
  asked_.pop_front();
  return out;
}

i64 RecordingAnswerer::count_tokens(const std::string& text) const {
  const i64 tokens = inner_.count_tokens(text);
  const std::string key = text_key(text);
  if (counted_.insert(key).second)
    file_.write(cat("{\"count\":\"", key, "\",\"model\":\"", hex64(inner_.key()),
                    "\",\"tokens\":", tokens, "}\n"));
  return tokens;
}

ReplayAnswerer::ReplayAnswerer(const std::string& path, MemoryBudget* memory)
    : path_(path), file_(path), memory_(memory) {
  const std::string_view lines = whole_lines(file_.bytes());
  if (lines.empty() && file_.size() > 0)
    throw Error(ErrorKind::kData, cat(path, ": no whole line of a recording"));
  torn_ = isize(lines) < file_.size();
  key_ = xxh3_64(lines);
  i64 number = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    read_line(lines.substr(at, end - at), static_cast<i64>(at), ++number);
    at = end + 1;
  }
}

void ReplayAnswerer::read_line(std::string_view line, i64 offset, i64 number) {
  constexpr i64 kIndexBytes = 192;  // of a key and its place
  const std::string where = cat(path_, ":", number);
  const Line read = parse_line(io::parse_object(line, where), where);
  memory_.add_growing(kIndexBytes, "the index of a recording");
  if (!model_) model_ = read.model;
  if (*model_ != read.model)
    throw Error(ErrorKind::kData,
                cat(where, ": recorded from another model than the lines before"));
  if (!read.count.empty()) {
    counts_[read.count] = read.tokens;
  } else {
    std::vector<std::pair<i64, i64>>& lines = by_key_[read.key].lines;
    lines.emplace_back(offset, isize(line));
    ordered_ = ordered_ || lines.size() > 1;
  }
}

u64 ReplayAnswerer::recorded_key() const {
  u64 out = 0;
  if (model_) {
    for (const char digit : *model_)
      out = out << 4 | static_cast<u64>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return out;
}

void ReplayAnswerer::add(Request request) {
  const auto found = by_key_.find(request_key(request, recorded_key()));
  if (found == by_key_.end()) {
    Response none;
    none.fault = Fault{
        "no_rule", cat("nothing was recorded for the prompt ", quote(plain_prompt(request))), -1};
    answered_.push_back(std::move(none));
    return;
  }
  Recorded& own = found->second;
  const auto [offset, size] = own.lines[own.next++ % own.lines.size()];
  const io::Json json = io::parse_object(file_.bytes().substr(usize(offset), usize(size)), path_);
  answered_.push_back(parse_response(json.at("response"), cat(path_, ": response")));
}

std::optional<Response> ReplayAnswerer::take() {
  if (answered_.empty()) return std::nullopt;
  Response out = std::move(answered_.front());
  answered_.pop_front();
  return out;
}

i64 ReplayAnswerer::count_tokens(const std::string& text) const {
  const auto known = counts_.find(text_key(text));
  return known == counts_.end() ? count_characters(text) : known->second;
}

}  // namespace lm::answer
