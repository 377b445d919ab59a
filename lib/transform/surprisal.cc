#include "transform/surprisal.h"

#include <algorithm>

#include "core/str.h"
#include "io/json_node.h"
#include "text/segment.h"
#include "text/spans.h"

namespace lm::transform {

namespace {

Fault wrong(const char* code, std::string_view name, std::string_view what) {
  return {code, cat("field ", quote(name), " ", what), -1};
}

Result<std::vector<Surprisal>> from_spans(std::string_view raw, std::string_view text,
                                          std::string_view name) {
  std::vector<text::ScoredSpan> spans;
  if (std::optional<Fault> fault = text::read_spans(raw, spans)) {
    fault->detail = cat("field ", quote(name), ": ", fault->detail);
    return *fault;
  }
  const text::CodePointIndex index(text);
  std::vector<Surprisal> out;
  i64 last = 0;
  for (const text::ScoredSpan& span : spans) {
    if (span.begin < last || span.end > index.size())
      return wrong("range", name, "has spans that are not those of this text, in order");
    last = span.begin;
    if (span.begin < span.end) out.push_back({index.byte_of(span.begin), span.score});
  }
  return out;
}

/// Whether this is a list, and read(item) takes every item of it.
template <typename Read>
bool each_of(const std::optional<io::JsonNode>& list, Read read) {
  if (!list || !list->is_array()) return false;
  bool good = true;
  list->each_item([&](const io::JsonNode& item) { good = good && read(item); });
  return good;
}

Result<std::vector<Surprisal>> from_tokens(const io::JsonNode& root, std::string_view text,
                                           const text::Tokenizer& tokenizer,
                                           std::string_view name) {
  std::vector<i32> ids;
  std::vector<f64> nats;
  const bool lists = each_of(root.maybe("token_ids"),
                             [&](const io::JsonNode& item) {
                               const std::optional<i64> id = item.as_integer();
                               if (!id || *id < 0 || *id >= tokenizer.vocab_size()) return false;
                               ids.push_back(static_cast<i32>(*id));
                               return tokenizer.has(ids.back());
                             }) &&
                     each_of(root.maybe("logprobs"), [&](const io::JsonNode& item) {
                       const std::optional<f64> value = item.as_number();
                       if (value) nats.push_back(-*value);
                       return value.has_value();
                     });
  if (!lists || ids.size() != nats.size())
    return wrong(
        "type", name,
        "has no token_ids of the tokenizer and as many logprobs (lm-decode score --per-token)");
  std::string said;
  std::vector<i64> begins;
  for (const i32 id : ids) {
    begins.push_back(isize(said));
    if (!tokenizer.is_special(id)) said += tokenizer.token_bytes(id);
  }
  // The first tokens may have no probability; the dummy blank of a first one is no text.
  i64 offset = isize(text) - isize(said);
  const bool fits = offset >= 0 ? text.substr(usize(offset)) == said
                                : offset == -1 && said.front() == ' ' && said.substr(1) == text;
  if (!fits) return wrong("range", name, "has tokens that do not spell this text");
  std::vector<Surprisal> out;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (!tokenizer.is_special(ids[i]))
      out.push_back({std::max<i64>(0, begins[i] + offset), nats[i]});
  return out;
}

}  // namespace

Result<std::vector<Surprisal>> read_surprisals(std::string_view raw, std::string_view text,
                                               const text::Tokenizer* tokenizer,
                                               std::string_view name) {
  if (raw.starts_with('[')) return from_spans(raw, text, name);
  const io::JsonDocument document(raw);
  if (!document.error().empty()) return wrong("json", name, document.error());
  const io::JsonNode root = document.root(name);
  if (!root.is_object())
    return wrong("type", name, "is neither a list of spans nor an object with tokens");
  if (tokenizer == nullptr)
    return wrong("type", name, "has tokens, which only their tokenizer (-m) lays on the text");
  return from_tokens(root, text, *tokenizer, name);
}

}  // namespace lm::transform
