#include "core/context.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/str.h"

namespace lm {

namespace {
std::string mebibytes(f64 bytes) {
  return cat(static_cast<i64>(std::ceil(bytes / (1 << 20))), "M");
}
}  // namespace

bool MemoryBudget::try_charge(i64 bytes) {
  i64 used = used_.load();
  while (used + bytes <= limit_) {
    if (used_.compare_exchange_weak(used, used + bytes)) return true;
  }
  return false;
}

void MemoryBudget::charge(i64 bytes, std::string_view what) {
  if (!try_charge(bytes))
    refuse(bytes, what, cat("--memory ", mebibytes(static_cast<f64>(used() + bytes)), " would do"));
}

void MemoryBudget::charge_growing(i64 held, i64 bytes, std::string_view what) {
  if (try_charge(bytes)) return;
  const f64 done = done_ ? done_() : 1;
  const f64 beside = static_cast<f64>(used() - held);
  const f64 grown = static_cast<f64>(held + bytes);
  if (done < 0) {
    refuse(bytes, what,
           cat("more than --memory ", mebibytes(beside + grown), " is needed: the input goes on"));
  }
  if (done == 0 || done >= 1)
    refuse(bytes, what, cat("--memory ", mebibytes(beside + grown), " would do"));
  refuse(bytes, what,
         cat("--memory ", mebibytes(beside + grown / done), " would do, as ",
             format_fixed(std::max(done * 100, 1.0), 0), "% of the input took ", mebibytes(grown)));
}

void MemoryBudget::refuse(i64 bytes, std::string_view what, std::string hint) const {
  throw Error(ErrorKind::kOs,
              cat("not enough memory for ", what, ": ", format_bytes(bytes), " asked, ",
                  format_bytes(available()), " left of the budget of ", format_bytes(limit_)),
              std::move(hint));
}

namespace {
class NullLog final : public Log {
 public:
  void message(LogLevel, std::string_view) override {}
  bool enabled(LogLevel) const override { return false; }
};
}  // namespace

Log& null_log() {
  static NullLog log;
  return log;
}

LocalContext::LocalContext(int threads, i64 memory_bytes) : memory_(memory_bytes) {
  ctx_.threads = threads;
  ctx_.memory = &memory_;
  ctx_.stop = &stop_;
  ctx_.log = &null_log();
  ctx_.stages = &stages_;
}

}  // namespace lm
