#pragma once
// Signals become calls on one waiter thread: every thread has them blocked, the waiter takes them
// with sigwait. Ignored signals (nohup, background jobs) stay ignored; SIGPIPE is ignored so that a
// closed reader is an ordinary write error.

#include <functional>

#include "core/types.h"

namespace lm::cli {

struct SignalActions {
  /// INT, TERM, HUP, USR1. Returns seconds of grace to save state, or 0 to end at once.
  std::function<f64(int signal)> stop;
  /// USR2: one status line.
  std::function<void()> status;
  /// Just before the process dies of a signal: discard temporaries, write the report.
  std::function<void(int signal)> before_death;
};

/// Call once, before any thread is made. The actions live as long as the process.
void start_signal_thread(SignalActions actions);

/// Restores the signal's default action and sends it to this process.
[[noreturn]] void die_of_signal(int signal);

}  // namespace lm::cli
