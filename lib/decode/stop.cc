#include "decode/stop.h"

#include <algorithm>

#include "core/error.h"

namespace lm::decode {

StopMatcher::StopMatcher(std::vector<std::string> strings, bool include)
    : strings_(std::move(strings)), include_(include) {
  for (const std::string& text : strings_)
    longest_ = std::max(longest_, isize(text));
}

bool StopMatcher::push(std::string_view piece) {
  LM_CHECK(!stopped_, "nothing follows a stop string");
  const std::size_t from = usize(std::max<i64>(0, isize(text_) - longest_ + 1));
  text_ += piece;
  std::size_t begin = std::string::npos;
  std::size_t size = 0;
  for (const std::string& stop : strings_) {
    const std::size_t at = text_.find(stop, from);
    if (at == std::string::npos) continue;
    if (begin == std::string::npos || at < begin || (at == begin && stop.size() < size)) {
      begin = at;
      size = stop.size();
    }
  }
  if (begin == std::string::npos) return false;
  text_.resize(begin + (include_ ? size : 0));
  stopped_ = true;
  return true;
}

i64 StopMatcher::safe() const {
  if (stopped_) return isize(text_);
  i64 held = 0;
  for (const std::string& stop : strings_) {
    for (i64 n = std::min(isize(stop) - 1, isize(text_)); n > held; --n) {
      if (text_.compare(usize(isize(text_) - n), usize(n), stop, 0, usize(n)) == 0) {
        held = n;
        break;
      }
    }
  }
  return isize(text_) - held;
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
