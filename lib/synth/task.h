#pragma once
// Tasks whose data is made by rule: what a task draws, what of it decides which split it belongs
// to, and what its record says.

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/draws.h"
#include "synth/params.h"

namespace lm::synth {

enum class Split : u8 { kTrain, kValid, kTest };
const std::vector<std::string>& split_names();

/// Where a draw stands: a task's draws depend on this and its parameters alone.
struct Place {
  u64 seed = 0;
  i64 record = 0;
  i64 attempt = 0;  // redraws of a record, below 2^24
  Draws draws(std::string_view purpose) const { return {seed, purpose, record, attempt}; }
};

/// One drawn instance.
struct Drawn {
  virtual ~Drawn() = default;
  /// What two instances share exactly if they are the same; its hash decides the split.
  std::string canonical;
  /// Further differences between records that are no repetition of each other.
  std::string variant = {};
  /// A split by rule instead of by hash.
  std::optional<Split> split = {};
};

class Task {
 public:
  virtual ~Task() = default;
  /// Pure. Safe to call concurrently, as write() is.
  virtual std::unique_ptr<Drawn> draw(const Place& place) const = 0;
  /// Appends the record's fields, each with a comma before it. drawn: of the same place.
  virtual void write(const Drawn& drawn, const Place& place, std::string& fields) const = 0;
  /// Draws in which the rarest record comes once on average, of all splits: no fewer than records
  /// that differ. Infinity where that is not known.
  virtual f64 space() const { return std::numeric_limits<f64>::infinity(); }
  /// Ids of the form `ids`: 0 .. id_count() - 1; 0 where that form is not what is written.
  virtual i64 id_count() const { return 0; }
};

/// What a task is made for.
struct TaskSetup {
  u64 seed = 0;
  Split split = Split::kTrain;
  std::string form;            // one of the task's
  std::string_view text = {};  // cipher: text to encipher, or nothing. Outlives the task
};

struct TaskInfo {
  std::string name;
  std::string summary;
  std::vector<std::string> forms;  // the first is the default
  std::vector<Param> params;
  std::unique_ptr<Task> (*make)(const Params& params, const TaskSetup& setup);
};

/// In the order of the manual.
const std::vector<TaskInfo>& tasks();
/// Throws Error{kUsage} with the nearest name.
const TaskInfo& task_named(std::string_view name);

/// Each room file's own tasks.
void add_word_tasks(std::vector<TaskInfo>& out);
void add_symbol_tasks(std::vector<TaskInfo>& out);
void add_bit_tasks(std::vector<TaskInfo>& out);
void add_cipher_task(std::vector<TaskInfo>& out);
void add_preference_task(std::vector<TaskInfo>& out);
void add_accord_tasks(std::vector<TaskInfo>& out);

}  // namespace lm::synth
