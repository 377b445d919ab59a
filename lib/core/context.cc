#include "core/context.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm {

bool MemoryBudget::try_charge(i64 bytes) {
  i64 used = used_.load();
  while (used + bytes <= limit_) {
    if (used_.compare_exchange_weak(used, used + bytes)) return true;
  }
  return false;
}

void MemoryBudget::charge(i64 bytes, std::string_view what) {
  if (try_charge(bytes)) return;
  throw Error(ErrorKind::kOs,
              cat("not enough memory for ", what, ": ", format_bytes(bytes), " asked, ",
                  format_bytes(available()), " left of the budget of ", format_bytes(limit_)),
              advice(used() + bytes));
}

std::string MemoryBudget::advice(i64 needed) const {
  const auto mebibytes = [](f64 bytes) {
    return cat(static_cast<i64>(std::ceil(bytes / (1 << 20))), "M");
  };
  const f64 now = static_cast<f64>(needed);
  const f64 done = done_ ? done_() : 1;
  if (done < 0)
    return cat("more than --memory ", mebibytes(now), ": the input, of unknown size, goes on");
  if (done == 0 || done >= 1) return cat("--memory ", mebibytes(now), " would do");
  return cat("--memory ", mebibytes(now / done), " would do, as ",
             format_fixed(std::max(done * 100, 1.0), 0), "% of the input took ", mebibytes(now));
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
