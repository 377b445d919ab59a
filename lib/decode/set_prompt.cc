#include "decode/set_prompt.h"

#include <algorithm>
#include <utility>

#include "core/str.h"

namespace lm::decode {

namespace {

constexpr std::string_view kStart = "<|start_2d|>";
constexpr std::string_view kSplit = "<|split_2d|>";
constexpr std::string_view kEnd = "<|end_2d|>";

/// The first mark in a text, npos without one.
std::pair<std::size_t, std::string_view> first_mark(std::string_view text) {
  std::pair<std::size_t, std::string_view> out{std::string_view::npos, {}};
  for (const std::string_view mark : {kStart, kSplit, kEnd})
    out = std::min(out, {text.find(mark), mark},
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

}  // namespace

Result<std::vector<PromptPart>> split_sets(std::string_view text) {
  std::vector<PromptPart> out(1);
  out[0].texts.emplace_back();
  for (std::size_t at = 0;;) {
    const auto [found, mark] = first_mark(text.substr(at));
    PromptPart& part = out.back();
    part.texts.back() += text.substr(at, found);
    if (found == std::string_view::npos) {
      if (part.set)
        return Fault{"sets", cat("a set that begins with ", kStart, " has no ", kEnd), -1};
      return out;
    }
    const bool fits = (mark == kStart) != part.set;
    if (!fits)
      return Fault{"sets",
                   cat(mark, " at byte ", at + found, part.set ? " in a set" : " in no set"), -1};
    if (mark == kSplit) {
      part.texts.emplace_back();
    } else {
      PromptPart& next = out.emplace_back();
      next.set = mark == kStart;
      next.texts.emplace_back();
    }
    at += found + mark.size();
  }
}

Result<SetPrompt> encode_sets(PromptEncoder& encoder, const std::vector<PromptPart>& parts,
                              const SetOptions& options) {
  SetPrompt out;
  if (encoder.begin()) {
    out.rows.emplace_back(*encoder.begin());
    out.rows.back().position = out.next++;
  }
  for (const PromptPart& part : parts) {
    std::vector<std::vector<i32>> texts;
    for (const std::string& text : part.texts) {
      Result<std::vector<i32>> ids = encoder.piece(text);
      if (!ids) return ids.fault();
      texts.push_back(std::move(*ids));
    }
    if (part.set && options.canonical)
      std::sort(texts.begin(), texts.end(),
                [](const std::vector<i32>& a, const std::vector<i32>& b) {
                  return a.size() != b.size() ? a.size() < b.size() : a < b;
                });
    const i32 first = static_cast<i32>(out.rows.size());
    const i32 start = out.next;
    for (const std::vector<i32>& ids : texts) {
      const i32 own = static_cast<i32>(out.rows.size());
      i32 position = part.set && options.parallel ? start : out.next;
      for (const i32 id : ids) {
        PromptRow& row = out.rows.emplace_back(id);
        row.position = position++;
        if (!part.set || !options.apart || own == first) continue;
        row.hole_begin = first;
        row.hole_end = own;
      }
      out.next = std::max(out.next, position);
    }
  }
  return out;
}

}  // namespace lm::decode
