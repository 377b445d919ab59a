#include "core/context.h"

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
              cat("--memory ", (used() + bytes + (i64{1} << 20) - 1) >> 20, "M would do"));
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
