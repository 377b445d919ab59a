#include "mix/window.h"

#include <utility>

#include "core/str.h"

namespace lm::mix {

namespace {

// A line's place, twice more while the list of them doubles, and what the heap adds to its text.
constexpr i64 kSlotBytes = 3 * sizeof(std::string) + 32;

}  // namespace

Window::Window(const Context& ctx, i64 size, u64 seed)
    : ctx_(&ctx),
      size_(size),
      leaves_(seed, RandomPurpose::kDataOrder, 1),
      rest_(seed, RandomPurpose::kDataOrder, 2) {}

Window::~Window() {
  ctx_->memory->release(charged_);
}

void Window::hold(std::string& slot, std::string_view line) {
  const i64 more = isize(line) - isize(slot);
  if (more > 0) {
    ctx_->memory->charge(more, "lines of --shuffle-buffer");
  } else {
    ctx_->memory->release(-more);
  }
  charged_ += more;
  // A string that grows in place takes up to twice what it holds.
  std::string(line).swap(slot);
}

void Window::add(std::string_view line, std::string& out) {
  if (isize(lines_) < size_) {
    ctx_->memory->charge(kSlotBytes, "lines of --shuffle-buffer");
    charged_ += kSlotBytes;
    hold(lines_.emplace_back(), line);
  } else {
    std::string& slot = lines_[leaves_.bits(static_cast<u64>(added_)) % static_cast<u64>(size_)];
    append(out, slot, "\n");
    hold(slot, line);
  }
  ++added_;
}

void Window::finish(std::string& out) {
  for (std::size_t left = lines_.size(); left > 0; --left) {
    const std::size_t at = static_cast<std::size_t>(rest_.bits(left) % left);
    append(out, lines_[at], "\n");
    std::swap(lines_[at], lines_[left - 1]);
  }
  lines_.clear();
  ctx_->memory->release(charged_);
  charged_ = 0;
}

}  // namespace lm::mix
