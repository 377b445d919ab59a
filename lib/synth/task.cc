#include "synth/task.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::synth {

const std::vector<std::string>& split_names() {
  static const std::vector<std::string> names = {"train", "valid", "test"};
  return names;
}

const std::vector<TaskInfo>& tasks() {
  static const std::vector<TaskInfo> all = [] {
    std::vector<TaskInfo> out;
    add_word_tasks(out);
    add_bit_tasks(out);
    add_symbol_tasks(out);
    add_cipher_task(out);
    add_preference_task(out);
    add_accord_tasks(out);
    return out;
  }();
  return all;
}

const TaskInfo& task_named(std::string_view name) {
  std::vector<std::string> names;
  for (const TaskInfo& task : tasks()) {
    if (task.name == name) return task;
    names.push_back(task.name);
  }
  const std::string near = nearest_name(name, names);
  throw Error(
      ErrorKind::kUsage, cat(quote(name), " is no task"),
      near.empty() ? cat("tasks are ", join(names, ", ")) : cat("did you mean ", near, "?"));
}

}  // namespace lm::synth
