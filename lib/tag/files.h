#pragma once
// The files that taggers of a run read, each once: models, lists, tokenizers.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::tag {

class TagFiles {
 public:
  /// path is the file that taggers know as name; an empty name: the one that asks for a file.
  /// Throws Error{kUsage} for a name that was given before.
  void give(const std::string& name, const std::string& path);
  /// The file called name, "" if there is none. It counts as used.
  std::string path_of(const std::string& name);
  /// What load(path) makes of a file, made once per T for all who read it. Marks path as read.
  template <class T, class Load>
  std::shared_ptr<const T> read(const std::string& path, Load&& load) {
    std::shared_ptr<const void>& held = held_[{std::type_index(typeid(T)), path}];
    if (held == nullptr) held = std::make_shared<const T>(std::forward<Load>(load)(path));
    paths_.insert(path);
    return std::static_pointer_cast<const T>(held);
  }
  /// Names that were given and that no tagger asked for.
  std::vector<std::string> unused() const;
  /// Paths that were read, rising.
  const std::set<std::string>& paths() const { return paths_; }
  /// Entries of the list at path, for the report; 0 for what is no list.
  void set_entries(const std::string& path, i64 entries) { entries_[path] = entries; }
  i64 entries(const std::string& path) const {
    const auto at = entries_.find(path);
    return at == entries_.end() ? 0 : at->second;
  }
  /// What to tell the user of a file, each once.
  void warn(const std::string& warning) { warnings_.insert(warning); }
  const std::set<std::string>& warnings() const { return warnings_; }

 private:
  struct Given {
    std::string path;
    bool used = false;
  };
  std::map<std::string, Given> given_;
  std::map<std::pair<std::type_index, std::string>, std::shared_ptr<const void>> held_;
  std::set<std::string> paths_;
  std::map<std::string, i64> entries_;
  std::set<std::string> warnings_;
};

}  // namespace lm::tag
