#pragma once
// Patterns of file names: * and ? and [...] within a name, ** for any folders, none too.

#include <string>
#include <vector>

namespace lm::io {

bool is_glob(const std::string& pattern);

/// Regular files (and what else is no folder) whose path matches, in byte order. A name that begins
/// with a dot is matched only by a pattern that does. A pattern without signs names the file that
/// is there. Throws kPermission, kOs.
std::vector<std::string> glob(const std::string& pattern);

}  // namespace lm::io
