#include "score_input.h"

#include <algorithm>

#include "core/str.h"
#include "prompts.h"
#include "score_json.h"
#include "text/segment.h"

namespace lm::decode_tool {

ScoreReader::ScoreReader(cli::Tool& tool, const text::Tokenizer& tokenizer,
                         const ScoreFields& fields, const std::vector<std::string>& taken,
                         i64 first)
    : fields_(fields), chat_(tool, tokenizer) {
  const std::vector<std::string> own = {"messages", "tools", "documents"};
  for (const std::string& path : own)
    if (std::find(taken.begin(), taken.end(), path) != taken.end()) return;
  paths_ = own;
  messages_ = first;
  tools_ = first + 1;
  documents_ = first + 2;
}

std::optional<Fault> ScoreReader::read(io::JsonReader& json, text::EncodeState& state,
                                       ScoreInput& out) {
  out.listed = json.has(fields_.choices) || json.has(fields_.completions) || !fields_.named.empty();
  if (!fields_.named.empty()) {
    for (const i64 field : fields_.named) {
      const Result<std::string_view> text = json.string(field);
      if (!text) return text.fault();
      out.texts.emplace_back(*text);
    }
  } else if (out.listed) {
    const i64 list = json.has(fields_.choices) ? fields_.choices : fields_.completions;
    if (std::optional<Fault> fault = read_texts(parser_, json, list, out.texts, &out.cut))
      return fault;
  } else if (json.field(fields_.completion).type == io::JsonType::kObject) {
    if (std::optional<Fault> fault =
            read_completion(parser_, json, fields_.completion, out.texts, out.cut))
      return fault;
  } else if (json.has(fields_.completion)) {
    const Result<std::string_view> text = json.string(fields_.completion);
    if (!text) return text.fault();
    out.texts.emplace_back(*text);
  }
  out.cut.resize(out.texts.size());
  const bool messages = messages_ >= 0 && json.field(messages_).type == io::JsonType::kArray;
  if (messages && json.has(fields_.prompt))
    return Fault{"prompt", "the record has both messages and a prompt, expected one of them", -1};
  if (messages && (!out.texts.empty() || !json.has(fields_.text)))
    return read_messages(json, state, out);
  if (out.texts.empty() || !json.has(fields_.prompt)) return std::nullopt;
  const Result<std::string_view> text = json.string(fields_.prompt);
  if (!text) return text.fault();
  out.prompt.text = *text;
  return std::nullopt;
}

std::optional<Fault> ScoreReader::read_messages(const io::JsonReader& json,
                                                text::EncodeState& state, ScoreInput& out) {
  text::ChatInput input;
  Result<text::Value> messages = text::read_messages(json.raw(messages_));
  if (!messages) return messages.fault();
  input.messages = *messages;
  const Result<text::Value> tools = read_list(json, tools_);
  if (!tools) return tools.fault();
  input.tools = *tools;
  const Result<text::Value> documents = read_list(json, documents_);
  if (!documents) return documents.fault();
  input.documents = *documents;
  const bool last = out.texts.empty();  // it is what is scored
  if (last && input.messages.list().back().find("role")->str() != "assistant")
    return Fault{"messages", "the last message is not the assistant's: there is nothing to score",
                 -1};
  input.continued = last;
  Result<decode::PromptText> prompt = chat_.prompt(input, state);
  if (!prompt) return prompt.fault();
  out.prompt = std::move(*prompt);
  if (last) return split_last(input.messages, out);
  if (!out.prompt.literal) return std::nullopt;
  for (const std::string& text : out.texts)
    if (std::optional<Fault> fault = chat_.refusal(text, {{0, isize(text)}}, state)) return fault;
  out.prompt.literal->emplace_back(isize(out.prompt.text), std::numeric_limits<i64>::max());
  return std::nullopt;
}

/// The prompt ends with the last message, as it is or without the blanks around it.
std::optional<Fault> ScoreReader::split_last(const text::Value& messages, ScoreInput& out) const {
  const std::string text = *text::last_text(messages);
  std::string& prompt = out.prompt.text;
  for (const std::string_view end : {std::string_view(text), text::strip(text)}) {
    if (!prompt.ends_with(end)) continue;
    out.texts.emplace_back(end);
    out.cut.push_back(0);
    prompt.resize(prompt.size() - end.size());
    return std::nullopt;
  }
  return Fault{"template", "the chat template does not write the last message as it is", -1};
}

}  // namespace lm::decode_tool
