#include "score_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <simdjson.h>

#include "core/str.h"
#include "io/json.h"

namespace lm::decode_tool {

namespace {

constexpr f64 kLn2 = 0.693147180559945309;

/// "name":value, null where there is nothing to divide by.
void append_ratio(std::string& out, const char* name, f64 over, f64 under, bool exponent = false) {
  append(out, ",\"", name, "\":");
  const f64 ratio = under > 0 ? over / under : std::numeric_limits<f64>::quiet_NaN();
  io::append_json_number(out, exponent ? std::exp(ratio) : ratio);
}

/// Of an object that generate wrote.
bool was_cut(const simdjson::dom::element& item) {
  std::string_view reason;
  return item.is_object() && item["finish_reason"].get(reason) == simdjson::SUCCESS &&
         (reason == "length" || reason == "context");
}

void append_tokens(std::string& out, const Part& part) {
  out += ",\"token_ids\":[";
  const std::vector<i32>& tokens = part.tokens.tokens;
  const std::vector<i64>& heads = part.tokens.heads;
  bool begun = false;
  for (i64 i = part.tokens.first; i < isize(tokens); ++i) {
    if (std::binary_search(heads.begin(), heads.end(), i)) continue;
    append(out, begun ? "," : "", tokens[usize(i)]);
    begun = true;
  }
  out += "],\"logprobs\":[";
  for (std::size_t i = 0; i < part.score.logprobs.size(); ++i) {
    if (i > 0) out += ',';
    io::append_json_number(out, part.score.logprobs[i]);
  }
  out += ']';
}

}  // namespace

std::string top_json(const std::vector<std::vector<decode::TokenLogprob>>& top) {
  std::string out = "[";
  for (const std::vector<decode::TokenLogprob>& row : top) {
    append(out, out.size() > 1 ? ",[" : "[");
    for (std::size_t i = 0; i < row.size(); ++i) {
      append(out, i > 0 ? ",[" : "[", row[i].first, ",");
      io::append_json_number(out, row[i].second);
      out += ']';
    }
    out += ']';
  }
  return out + "]";
}

std::optional<Fault> read_texts(simdjson::dom::parser& parser, const io::JsonReader& json,
                                i64 field, std::vector<std::string>& out, std::vector<u8>* cut) {
  const Fault wrong{"type", cat("field \"", json.path(field), "\" is not a list of strings"),
                    json.field(field).begin};
  simdjson::dom::array items;
  if (parser.parse(simdjson::padded_string(json.raw(field))).get(items) != simdjson::SUCCESS)
    return wrong;
  for (const simdjson::dom::element item : items) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS && item["text"].get(text) != simdjson::SUCCESS)
      return wrong;
    out.emplace_back(text);
    if (cut != nullptr) cut->push_back(was_cut(item) ? 1 : 0);
  }
  if (out.empty())
    return Fault{"range", cat("field \"", json.path(field), "\" is an empty list"),
                 json.field(field).begin};
  return std::nullopt;
}

std::optional<Fault> read_completion(simdjson::dom::parser& parser, const io::JsonReader& json,
                                     i64 field, std::vector<std::string>& out,
                                     std::vector<u8>& cut) {
  simdjson::dom::element item;
  std::string_view text;
  if (parser.parse(simdjson::padded_string(json.raw(field))).get(item) != simdjson::SUCCESS ||
      item["text"].get(text) != simdjson::SUCCESS)
    return Fault{"type", cat("field \"", json.path(field), "\" is an object without a text"),
                 json.field(field).begin};
  out.emplace_back(text);
  cut.push_back(was_cut(item) ? 1 : 0);
  return std::nullopt;
}

Figures Part::figures() const {
  return {isize(score.logprobs), tokens.bytes, score.sum};
}

std::vector<Figures> figures_of(std::string_view line, bool listed) try {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(simdjson::padded_string(line));
  const auto read = [](const simdjson::dom::element& part) {
    return Figures{part["tokens"], part["bytes"], part["sum"]};
  };
  if (!listed) return {read(root["score"])};
  std::vector<Figures> out;
  for (const simdjson::dom::element part : simdjson::dom::array(root["scores"]))
    out.push_back(read(part));
  return out;
} catch (const simdjson::simdjson_error&) {  // someone edited it
  throw Error(ErrorKind::kData,
              cat("a record to be reused has no figures in \"", listed ? "scores" : "score", "\""));
}

void Sums::add(const Figures& part) {
  tokens += part.tokens;
  bytes += part.bytes;
  nats -= part.sum;
}

std::string Sums::json() const {
  std::string out =
      cat("{\"records\":", records, ",\"tokens\":", tokens, ",\"bytes\":", bytes, ",\"nats\":");
  io::append_json_number(out, nats);
  append_ratio(out, "ppl", nats, static_cast<f64>(tokens), true);
  append_ratio(out, "bits_per_byte", nats / kLn2, static_cast<f64>(bytes));
  return out + "}";
}

std::string figures_json(const Figures& figures) {
  const f64 tokens = static_cast<f64>(figures.tokens);
  std::string out = "\"sum\":";
  io::append_json_number(out, figures.sum);
  append_ratio(out, "mean", figures.sum, tokens);
  append(out, ",\"tokens\":", figures.tokens, ",\"bytes\":", figures.bytes);
  append_ratio(out, "ppl", -figures.sum, tokens, true);
  append_ratio(out, "bits_per_byte", -figures.sum / kLn2, static_cast<f64>(figures.bytes));
  return out;
}

std::string part_json(const Part& part, const Detail& detail) {
  std::string out = "{" + figures_json(part.figures());
  append(out, ",\"greedy\":", part.score.all_greedy());
  if (detail.tokens) append_tokens(out, part);
  if (detail.top) append(out, ",\"top_logprobs\":", top_json(part.score.top));
  return out + "}";
}

std::string best_json(const std::vector<Figures>& parts) {
  const auto best = [&](auto value) {
    std::size_t at = 0;
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (value(parts[i]) > value(parts[at])) at = i;
    return static_cast<i64>(at);
  };
  const auto over = [](f64 sum, i64 n) { return sum / static_cast<f64>(std::max<i64>(1, n)); };
  return cat("{\"sum\":", best([](const Figures& p) { return p.sum; }),
             ",\"mean\":", best([&](const Figures& p) { return over(p.sum, p.tokens); }),
             ",\"byte\":", best([&](const Figures& p) { return over(p.sum, p.bytes); }), "}");
}

}  // namespace lm::decode_tool
