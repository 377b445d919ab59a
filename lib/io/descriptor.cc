#include "io/descriptor.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"

namespace lm::io {

void keep_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest that is free is this one. Standard error takes what nobody reads.
    const int got = ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (got >= 0 && got != fd) ::close(got);
  }
}

void require_writable(int fd, std::string_view name) {
  const int flags = ::fcntl(fd, F_GETFL);
  const bool reads = flags >= 0 && (flags & O_ACCMODE) == O_RDONLY;
  if (flags < 0 || reads)
    throw os_error(ErrorKind::kCannotCreate, name, "cannot write", reads ? EBADF : errno);
}

}  // namespace lm::io
