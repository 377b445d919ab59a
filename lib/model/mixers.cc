#include "model/mixers.h"

#include <optional>
#include <string>

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"

namespace lm::model {

namespace {

struct KindName {
  const char* name;
  MixerKind kind;
  i64 least;
  i64 most;
};
constexpr KindName kKinds[] = {
    {"conv", MixerKind::kConv, 1, kMaxTaps},
    {"linear", MixerKind::kLinear, 1, kMaxDim},
    {"pla", MixerKind::kPrefixLinear, 1, kMaxDim},
    {"window", MixerKind::kAttention, 0, i64{1} << 28},
};

[[noreturn]] void refuse(std::string_view entry, std::string_view what) {
  throw Error(ErrorKind::kUsage, cat("mixers: ", quote(entry), ": ", what),
              "for example conv:3,linear:16@1,6,window:64@2,7");
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

MixerChoice choice_of(std::string_view entry) {
  const std::string_view head = entry.substr(0, entry.find('@'));
  const std::size_t colon = head.find(':');
  for (const KindName& one : kKinds) {
    if (head.substr(0, colon) != one.name) continue;
    const std::optional<i64> size =
        colon == std::string_view::npos ? std::nullopt : parse_count(head.substr(colon + 1));
    if (!size || *size < one.least || *size > one.most)
      refuse(entry, cat("expected ", one.name, ":N with N from ", one.least, " to ", one.most));
    return {one.kind, *size};
  }
  refuse(entry, "expected conv:N, linear:N, pla:N or window:N");
}

}  // namespace

std::vector<MixerChoice> parse_mixers(std::string_view text, i64 layers) {
  std::vector<std::optional<MixerChoice>> named(usize(layers), std::nullopt);
  std::optional<MixerChoice> others;
  if (text.empty()) {
    others = MixerChoice{};
    for (i64 i = 1; i < layers; i += 5)
      named[usize(i)] = {MixerKind::kLinear, 16};
    for (i64 i = 2; i < layers; i += 5)
      named[usize(i)] = {MixerKind::kAttention, 256};
  }
  std::optional<MixerChoice> current;  // whose layers follow
  for (const std::string_view part : split(text, ',')) {
    if (text.empty()) break;
    std::string_view layer = part;
    if (!is_number(part) || !current) {
      const MixerChoice choice = choice_of(part);
      const std::size_t at = part.find('@');
      if (at == std::string_view::npos) {
        if (others) refuse(part, "a second one for all other layers");
        others = choice;
        current.reset();
        continue;
      }
      current = choice;
      layer = part.substr(at + 1);
    }
    const std::optional<i64> number = parse_count(layer);
    if (!number || *number >= layers) refuse(part, cat("expected layers from 0 to ", layers - 1));
    if (named[usize(*number)]) refuse(part, cat("layer ", *number, " has a mixer already"));
    named[usize(*number)] = current;
  }
  std::vector<MixerChoice> out;
  for (i64 i = 0; i < layers; ++i) {
    if (!named[usize(i)] && !others)
      throw Error(ErrorKind::kUsage, cat("mixers: layer ", i, " has none"));
    out.push_back(named[usize(i)] ? *named[usize(i)] : *others);
  }
  return out;
}

}  // namespace lm::model
