#include "generate_json.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "score_json.h"
#include "text/value.h"

namespace lm::decode_tool {

using decode::Completion;

std::string number_list(std::span<const f32> numbers) {
  std::string out = "[";
  for (const f32 number : numbers) {
    if (out.size() > 1) out += ',';
    io::append_json_number(out, number);
  }
  return out + "]";
}

std::string id_list(std::span<const i32> ids) {
  std::string out = "[";
  for (const i32 id : ids)
    append(out, out.size() > 1 ? "," : "", id);
  return out + "]";
}

std::string counts_json(const std::map<std::string, i64>& counts) {
  std::string out = "{";
  for (const auto& [name, count] : counts)
    append(out, out.size() > 1 ? "," : "", io::json_string(name), ":", count);
  return out + "}";
}

std::string counts_text(const std::map<std::string, i64>& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    append(out, out.empty() ? "" : ", ", name, " ", count);
  return out;
}

std::string completion_json(const Completion& c, i64 index, u64 seed,
                            const CompletionDetail& detail, std::string_view more) {
  std::string out = cat("{\"index\":", index, ",\"text\":", io::json_string(c.text));
  if (detail.tokens) append(out, ",\"tokens\":", id_list(c.tokens));
  if (detail.logprobs) append(out, ",\"logprobs\":", number_list(c.logprobs));
  if (detail.top) append(out, ",\"top_logprobs\":", top_json(c.top));
  append(out, ",\"finish_reason\":\"", c.finish_reason, "\"");
  if (c.fault)
    append(out, ",\"error\":{\"code\":", io::json_string(c.fault->code),
           ",\"message\":", io::json_string(c.fault->detail), "}");
  append(out, ",\"completion_tokens\":", c.tokens.size(), ",\"seed\":", seed, more,
         c.note.empty() ? "" : ",", c.note, "}");
  return out;
}

std::string throughput_json(const decode::GenerateStats& s, const Throughput& run,
                            const std::map<std::string, i64>& finish_reasons) {
  const f64 decode_s = s.forward_s - s.prompt_s;
  const auto rate = [](i64 count, f64 in) { return in > 0 ? static_cast<f64>(count) / in : 0; };
  const f64 steps = static_cast<f64>(std::max<i64>(1, s.steps));
  return cat(
      "{\"records\":", run.records, ",\"reused_records\":", run.reused,
      ",\"prompt_tokens\":", s.prompt_rows, ",\"generated_tokens\":", run.tokens,
      ",\"wall_s\":", format_fixed(run.wall_s, 3),
      ",\"prefill_tokens_per_s\":", format_fixed(rate(s.prompt_rows, s.prompt_s), 1),
      ",\"decode_tokens_per_s\":", format_fixed(rate(s.decode_rows + s.draft_tokens, decode_s), 1),
      ",\"generated_tokens_per_s\":", format_fixed(rate(run.tokens, run.wall_s), 1),
      ",\"steps\":", s.steps, ",\"draft_rows\":", s.draft_rows,
      ",\"draft_tokens\":", s.draft_tokens, ",\"forced_rows\":", s.forced_rows,
      ",\"draft_s\":", format_fixed(s.draft_s, 3),
      ",\"mean_batch\":", format_fixed(static_cast<f64>(s.busy_samples) / steps, 2),
      ",\"mean_rows\":",
      format_fixed(static_cast<f64>(s.prompt_rows + s.decode_rows + s.draft_rows) / steps, 2),
      ",\"kv_pages_most\":", s.most_pages, ",\"kv_pages\":", run.pages,
      ",\"other_steps\":", s.other_steps, ",\"other_rows\":", s.other_rows,
      ",\"forward_s\":", format_fixed(s.forward_s, 3),
      ",\"sampling_s\":", format_fixed(s.draw_s, 3),
      ",\"finish_reasons\":", counts_json(finish_reasons), "}");
}

std::string reply_json(const answer::Reply& reply, i64 index, u64 seed) {
  return cat("{\"index\":", index, ",\"text\":", io::json_string(reply.text),
             ",\"finish_reason\":", io::json_string(reply.finish_reason),
             ",\"completion_tokens\":", reply.tokens, ",\"seed\":", seed, "}");
}

std::string answered(std::string_view messages, std::string_view text, bool continued) {
  if (!continued) {
    const std::size_t end = messages.rfind(']');
    return cat(messages.substr(0, end),
               ",{\"role\":\"assistant\",\"content\":", io::json_string(text), "}]");
  }
  const Result<text::Value> parsed = text::parse_json_value(messages);
  LM_CHECK(parsed && !parsed->list().empty(), "the messages made a prompt");
  text::ValueList list = parsed->list();
  text::Value& last = list.back();  // the one owner of what it holds
  const text::Value content = *last.find("content");
  if (content.is_string()) {
    last.set("content", cat(content.str(), text));
  } else {
    text::ValueList parts = content.list();
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!part->is_map() || part->find("text") == nullptr) continue;
      part->set("text", cat(part->find("text")->str(), text));
      break;
    }
    last.set("content", text::Value(std::move(parts)));
  }
  text::JsonStyle style;
  style.spaced = false;
  return text::to_json(text::Value(std::move(list)), style);
}

}  // namespace lm::decode_tool
