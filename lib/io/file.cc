#include "io/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/str.h"
#include "io/spill.h"

namespace lm::io {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

void Fd::close(std::string_view name) {
  const int fd = release();
  // EINTR on Linux leaves the descriptor closed; it is no failure.
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) {
    throw os_error(ErrorKind::kIo, name, "close failed", errno);
  }
}

Fd open_input(const std::string& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw os_error(ErrorKind::kNoInput, path, "cannot open", errno);
  struct stat st {};
  if (::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
    ::close(fd);
    throw Error(ErrorKind::kNoInput, cat(path, ": is a directory, expected a file"));
  }
  return Fd(fd);
}

i64 read_some(int fd, void* buf, i64 size, std::string_view name) {
  while (true) {
    const ssize_t n = ::read(fd, buf, usize(size));
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    throw os_error(ErrorKind::kIo, name, "read failed", errno);
  }
}

i64 read_full(int fd, void* buf, i64 size, std::string_view name) {
  i64 done = 0;
  while (done < size) {
    const i64 n = read_some(fd, static_cast<char*>(buf) + done, size - done, name);
    if (n == 0) break;
    done += n;
  }
  return done;
}

i64 pread_full(int fd, void* buf, i64 size, i64 offset, std::string_view name) {
  i64 done = 0;
  while (done < size) {
    const ssize_t n =
        ::pread(fd, static_cast<char*>(buf) + done, usize(size - done), offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw os_error(ErrorKind::kIo, name, "read failed", errno);
    if (n == 0) break;
    done += n;
  }
  return done;
}

PipeClosed::PipeClosed(std::string_view name)
    : Error(ErrorKind::kIo, cat(name, ": the reader closed the pipe")) {}

void write_full(int fd, const void* buf, i64 size, std::string_view name) {
  i64 done = 0;
  while (done < size) {
    const ssize_t n = ::write(fd, static_cast<const char*>(buf) + done, usize(size - done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) throw PipeClosed(name);
    // Never opened for writing, or closed from the start: there is no such output.
    if (n < 0 && errno == EBADF)
      throw os_error(ErrorKind::kCannotCreate, name, "cannot write", errno);
    if (n < 0) throw os_error(ErrorKind::kIo, name, "write failed", errno);
    done += n;
  }
}

void pwrite_full(int fd, const void* buf, i64 size, i64 offset, std::string_view name) {
  i64 done = 0;
  while (done < size) {
    const ssize_t n =
        ::pwrite(fd, static_cast<const char*>(buf) + done, usize(size - done), offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw os_error(ErrorKind::kIo, name, "write failed", errno);
    done += n;
  }
}

void enlarge_pipe(int fd) {
  if (::fcntl(fd, F_SETPIPE_SZ, 1 << 20) < 0) return;
}

i64 file_size(int fd, std::string_view name) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) throw os_error(ErrorKind::kIo, name, "stat failed", errno);
  return st.st_size;
}

bool is_regular(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

bool path_exists(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0;
}

std::string read_file(const std::string& path, i64 max_bytes) {
  Fd fd = open_input(path);
  std::string out;
  std::string buf(1 << 16, '\0');
  while (true) {
    const i64 n = read_some(fd.get(), buf.data(), isize(buf), path);
    if (n == 0) return out;
    if (isize(out) + n > max_bytes) {
      throw Error(ErrorKind::kData, cat(path, ": larger than ", format_bytes(max_bytes)));
    }
    out.append(buf, 0, usize(n));
  }
}

Mapping::Mapping(const std::string& path) {
  const Fd fd = open_input(path);
  size_ = file_size(fd.get(), path);
  if (size_ == 0) return;
  base_ = ::mmap(nullptr, usize(size_), PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (base_ == MAP_FAILED) {
    base_ = nullptr;
    throw os_error(ErrorKind::kIo, path, "cannot map", errno);
  }
}

Mapping::Mapping(Mapping&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    if (base_ != nullptr) ::munmap(base_, usize(size_));
    base_ = std::exchange(other.base_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Mapping::~Mapping() {
  if (base_ != nullptr) ::munmap(base_, usize(size_));
}

Fd open_spill(const std::string& dir, std::string& name) {
  name = cat(dir, "/lm-spill-XXXXXX");
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw os_error(ErrorKind::kCannotCreate, dir, "cannot create a spill file", errno);
  ::unlink(name.c_str());
  return Fd(fd);
}

TempFile::TempFile(const std::string& dir) {
  fd_ = open_spill(dir, name_);
}

void TempFile::append(const void* data, i64 bytes) {
  pwrite_full(fd_.get(), data, bytes, size_, name_);
  size_ += bytes;
}

i64 TempFile::read_at(void* buf, i64 bytes, i64 offset) const {
  return pread_full(fd_.get(), buf, bytes, offset, name_);
}

TempReader::TempReader(const TempFile& file, i64 begin, i64 end, i64 buffer_bytes)
    : file_(&file), next_(begin), end_(end) {
  buf_.reserve(usize(buffer_bytes));
}

bool TempReader::read(void* out, i64 bytes) {
  i64 done = 0;
  while (done < bytes) {
    if (at_ == buf_.size()) {
      const i64 want = std::min<i64>(static_cast<i64>(buf_.capacity()), end_ - next_);
      if (want == 0) {
        if (done == 0) return false;
        throw Error(ErrorKind::kIo, "spill file: ended inside an item");
      }
      buf_.resize(usize(want));
      const i64 got = file_->read_at(buf_.data(), want, next_);
      if (got != want) throw Error(ErrorKind::kIo, "spill file: shorter than written");
      next_ += got;
      at_ = 0;
    }
    const i64 take = std::min<i64>(bytes - done, isize(buf_) - static_cast<i64>(at_));
    std::memcpy(static_cast<char*>(out) + done, buf_.data() + at_, usize(take));
    at_ += usize(take);
    done += take;
  }
  return true;
}

}  // namespace lm::io
