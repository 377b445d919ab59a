#include "text/chat_marks.h"

#include <algorithm>

#include "core/str.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

// Planes of private use: a character of the first plane has its stand-in at the same place there.
constexpr char32_t kPlanes[] = {0xF0000, 0x100000};
constexpr char32_t kPlaneSize = 0xFFFE;

bool in_plane(char32_t cp, char32_t plane) {
  return cp >= plane && cp < plane + kPlaneSize;
}

/// visit(text) for every text and every key of a value.
void each_text(const Value& value, const std::function<void(const std::string&)>& visit) {
  if (value.is_string()) return visit(value.str());
  if (value.is_list())
    for (const Value& item : value.list())
      each_text(item, visit);
  if (!value.is_map()) return;
  for (const auto& [key, item] : value.map()) {
    each_text(key, visit);
    each_text(item, visit);
  }
}

using Change = std::function<std::string(const std::string&)>;

Value changed(const Value& value, const Change& change) {
  if (value.is_string()) return change(value.str());
  if (value.is_list()) {
    ValueList out;
    for (const Value& item : value.list())
      out.push_back(changed(item, change));
    return out;
  }
  if (!value.is_map()) return value;
  ValueMap out;
  for (const auto& [key, item] : value.map())
    out.emplace_back(changed(key, change), changed(item, change));
  return out;
}

bool is_word(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// Messages with their roles as they are, if these are words: templates ask for them, and special
/// tokens are made of them.
Value changed_messages(const Value& messages, const Change& change) {
  ValueList out;
  for (const Value& message : messages.list()) {
    ValueMap fields;
    for (const auto& [key, item] : message.map()) {
      const bool role = key.is_string() && key.str() == "role" && item.is_string();
      fields.emplace_back(changed(key, change),
                          role && is_word(item.str()) ? item : changed(item, change));
    }
    out.emplace_back(std::move(fields));
  }
  return out;
}

/// A rendering with the characters put back, and where they stood.
std::pair<std::string, ByteRanges> restored(const std::string& text, char32_t plane) {
  std::pair<std::string, ByteRanges> out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const char32_t cp = next_valid(at);
    const i64 begin = isize(out.first);
    append_utf8(out.first, in_plane(cp, plane) ? cp - plane : cp);
    if (!in_plane(cp, plane)) continue;
    if (!out.second.empty() && out.second.back().second == begin) {
      out.second.back().second = isize(out.first);
    } else {
      out.second.emplace_back(begin, isize(out.first));
    }
  }
  return out;
}

}  // namespace

/// A record with stand-ins.
struct ChatMarks::Marked {
  ChatInput input;
  char32_t plane = 0;  // of the stand-ins; 0: both occur in the record
  bool any = false;    // something was replaced
};

ChatMarks::ChatMarks(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  for (i64 id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(static_cast<i32>(id))) continue;
    specials_.push_back(tokenizer.token_bytes(static_cast<i32>(id), true));
    for (const char32_t cp : to_utf32(specials_.back()))
      if (cp < kPlaneSize && cp != '_' && !is_alnum(cp) && !is_py_space(cp)) signs_.insert(cp);
  }
}

/// kCharacters: the signs of special tokens and all of each special token; kTokens: these alone.
ChatMarks::Marked ChatMarks::mark(const ChatInput& input, Reach reach) const {
  Marked out;
  bool used[] = {false, false};
  for (const Value* const part : {&input.messages, &input.tools, &input.documents})
    each_text(*part, [&](const std::string& text) {
      for (const char32_t cp : to_utf32(text))
        for (int i = 0; i < 2; ++i)
          used[i] = used[i] || in_plane(cp, kPlanes[i]);
    });
  out.plane = !used[0] ? kPlanes[0] : !used[1] ? kPlanes[1] : 0;
  const Change change = [&](const std::string& text) {
    std::vector<bool> inside(text.size(), false);
    for (const std::string& special : specials_)
      for (std::size_t at = text.find(special); at != std::string::npos;
           at = text.find(special, at + 1))
        std::fill_n(inside.begin() + static_cast<std::ptrdiff_t>(at), special.size(), true);
    std::string made;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      const std::size_t begin = static_cast<std::size_t>(at - text.data());
      const char32_t cp = next_valid(at);
      const bool sign = reach == Reach::kCharacters && signs_.contains(cp);
      const bool replaced = cp < kPlaneSize && (sign || inside[begin]);
      append_utf8(made, replaced ? cp + out.plane : cp);
      out.any = out.any || replaced;
    }
    return made;
  };
  out.input = input;
  out.input.messages = changed_messages(input.messages, change);
  out.input.tools = changed(input.tools, change);
  out.input.documents = changed(input.documents, change);
  return out;
}

/// Special tokens that text becomes where they touch nothing of apart.
std::vector<i32> ChatMarks::specials_in(const std::string& text, const ByteRanges& apart,
                                        EncodeState& state) const {
  std::vector<i32> ids;
  state.literal = &apart;
  const std::optional<Fault> fault = tokenizer_fault([&] { tokenizer_.encode(text, state, ids); });
  state.literal = nullptr;
  if (fault) ids.clear();  // the prompt itself will tell
  std::erase_if(ids, [&](i32 id) { return !tokenizer_.is_special(id); });
  return ids;
}

bool ChatMarks::touched(const std::string& prompt, const ByteRanges& ranges,
                        EncodeState& state) const {
  return !ranges.empty() && specials_in(prompt, ranges, state) != specials_in(prompt, {}, state);
}

Result<ByteRanges> ChatMarks::foreign(const ChatTemplate& chat, const ChatInput& input,
                                      const std::string& prompt, EncodeState& state) const {
  const Fault unclear{"special",
                      cat(chat.where(),
                          ": asks what special tokens the messages hold: which ones are its own "
                          "cannot be told"),
                      -1};
  const Marked all = mark(input, Reach::kCharacters);
  if (!all.any) return ByteRanges();
  if (all.plane == 0) return unclear;
  const Result<std::string> again = chat.render(all.input);
  if (!again) return unclear;
  std::pair<std::string, ByteRanges> back = restored(*again, all.plane);
  if (back.first == prompt) return std::move(back.second);
  // It looks at those characters, say for the ends of reasoning. Then the special tokens alone are
  // replaced; what is left must be the ones that it wrote above.
  const Marked tokens = mark(input, Reach::kTokens);
  const Result<std::string> other = chat.render(tokens.input);
  if (!other) return unclear;
  back = restored(*other, tokens.plane);
  if (back.first != prompt ||
      specials_in(prompt, back.second, state) != specials_in(*again, {}, state))
    return unclear;
  return std::move(back.second);
}

}  // namespace lm::text
