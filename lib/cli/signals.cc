#include "cli/signals.h"

#include <ctime>
#include <memory>
#include <thread>

#include <signal.h>
#include <unistd.h>

#include "core/clock.h"

namespace lm::cli {

namespace {

sigset_t wanted_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    sigaddset(&set, signal);
  }
  return set;
}

void wait_loop(const sigset_t& set, const SignalActions& actions) {
  f64 deadline_s = 0;  // 0 = no stop under way
  int first = 0;
  while (true) {
    int signal = 0;
    if (deadline_s > 0) {
      const f64 left_s = deadline_s - monotonic_s();
      timespec wait{};
      if (left_s > 0) {
        wait.tv_sec = static_cast<time_t>(left_s);
        wait.tv_nsec = static_cast<long>((left_s - static_cast<f64>(wait.tv_sec)) * 1e9);
      }
      signal = ::sigtimedwait(&set, nullptr, &wait);
      if (signal < 0) signal = monotonic_s() >= deadline_s ? first : 0;
    } else {
      ::sigwait(&set, &signal);
    }
    if (signal <= 0) continue;
    if (signal == SIGUSR2) {
      actions.status();
      continue;
    }
    if (deadline_s == 0) {
      const f64 grace_s = actions.stop(signal);
      if (grace_s > 0) {
        deadline_s = monotonic_s() + grace_s;
        first = signal;
        continue;
      }
    }
    actions.before_death(signal);
    die_of_signal(signal);
  }
}

}  // namespace

void start_signal_thread(SignalActions actions) {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = wanted_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set, actions = std::move(actions)] { wait_loop(set, actions); }).detach();
}

void die_of_signal(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), signal);
  while (true)
    ::pause();
}

}  // namespace lm::cli
