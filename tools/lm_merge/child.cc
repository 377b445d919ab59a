#include "child.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::merge_tool {

std::string find_program(const std::string& name) {
  std::error_code code;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", code);
  if (!code) {
    const std::string beside = (self.parent_path() / name).string();
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  const char* const path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "" : path;
  for (const std::string_view folder : split(folders, ':')) {
    const std::string file = cat(folder, "/", name);
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  throw Error(ErrorKind::kUnavailable,
              cat(name, ": is neither beside lm-merge nor in a folder of PATH"));
}

pid_t start_child(const std::vector<std::string>& words, const ChildOptions& options) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  const io::Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const pid_t parent = ::getpid();
  const pid_t child = in.valid() ? ::fork() : -1;
  if (child < 0) throw os_error(ErrorKind::kOs, words[0], "cannot be run", errno);
  if (child == 0) {  // only calls that are allowed between fork and exec
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (options.own_group) ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() == parent && ::dup2(in.get(), 0) == 0 && ::dup2(options.out, 1) == 1)
      ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  return child;
}

namespace {

std::optional<ChildEnd> child_end(pid_t child, int options) {
  int status = 0;
  ChildEnd out;
  while ((out.child = ::waitpid(child, &status, options)) < 0) {
    if (errno != EINTR) throw os_error(ErrorKind::kOs, "waitpid", "cannot wait", errno);
  }
  if (out.child == 0) return std::nullopt;
  if (WIFSIGNALED(status)) {
    out.signal = WTERMSIG(status);
  } else {
    out.exit = WEXITSTATUS(status);
  }
  return out;
}

}  // namespace

ChildEnd wait_for_child(pid_t child) {
  return *child_end(child, 0);
}

std::optional<ChildEnd> ended_child() {
  return child_end(-1, WNOHANG);
}

f64 children_cpu_s() {
  struct rusage used {};
  ::getrusage(RUSAGE_CHILDREN, &used);  // fails for no valid arguments
  const auto seconds = [](const timeval& t) {
    return static_cast<f64>(t.tv_sec) + 1e-6 * static_cast<f64>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace lm::merge_tool
