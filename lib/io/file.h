#pragma once
// Descriptors, whole-buffer reads and writes with EINTR and short counts handled, mappings, spill
// files. Every failure is an Error that names the file.

#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/types.h"

namespace lm::io {

/// Owns a file descriptor. close() reports errors; the destructor cannot and ignores them.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  /// Closes now; throws Error{kIo} naming `name` when the system reports a failure.
  void close(std::string_view name);

 private:
  int fd_ = -1;
};

/// Opens for reading. Throws kNoInput, or kPermission.
Fd open_input(const std::string& path);

/// Reads until size bytes or the end of input; returns the count. Throws kIo.
i64 read_some(int fd, void* buf, i64 size, std::string_view name);  // one successful read(2)
i64 read_full(int fd, void* buf, i64 size, std::string_view name);
i64 pread_full(int fd, void* buf, i64 size, i64 offset, std::string_view name);
/// Writes everything or throws kIo (EPIPE included: callers that care test PipeClosed).
void write_full(int fd, const void* buf, i64 size, std::string_view name);
void pwrite_full(int fd, const void* buf, i64 size, i64 offset, std::string_view name);

/// Thrown by write_full on EPIPE: the reader of our pipe has gone.
class PipeClosed : public Error {
 public:
  explicit PipeClosed(std::string_view name);
};

/// Asks for a buffer of 1 MiB, if fd is a pipe: fewer wake-ups. That it may be refused does not
/// matter.
void enlarge_pipe(int fd);

i64 file_size(int fd, std::string_view name);
bool is_regular(int fd);
bool path_exists(const std::string& path);

/// The whole file. Throws kNoInput/kIo, and kData above max_bytes.
std::string read_file(const std::string& path, i64 max_bytes = i64{1} << 40);

/// Read-only mapping of a whole file; empty files give an empty view. Movable.
class Mapping {
 public:
  Mapping() = default;
  /// Throws kNoInput, kPermission, kIo.
  explicit Mapping(const std::string& path);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  std::string_view bytes() const { return {static_cast<const char*>(base_), usize(size_)}; }
  i64 size() const { return size_; }
  const u8* data() const { return static_cast<const u8*>(base_); }

 private:
  void* base_ = nullptr;
  i64 size_ = 0;
};

/// A spill file in dir, already unlinked: it vanishes with the descriptor, whatever happens.
/// append() and read_at() may be mixed; one thread at a time for append.
class TempFile {
 public:
  /// Throws kCannotCreate naming dir.
  explicit TempFile(const std::string& dir);
  void append(const void* data, i64 bytes);
  i64 read_at(void* buf, i64 bytes, i64 offset) const;  // short only at the end of the file
  i64 size() const { return size_; }

 private:
  Fd fd_;
  std::string name_;
  i64 size_ = 0;
};

/// Buffered sequential reader over a region of a TempFile.
class TempReader {
 public:
  TempReader(const TempFile& file, i64 begin, i64 end, i64 buffer_bytes = 1 << 20);
  /// Reads exactly bytes, or returns false at the clean end of the region; a cut item throws kIo.
  bool read(void* out, i64 bytes);

 private:
  const TempFile* file_;
  i64 next_;
  i64 end_;
  std::string buf_;
  std::size_t at_ = 0;
};

}  // namespace lm::io
