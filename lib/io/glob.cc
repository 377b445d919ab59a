#include "io/glob.h"

#include <algorithm>
#include <filesystem>

#include <fnmatch.h>

#include "core/str.h"
#include "io/folder.h"

namespace lm::io {

namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string below(const std::string& folder, std::string_view name) {
  return cat(folder, folder.empty() || folder.ends_with('/') ? "" : "/", name);
}

/// folder: "" where the path begins, else a folder that is there.
void expand(const std::string& folder, std::span<const std::string> parts,
            std::vector<std::string>& out) {
  const std::string& part = parts[0];
  const bool last = parts.size() == 1;
  const auto take = [&](const std::string& path) {
    if (last ? fs::exists(path) && !is_folder(path) : is_folder(path))
      last ? out.push_back(path) : expand(path, parts.subspan(1), out);
  };
  if (part != "**" && !is_glob(part)) return take(below(folder, part));
  for (const std::string& name : list_folder(folder.empty() ? "." : folder)) {
    const std::string path = below(folder, name);
    if (part != "**") {
      if (::fnmatch(part.c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0) take(path);
    } else if (!name.starts_with('.')) {
      if (is_folder(path) && !fs::is_symlink(path)) {
        expand(path, parts, out);
      } else if (last) {
        take(path);
      }
    }
  }
  if (part == "**" && !last) expand(folder, parts.subspan(1), out);
}

}  // namespace

bool is_glob(const std::string& pattern) {
  return pattern.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> glob(const std::string& pattern) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(std::string_view(pattern), '/')) {
    if (!part.empty()) parts.emplace_back(part);
  }
  std::vector<std::string> out;
  if (parts.empty()) return out;
  expand(pattern.starts_with('/') ? "/" : "", parts, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace lm::io
