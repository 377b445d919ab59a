#pragma once
// Programs that take attributes from files beside the documents, joined line by line.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "mix/sidecar.h"

namespace lm::tool_options {

/// --sidecar --attr-merge. also: another option that may stand for --sidecar; or null.
std::vector<cli::Flag> sidecar_flags(const char* also);
/// The files of --sidecar: by folder, one for each of the documents. Throws Error{kUsage}.
std::vector<std::vector<std::string>> sidecar_paths(const cli::Options& options,
                                                    const std::vector<std::string>& documents);

/// Rows of attribute files for the records of a batch, in their order.
struct BatchRows {
  std::vector<i64> lines;                      // of the records
  std::vector<std::vector<std::string>> rows;  // by folder
  std::vector<std::vector<i64>> row_lines;     // their numbers in the attribute files
};

/// Attribute files of a stream: rows are taken in stream order, batch by batch, and joined by the
/// workers.
class Sidecars {
 public:
  struct Fields {  // of the readers of the records
    i64 id;
    i64 attributes;
  };
  /// Opens the files. options: with those of sidecar_flags(). paths: by folder, one for each of the
  /// documents. first: the number of the stream's first input among all.
  Sidecars(cli::Tool& tool, const cli::Options& options, Fields fields,
           const std::vector<std::vector<std::string>>& paths,
           const std::vector<std::string>& documents, i64 first);
  bool any() const { return !folders_.empty(); }
  /// Serial, in batch order: fills batch.user. Throws Error{kData}.
  void take(io::Batch& batch);
  /// All records were read: no row may be left.
  void end();

  /// A worker's part: the record with the attributes of its rows.
  class Joiner {
   public:
    explicit Joiner(const Sidecars& sidecars);
    /// Parses the joined line with record.json and makes it the record's. The batch's records come
    /// in order. A fault: a bad record. Throws Error{kData} for a row that is not the record's.
    std::optional<Fault> join(const io::Batch& batch, io::Record& record);

   private:
    const Sidecars& sidecars_;
    io::JsonReader row_;
    std::string padded_;
    std::string merged_;
    std::string line_;
    i64 batch_ = -1;
    std::size_t next_ = 0;  // record of the batch
  };

 private:
  cli::Tool& tool_;
  Fields fields_;
  i64 first_;
  mix::AttributeMerge merge_;
  std::vector<std::unique_ptr<mix::SidecarRows>> folders_;
};

}  // namespace lm::tool_options
