#pragma once
// Folders that outputs lie in. Those that had to be made are removed again, as far as they are
// empty then, when the object goes without keep(), and by discard_unfinished_outputs().

#include <string>
#include <vector>

namespace lm::io {

class MadeFolders {
 public:
  MadeFolders() = default;
  ~MadeFolders();
  MadeFolders(const MadeFolders&) = delete;
  MadeFolders& operator=(const MadeFolders&) = delete;
  /// Makes a folder and what is missing above it. Throws Error{kCannotCreate}.
  void make(const std::string& path);
  void keep();

 private:
  std::vector<std::string> made_;
};

}  // namespace lm::io
