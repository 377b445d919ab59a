#pragma once
// What a task file says: the fields of lm-evaluation-harness tasks, over local data. A file holds
// one task or one group; "include" names files whose fields serve where the own one is silent.
// Everything is checked when it is read: unknown keys, wrong types and code are Error{kConfig} with
// file and line. Source of the field names and their defaults: lm-evaluation-harness 0.4.

#include <optional>
#include <string>
#include <vector>

#include "decode/languages.h"
#include "text/value.h"

namespace lm::eval {

enum class OutputType : u8 { kLoglikelihood, kRolling, kMultipleChoice, kGenerate };
const char* output_type_name(OutputType type);

struct FilterStep {
  std::string function;
  text::Value args;   // a map
  std::string where;  // FILE:LINE
};
/// Steps that answers go through before they are compared; results are listed under its name.
struct FilterPipe {
  std::string name;
  std::vector<FilterStep> steps;
};

struct MetricSpec {
  std::string name;
  std::string aggregation;  // empty: the metric's own
  std::optional<bool> higher_is_better;
  text::Value args;  // ignore_case and the like
  std::string where;
};

struct Generation {
  std::vector<std::string> until;
  i64 max_tokens = 256;
  bool sample = false;  // else greedy
  f64 temperature = 1;
  f64 top_p = 1;
  i64 top_k = 0;
};

/// Files of a split, relative to the task file.
struct DataSplit {
  std::string name;
  std::vector<std::string> files;
};

/// A doc_to_* entry: a field's name, a template, or the value itself.
struct DocPart {
  text::Value value;
  std::string where;  // FILE:LINE: key
  bool given() const { return !value.is_none(); }
};

/// What the answers of a document must be (doc_to_constraint).
struct ConstraintSpec {
  decode::Language::Kind kind = decode::Language::Kind::kRegex;
  DocPart value;  // of a document; none: anything
};

/// A document and a question, written in an order (doc_to_reading; decode/jrt.h).
struct ReadingSpec {
  DocPart context, question, kind, intro, cloze;
  std::string order = "CQ";
  std::string separator = "\n";
  bool given() const { return context.given(); }
};

struct FewshotSpec {
  std::string sampler = "default";   // or first_n
  std::string split;                 // empty: the rule of the task
  std::vector<text::Value> samples;  // instead of a split
  DocPart text, target, choice;      // instead of the task's
  std::optional<std::string> delimiter, target_delimiter;
};

struct TaskSpec {
  std::string name;
  std::string where;  // FILE:LINE of the task's name
  std::vector<std::string> tags;
  std::vector<DataSplit> splits;
  std::string training_split, validation_split, test_split;
  OutputType output_type = OutputType::kGenerate;
  DocPart text, target, choice, description, gen_prefix;
  ReadingSpec reading;  // instead of text
  std::string target_delimiter = " ";
  std::string fewshot_delimiter = "\n\n";
  FewshotSpec fewshot;
  i64 num_fewshot = 0;
  Generation generation;
  ConstraintSpec constraint;
  i64 repeats = 1;
  std::vector<FilterPipe> filters;  // at least one
  std::vector<MetricSpec> metrics;  // at least one
  text::Value version;
  text::Value config;  // as written, for the results

  /// The split that is evaluated: test, else validation.
  const std::string& evaluated_split() const {
    return test_split.empty() ? validation_split : test_split;
  }
};

struct GroupMetric {
  std::string metric;
  bool weight_by_size = true;
  std::string filter;  // empty: every one
};
struct GroupSpec {
  std::string name;
  std::string where;
  std::vector<std::string> members;  // tasks and groups
  std::vector<GroupMetric> metrics;  // empty: every metric that is a mean
};

struct TaskSet {
  std::vector<TaskSpec> tasks;  // in the order of the files, each once
  std::vector<GroupSpec> groups;
  std::vector<std::string> files;  // all that was read: those named, their includes, members
};

/// Reads the files, and for members of groups that none of them holds NAME.yaml beside the group's
/// file. Tasks that name a "group" or a "tag" form one of that name. A task with several orders of
/// reading becomes the group of NAME_ORDER, one task each. Throws Error{kNoInput} and
/// Error{kConfig}: two tasks of a name, members that are not found.
TaskSet read_tasks(const std::vector<std::string>& files);

}  // namespace lm::eval
