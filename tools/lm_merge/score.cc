#include "score.h"

#include <cerrno>
#include <cmath>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::merge_tool {

namespace {

constexpr i64 kMaxOutputBytes = 4096;

// In the child, between fork and exec: only calls that are allowed there.
[[noreturn]] void become_shell(int in, int out, char* const* words) {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::dup2(in, 0) == 0 && ::dup2(out, 1) == 1) ::execv("/bin/sh", words);
  ::_exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw os_error(ErrorKind::kOs, "waitpid", "cannot wait", errno);
  }
  return status;
}

}  // namespace

f64 ScoreCommand::operator()(const std::string& folder) const {
  // The shell gets SIGTERM when this process dies, however it does, and passes it on to all that
  // the command has started: nobody waits for the number any more.
  std::string script =
      cat("trap 'trap - TERM; kill -TERM 0' TERM\n{ ", command_, " \"$1\"\n} &\nwait $!");
  std::string shell = "sh", option = "-c", name = "lm-merge", word = folder;
  char* const words[] = {shell.data(), option.data(), script.data(),
                         name.data(),  word.data(),   nullptr};
  const io::Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (!in.valid() || ::pipe2(ends, O_CLOEXEC) != 0)
    throw os_error(ErrorKind::kOs, command_, "cannot be run", errno);
  const io::Fd from(ends[0]);
  io::Fd to(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw os_error(ErrorKind::kOs, command_, "cannot be run", errno);
  if (child == 0) become_shell(in.get(), to.get(), words);
  to.close("a pipe");
  std::string output(kMaxOutputBytes, '\0');
  output.resize(usize(io::read_full(from.get(), output.data(), kMaxOutputBytes, command_)));
  std::string rest(kMaxOutputBytes, '\0');
  while (io::read_some(from.get(), rest.data(), kMaxOutputBytes, command_) > 0) {
  }  // to its end, so that the command does not fail by a closed pipe
  const int status = wait_for(child);
  const std::string what = cat("--score ", quote(command_, 200), " on ", folder);
  if (WIFSIGNALED(status))
    throw Error(ErrorKind::kUnavailable, cat(what, ": ended by signal ", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    throw Error(ErrorKind::kUnavailable, cat(what, ": ended with status ", WEXITSTATUS(status)));
  const std::optional<f64> score = parse_float(trim(output));
  if (!score || std::isnan(*score)) {
    throw Error(ErrorKind::kData,
                cat(what, ": printed ", quote(trim(output)), ", expected a number"),
                "other output of the command belongs on standard error");
  }
  return *score;
}

}  // namespace lm::merge_tool
