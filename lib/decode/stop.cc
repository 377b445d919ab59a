#include "decode/stop.h"

#include <algorithm>

namespace lm::decode {

StopStrings::StopStrings(std::vector<std::string> strings, bool include)
    : strings_(std::move(strings)), include_(include) {
  for (const std::string& text : strings_)
    longest_ = std::max(longest_, isize(text));
}

std::optional<TextEnd> StopStrings::end(std::string_view text) {
  const std::size_t from = usize(std::max<i64>(0, searched_ - longest_ + 1));
  std::size_t begin = std::string_view::npos;
  std::size_t size = 0;
  for (const std::string& stop : strings_) {
    const std::size_t at = text.find(stop, from);
    if (at == std::string_view::npos) continue;
    if (begin == std::string_view::npos || at < begin || (at == begin && stop.size() < size)) {
      begin = at;
      size = stop.size();
    }
  }
  searched_ = isize(text);
  if (begin == std::string_view::npos) return std::nullopt;
  return TextEnd{"stop_string", static_cast<i64>(begin + (include_ ? size : 0))};
}

std::unique_ptr<Constraint> StopStrings::clone() const {
  return std::make_unique<StopStrings>(*this);
}

i64 StopStrings::safe(std::string_view text) const {
  i64 held = 0;
  for (const std::string& stop : strings_) {
    for (i64 n = std::min(isize(stop) - 1, isize(text)); n > held; --n) {
      if (text.ends_with(std::string_view(stop).substr(0, usize(n)))) {
        held = n;
        break;
      }
    }
  }
  return isize(text) - held;
}

std::optional<TextEnd> LoopEnd::end(std::string_view) {
  if (!ends_in_loop(tokens_, size_, count_)) return std::nullopt;
  return TextEnd{"repetition", std::nullopt};
}

std::unique_ptr<Constraint> LoopEnd::clone() const {
  return std::make_unique<LoopEnd>(*this);
}

std::vector<std::unique_ptr<Constraint>> text_constraints(const SampleParams& params,
                                                          const Constraint* own) {
  std::vector<std::unique_ptr<Constraint>> out;
  if (!params.stop.empty())
    out.push_back(std::make_unique<StopStrings>(params.stop, params.include_stop));
  if (params.loop_size > 0)
    out.push_back(std::make_unique<LoopEnd>(params.loop_size, params.loop_count));
  if (own != nullptr) out.push_back(own->clone());
  return out;
}

bool ends_in_loop(std::span<const i32> tokens, i64 size, i64 count) {
  const i64 n = isize(tokens);
  for (i64 gram = 1; gram <= size && gram * count <= n; ++gram) {
    i64 same = 0;  // tokens from the end that equal the one `gram` before them
    while (same < gram * (count - 1) &&
           tokens[usize(n - 1 - same)] == tokens[usize(n - 1 - same - gram)])
      ++same;
    if (same == gram * (count - 1)) return true;
  }
  return false;
}

}  // namespace lm::decode
