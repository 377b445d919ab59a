#pragma once
// An approximate shuffle of a stream that has no end: a window of lines, of which a random one
// leaves when another comes. A line never leaves more than a window before its place, though it may
// stay long. Draws are functions of the seed and the line's number.
// Thread rule: one thread at a time.

#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/random.h"

namespace lm::mix {

class Window {
 public:
  /// Holds `size` >= 1 lines, charged to ctx.memory.
  Window(const Context& ctx, i64 size, u64 seed);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  /// line: without newline. Appends to out the line that leaves, if one does, and its newline.
  void add(std::string_view line, std::string& out);
  /// Appends what is left, in random order.
  void finish(std::string& out);

 private:
  void hold(std::string& slot, std::string_view line);

  const Context* ctx_;
  i64 size_;
  RandomStream leaves_;
  RandomStream rest_;
  i64 added_ = 0;
  i64 charged_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace lm::mix
