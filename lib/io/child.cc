#include "io/child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

extern char** environ;

namespace lm::io {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kGrace{2000};  // to end by itself
constexpr i64 kLook = 500;            // ms between looks whether it still runs
constexpr std::size_t kReadBytes = 1 << 16;

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0)
      throw os_error(ErrorKind::kOs, "pipe", "cannot be made", errno);
    read = fds[0];
    write = fds[1];
  }
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

/// What posix_spawn wants to know, freed with the object.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings(const Pipe& in, const Pipe& out) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write, 1);
    posix_spawnattr_init(&attributes);
    // What this program ignores or blocks is its own matter.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

/// write() that never raises SIGPIPE, whatever the program does with that signal.
ssize_t write_quietly(int fd, std::string_view bytes) {
  sigset_t broken;
  sigset_t before;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken, &before);
  const ssize_t put = ::write(fd, bytes.data(), bytes.size());
  const int code = errno;
  if (put < 0 && code == EPIPE) {
    const timespec now{};
    while (::sigtimedwait(&broken, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return put;
}

// Process-wide, as signals are: the process groups of children that run. A group's number is its
// own until its first process was waited for, so signals and waiting exclude each other.
struct Running {
  std::mutex mutex;
  std::set<pid_t> groups;
  bool ending = false;  // no further one may start
};

Running& running() {
  static Running* const instance = new Running();  // outlives static destruction
  return *instance;
}

/// Whether a group's first process has ended, and its status; the rest of the group is killed then.
/// The mutex is held.
bool reap(pid_t group, int& status) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(group), &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  if (info.si_pid == 0) return false;
  ::kill(-group, SIGKILL);
  while (::waitpid(group, &status, 0) < 0 && errno == EINTR) {
  }
  running().groups.erase(group);
  return true;
}

std::string in_words(int status) {
  if (WIFSIGNALED(status)) return cat("was ended by signal ", WTERMSIG(status));
  return cat("ended with status ", WEXITSTATUS(status));
}

}  // namespace

ChildProcess::ChildProcess(std::string command) : command_(std::move(command)) {
  Pipe in;
  Pipe out;
  const SpawnSettings settings(in, out);
  std::string shell = "sh";
  std::string option = "-c";
  std::array<char*, 4> arguments = {shell.data(), option.data(), command_.data(), nullptr};
  {
    const std::lock_guard<std::mutex> lock(running().mutex);
    if (running().ending)
      throw Error(ErrorKind::kOs, cat(command_, ": the process is being stopped"));
    pid_t pid = -1;
    const int code = posix_spawn(&pid, "/bin/sh", &settings.actions, &settings.attributes,
                                 arguments.data(), environ);
    if (code != 0) throw os_error(ErrorKind::kOs, command_, "cannot be started", code);
    running().groups.insert(pid);
    pid_ = pid;
  }
  std::swap(in_, in.write);
  std::swap(out_, out.read);
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

ChildProcess::~ChildProcess() {
  if (in_ >= 0) ::close(in_);
  ::close(out_);
  const Clock::time_point end = Clock::now() + kGrace;
  while (ended().empty()) {
    if (Clock::now() >= end) kill_group();
    std::this_thread::sleep_for(milliseconds(2));
  }
}

std::string ChildProcess::ended() {
  if (pid_ < 0) return status_;
  const std::lock_guard<std::mutex> lock(running().mutex);
  const pid_t group = static_cast<pid_t>(pid_);
  int status = 0;
  if (running().groups.find(group) == running().groups.end()) {  // by end_children()
    status_ = "was ended";
  } else if (reap(group, status)) {
    status_ = in_words(status);
  } else {
    return {};
  }
  pid_ = -1;
  return status_;
}

void ChildProcess::kill_group() {
  if (pid_ < 0) return;
  const std::lock_guard<std::mutex> lock(running().mutex);
  const pid_t group = static_cast<pid_t>(pid_);
  if (running().groups.find(group) != running().groups.end()) ::kill(-group, SIGKILL);
}

void ChildProcess::fail_ended() {
  // Its pipe is closed a moment before its status is there.
  const Clock::time_point end = Clock::now() + kGrace;
  while (ended().empty() && Clock::now() < end)
    std::this_thread::sleep_for(milliseconds(2));
  const std::string status = ended();
  throw Error(ErrorKind::kUnavailable,
              cat(quote(command_), " ", status.empty() ? "closed its output" : status,
                  " before it answered"));
}

bool ChildProcess::read_some() {
  const std::size_t before = held_.size();
  held_.resize(before + kReadBytes);
  const ssize_t got = ::read(out_, held_.data() + before, kReadBytes);
  const int code = errno;
  held_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0 && code != EAGAIN && code != EINTR)
    throw os_error(ErrorKind::kIo, command_, "cannot read its output", code);
  return got != 0;
}

