#pragma once
// What the fuzz targets share. A target defines LLVMFuzzerTestOneInput: it feeds one input to a
// reader of untrusted bytes and lets every failure out but the documented refusals. driver.cc runs
// targets without libFuzzer.

#include <cstddef>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/types.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size);

namespace lm::fuzz {

/// Runs body. Refusing the input is fine; a broken invariant, missing memory and every other
/// exception end the program.
template <typename Body>
void refuse_or_run(Body body) {
  try {
    body();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kInternal || e.kind() == ErrorKind::kOs) throw;
  }
}

/// A file in memory, for readers that take a path: one on a disk costs milliseconds a time where
/// the file system writes out what is cut and written anew.
class ScratchFile {
 public:
  ScratchFile() : fd_(::memfd_create("lm-fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ErrorKind::kOs, "memfd_create: cannot make a file in memory");
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~ScratchFile() { ::close(fd_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  /// Replaces the content; returns the path.
  const std::string& put(std::string_view bytes) {
    if (::ftruncate(fd_, 0) != 0 ||
        ::pwrite(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      throw Error(ErrorKind::kIo, path_ + ": cannot be written");
    return path_;
  }

 private:
  int fd_;
  std::string path_;
};

inline std::string_view text_of(const u8* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace lm::fuzz
