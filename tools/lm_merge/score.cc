#include "score.h"

#include <cerrno>
#include <cmath>

#include <fcntl.h>
#include <unistd.h>

#include "child.h"
#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::merge_tool {

namespace {

constexpr i64 kMaxOutputBytes = 4096;

}  // namespace

f64 ScoreCommand::operator()(const std::string& folder) const {
  // The shell gets SIGTERM when this process dies, however it does, and passes it on to all that
  // the command has started: nobody waits for the number any more.
  const std::string script =
      cat("trap 'trap - TERM; kill -TERM 0' TERM\n{ ", command_, " \"$1\"\n} &\nwait $!");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw os_error(ErrorKind::kOs, command_, "cannot be run", errno);
  const io::Fd from(ends[0]);
  io::Fd to(ends[1]);
  const pid_t child = start_child({"/bin/sh", "-c", script, "lm-merge", folder},
                                  {.out = to.get(), .own_group = true});
  to.close("a pipe");
  std::string output(kMaxOutputBytes, '\0');
  output.resize(usize(io::read_full(from.get(), output.data(), kMaxOutputBytes, command_)));
  std::string rest(kMaxOutputBytes, '\0');
  while (io::read_some(from.get(), rest.data(), kMaxOutputBytes, command_) > 0) {
  }  // to its end, so that the command does not fail by a closed pipe
  const ChildEnd end = wait_for_child(child);
  const std::string what = cat("--score ", quote(command_, 200), " on ", folder);
  if (end.signal != 0)
    throw Error(ErrorKind::kUnavailable, cat(what, ": ended by signal ", end.signal));
  if (end.exit != 0)
    throw Error(ErrorKind::kUnavailable, cat(what, ": ended with status ", end.exit));
  const std::optional<f64> score = parse_float(trim(output));
  if (!score || std::isnan(*score)) {
    throw Error(ErrorKind::kData,
                cat(what, ": printed ", quote(trim(output)), ", expected a number"),
                "other output of the command belongs on standard error");
  }
  return *score;
}

}  // namespace lm::merge_tool
