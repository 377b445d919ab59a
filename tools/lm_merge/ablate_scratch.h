#pragma once
// The records of ablate init, tokenised, in scratch files: how much there is of a key is known only
// when all are read.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ablate/split.h"
#include "cli/tool.h"
#include "io/atomic_file.h"
#include "text/shard_set.h"
#include "text/shards.h"
#include "text/tokenizer.h"

namespace lm::merge_tool {

/// What is known of a record without its text.
struct Document {
  i64 key = 0;
  ablate::Part part = ablate::Part::kUnit;
  bool overlaps = false;  // too much of it is held out
  i64 tokens = 0;
  i64 begin = 0;  // of its line in the scratch file
  i64 bytes = 0;  // with its line feed
};

class RecordScratch {
 public:
  /// Loads --tokenizer. Throws Error{kUsage} for fields that one record cannot all have.
  explicit RecordScratch(cli::Tool& tool);
  /// Reads the tool's records: once.
  void read();

  std::vector<Document>& documents() { return documents_; }
  const std::vector<Document>& documents() const { return documents_; }
  /// Their keys' numbers by name.
  const std::map<std::string, i64>& keys() const { return keys_; }
  std::vector<i32> tokens_of(i64 document) const;
  /// With its line feed.
  std::string_view line_of(i64 document) const;
  const text::TokenizerIdentity& tokenizer() const { return identity_; }
  bool ends_documents() const { return eos_.has_value(); }

 private:
  struct Worker {
    io::JsonReader json;
    std::unique_ptr<text::EncodeState> state;
  };
  struct ReadDocument {
    std::string key;
    ablate::Part part = ablate::Part::kUnit;
    std::vector<i32> ids;
    std::string line;
  };
  std::optional<Fault> read_one(io::Record& record, text::EncodeState& state,
                                ReadDocument& out) const;

  cli::Tool& tool_;
  std::vector<std::string> paths_;  // of the key's fields, then of the text
  std::unique_ptr<text::Tokenizer> tokenizer_;
  text::TokenizerIdentity identity_;
  std::optional<i32> eos_;
  f64 valid_ = 0;
  f64 test_ = 0;
  io::AtomicDir scratch_;  // never committed: gone at the end
  std::map<std::string, i64> keys_;
  std::vector<Document> documents_;
  i64 charged_ = 0;
  std::optional<text::ShardSet> tokens_;
  std::optional<io::Mapping> lines_;
};

}  // namespace lm::merge_tool
