#include "decode/own_examples.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::decode {

namespace {

u64 digest_of(std::string_view id, std::string_view prompt, std::string_view answer) {
  u64 out = xxh3_64(id);
  out = xxh3_64(prompt, out);
  return xxh3_64(answer, out);
}

void need(std::string_view text, std::string_view place, std::string_view what) {
  if (text.find(place) == text.npos) throw Error(ErrorKind::kUsage, cat(what, " has no ", place));
}

/// text with the values in the places; what stands in a value is no place.
std::string filled(std::string_view text,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  while (!text.empty()) {
    std::size_t at = text.npos;
    std::pair<std::string_view, std::string_view> next;
    for (const auto& value : values) {
      const std::size_t found = text.find(value.first);
      if (found < at) {
        at = found;
        next = value;
      }
    }
    out += text.substr(0, at);
    if (at == text.npos) break;
    out += next.second;
    text.remove_prefix(at + next.first.size());
  }
  return out;
}

}  // namespace

void ExampleLayout::check() const {
  need(whole, "{prompt}", "the layout");
  need(whole, "{examples}", "the layout");
  need(example, "{prompt}", "the layout of an example");
  need(example, "{answer}", "the layout of an example");
}

void OwnExamples::add(std::string id, std::string prompt, std::string answer) {
  places_.emplace(digest_of(id, prompt, answer), isize(all_));
  all_.push_back({std::move(id), std::move(prompt), std::move(answer)});
}

std::vector<i64> OwnExamples::pick(std::string_view id, i64 count) const {
  std::vector<i64> out;
  auto at = places_.lower_bound(xxh3_64(id));
  for (i64 seen = 0; seen < size() && isize(out) < count; ++seen, ++at) {
    if (at == places_.end()) at = places_.begin();
    const One& one = all_[usize(at->second)];
    const auto same = [&](i64 other) { return all_[usize(other)].id == one.id; };
    if (one.id != id && std::none_of(out.begin(), out.end(), same)) out.push_back(at->second);
  }
  return out;
}

std::string OwnExamples::prompt(const ExampleLayout& layout, std::string_view question,
                                std::span<const i64> picked) const {
  std::string examples;
  for (std::size_t i = picked.size(); i-- > 0;) {
    const One& one = all_[usize(picked[i])];
    examples += filled(layout.example, {{"{prompt}", one.prompt}, {"{answer}", one.answer}});
  }
  return filled(layout.whole, {{"{prompt}", question}, {"{examples}", examples}});
}

u64 OwnExamples::digest() const {
  u64 out = 0;
  for (const auto& [digest, index] : places_)
    out = mix64(out ^ digest);
  return out;
}

}  // namespace lm::decode
