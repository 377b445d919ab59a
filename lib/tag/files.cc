#include "tag/files.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::tag {

void TagFiles::give(const std::string& name, const std::string& path) {
  if (!given_.emplace(name, Given{path}).second)
    throw Error(ErrorKind::kUsage,
                name.empty() ? std::string("--model: two files without a name")
                             : cat("--model: ", quote(name), " is given twice"),
                "NAME=FILE says which file is whose");
}

std::string TagFiles::path_of(const std::string& name) {
  for (const std::string& key : {name, std::string()}) {
    const auto at = given_.find(key);
    if (at == given_.end()) continue;
    at->second.used = true;
    return at->second.path;
  }
  return "";
}

std::vector<std::string> TagFiles::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, given] : given_)
    if (!given.used) names.push_back(name.empty() ? given.path : name);
  return names;
}

}  // namespace lm::tag
