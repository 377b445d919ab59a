#pragma once
// What the fuzz targets share. A target defines LLVMFuzzerTestOneInput: it feeds one input to a
// reader of untrusted bytes and lets every failure out but the documented refusals. driver.cc runs
// targets without libFuzzer.

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

#include <stdlib.h>
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

/// A file of this process in a folder of its own, for readers that take a path. Removed at exit.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) {
    const char* const parent = ::getenv("TMPDIR");
    folder_ = std::string(parent == nullptr ? "/tmp" : parent) + "/lm-fuzz-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr)
      throw Error(ErrorKind::kCannotCreate, folder_ + ": cannot create");
    path_ = folder_ + "/" + name;
  }
  ~ScratchFile() {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  /// Replaces the content; returns the path.
  const std::string& put(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_;
  }

 private:
  std::string folder_;
  std::string path_;
};

inline std::string_view text_of(const u8* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace lm::fuzz