void end_children() {
  Running& all = running();
  const Clock::time_point end = Clock::now() + kGrace;
  bool killed = false;
  const auto signal_all = [&all](int signal) {
    for (const pid_t group : all.groups)
      ::kill(-group, signal);
  };
  std::unique_lock<std::mutex> lock(all.mutex);
  all.ending = true;
  signal_all(SIGTERM);
  while (true) {
    const std::set<pid_t> groups = all.groups;
    int status = 0;
    for (const pid_t group : groups)
      reap(group, status);
    if (all.groups.empty()) return;
    if (!killed && Clock::now() >= end) {
      signal_all(SIGKILL);
      killed = true;
    }
    lock.unlock();
    std::this_thread::sleep_for(milliseconds(2));
    lock.lock();
  }
}

bool ChildProcess::readable(i64 ms) const {
  pollfd fd = {out_, POLLIN, 0};
  return ::poll(&fd, 1, static_cast<int>(std::clamp<i64>(ms, 0, kLook))) > 0;
}

void ChildProcess::check_taken() const {
  if (held_.size() > taken_)
    throw Error(ErrorKind::kData, cat(quote(command_), " wrote more than one line for a line"),
                "it must answer each line with a line");
}

void ChildProcess::finish() {
  if (in_ >= 0) ::close(in_);
  in_ = -1;
  const Clock::time_point end = Clock::now() + kGrace;
  for (bool open = true; open;) {
    check_taken();
    const i64 left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    if (left <= 0) break;
    if (readable(left)) {
      open = read_some();
    } else if (!ended().empty()) {
      break;  // what it left behind may hold its output open
    }
  }
  check_taken();
}

std::string_view ChildProcess::ask(std::string_view line, i64 timeout_ms) {
  held_.erase(0, taken_);
  taken_ = 0;
  if (readable(0)) read_some();  // its end is noticed below
  check_taken();
  std::string request(line);
  request += '\n';
  std::size_t written = 0;
  std::size_t searched = 0;
  const Clock::time_point end = Clock::now() + milliseconds(timeout_ms);
  for (;;) {
    const std::size_t lf = held_.find('\n', searched);
    if (lf != std::string::npos && written == request.size()) {
      taken_ = lf + 1;
      return std::string_view(held_).substr(0, lf);
    }
    if (lf == std::string::npos) searched = held_.size();
    const i64 left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      kill_group();
      throw Error(ErrorKind::kUnavailable,
                  cat(quote(command_), " gave no answer within ", timeout_ms / 1000, " s"),
                  "it must answer each line with a line, and flush it");
    }
    std::array<pollfd, 2> fds = {{{out_, POLLIN, 0}, {in_, POLLOUT, 0}}};
    const nfds_t count = written < request.size() ? 2 : 1;
    const int ready = ::poll(fds.data(), count, static_cast<int>(std::min(left, kLook)));
    if (ready < 0 && errno != EINTR)
      throw os_error(ErrorKind::kIo, command_, "cannot wait for it", errno);
    if (ready == 0) ended();  // what it left behind may hold its output open
    if (count == 2 && fds[1].revents != 0) {
      const ssize_t put = write_quietly(in_, std::string_view(request).substr(written));
      if (put > 0) written += static_cast<std::size_t>(put);
      if (put < 0 && errno == EPIPE) fail_ended();
      if (put < 0 && errno != EAGAIN && errno != EINTR && errno != EPIPE)
        throw os_error(ErrorKind::kIo, command_, "cannot write to it", errno);
    }
    if (fds[0].revents != 0 && !read_some()) fail_ended();
  }
}

}  // namespace lm::io
