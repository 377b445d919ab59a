#include "io/folder.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include <dirent.h>

#include "core/error.h"

namespace lm::io {

std::vector<std::string> list_folder(const std::string& path) {
  const auto close = [](DIR* dir) { ::closedir(dir); };
  const std::unique_ptr<DIR, decltype(close)> dir(::opendir(path.c_str()), close);
  if (!dir) throw os_error(ErrorKind::kNoInput, path, "cannot list", errno);
  std::vector<std::string> out;
  while (true) {
    errno = 0;
    const struct dirent* const entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  if (errno != 0) throw os_error(ErrorKind::kIo, path, "cannot list", errno);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace lm::io
