#pragma once
// What a folder holds.

#include <string>
#include <vector>

namespace lm::io {

/// Names of what is in a folder, sorted. Throws kNoInput, kPermission, kOs.
std::vector<std::string> list_folder(const std::string& path);

}  // namespace lm::io
