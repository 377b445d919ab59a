#pragma once
// What a run carries downward instead of globals: thread count, memory budget, stop request, log,
// scratch directory. A Context is made once by tool_main (or by a test) and outlives all work.

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "core/stages.h"
#include "core/types.h"

namespace lm {

/// Counts bytes charged against --memory. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(i64 limit_bytes) : limit_(limit_bytes) {}
  i64 limit() const { return limit_; }
  i64 used() const { return used_.load(); }
  i64 available() const { return limit_ - used_.load(); }
  /// True and charged if bytes fit; false and unchanged otherwise (the caller spills).
  bool try_charge(i64 bytes);
  /// Charges or throws Error{kOs} naming what, the bytes asked for and the --memory that would do.
  void charge(i64 bytes, std::string_view what);
  /// The same for what grows with the input and holds `held` charged bytes so far: the --memory
  /// that would do has room for it in proportion to the part of the input that is read.
  void charge_growing(i64 held, i64 bytes, std::string_view what);
  /// done() says which part of the input is read, 0 to 1, or -1 when its size is not known. Set
  /// before threads share the budget; without it, all of the input counts as read.
  void watch_input(std::function<f64()> done) { done_ = std::move(done); }
  void release(i64 bytes) { used_.fetch_sub(bytes); }

 private:
  const i64 limit_;
  std::atomic<i64> used_{0};
  std::function<f64()> done_;

  [[noreturn]] void refuse(i64 bytes, std::string_view what, std::string hint) const;
};

/// Releases a charge at scope end.
class MemoryCharge {
 public:
  MemoryCharge(MemoryBudget& budget, i64 bytes, std::string_view what)
      : budget_(budget), bytes_(bytes) {
    budget_.charge(bytes, what);
  }
  ~MemoryCharge() { budget_.release(bytes_); }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;

 private:
  MemoryBudget& budget_;
  i64 bytes_;
};

enum class LogLevel { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3, kTrace = 4 };

/// Where library code says things; the programs' implementation writes to stderr. Thread-safe.
class Log {
 public:
  virtual ~Log() = default;
  /// kWarning shows by default, kInfo with -v, kDebug with -vv, kTrace with -vvv.
  virtual void message(LogLevel level, std::string_view text) = 0;
  virtual bool enabled(LogLevel level) const = 0;
};

/// A log that drops everything.
Log& null_log();

/// Set by the signal waiter, read at step and chunk boundaries.
class StopToken {
 public:
  void request() { stop_.store(true); }
  bool requested() const { return stop_.load(); }

 private:
  std::atomic<bool> stop_{false};
};

struct Context {
  int threads = 1;
  MemoryBudget* memory = nullptr;  // never null once built by make_context or tool_main
  StopToken* stop = nullptr;       // never null
  Log* log = nullptr;              // never null
  Stages* stages = nullptr;        // never null
  std::string tmp_dir = "/tmp";
  u64 seed = 0;
};

/// A Context for tests and small programs: the given threads, a budget, no stop, no log.
/// Owns what it points to.
class LocalContext {
 public:
  explicit LocalContext(int threads = 1, i64 memory_bytes = i64{2} << 30);
  const Context& operator*() const { return ctx_; }
  const Context* operator->() const { return &ctx_; }
  operator const Context&() const { return ctx_; }  // NOLINT: implicit by design
  StopToken& stop() { return stop_; }
  const Stages& stages() const { return stages_; }

 private:
  MemoryBudget memory_;
  StopToken stop_;
  Stages stages_;
  Context ctx_;
};

}  // namespace lm
