#pragma once
// --grammar, --json-schema and their kind: what texts must be, for all records or by a record's own
// fields.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/tool.h"
#include "core/result.h"
#include "decode/asap.h"
#include "decode/generate.h"
#include "decode/languages.h"
#include "decode/session.h"
#include "generate_work.h"
#include "io/json.h"

namespace lm::decode_tool {

std::vector<cli::Flag> constraint_flags();

/// What a run's options and records' fields ask of texts.
struct Asked {
  std::optional<decode::Language> own;  // of the options
  std::string from;                     // where they say it, for messages
  u64 key = 0;                          // 64 bits of the file that was read, 0: none
};
/// Reads the files. Throws Error{kUsage} for options that do not go together.
Asked asked_language(cli::Tool& tool);
/// --json-space, --schema-lenient and --grammar-memory within --memory.
decode::LanguagesOptions language_options(const cli::Tool& tool);

/// Makes constraints of them.
class Constraining {
 public:
  /// Throws Error{kData} naming file and place for what is no grammar, Error{kOs} for one that is
  /// too large.
  Constraining(cli::Tool& tool, const decode::Session& session);

  /// What a record's text must be: its own fields' language before the options'. Fault "grammar",
  /// "type", "utf8" or "params".
  Result<std::optional<decode::Language>> asked(io::JsonReader& json,
                                                const decode::LanguageFields& fields,
                                                const decode::SampleParams& params) const;
  /// Sets the constraint of a record's request; to be called when its turn comes, for the language
  /// is kept as long as the request is. Fault "grammar" or "budget".
  std::optional<Fault> set(GenerateWork& work);
  /// A record is done: what it learned is kept for --asap-trie, in the order of the calls.
  void keep(GenerateWork& work);
  /// Adds the samples that come before those that are written, to a request with a language.
  /// Returns how many.
  i64 warm_up(decode::GenerateRequest& request) const;
  /// Writes --asap-trie anew, if there is one.
  void save();
  /// Adds what asap learned to the report.
  void report() const;
  u64 key() const { return asked_.key; }

 private:
  [[noreturn]] void refuse(const cli::Tool& tool, const Fault& fault) const;
  u64 mass_key(const decode::Language& language, const decode::GenerateRequest& request) const;

  cli::Tool& tool_;
  bool asap_ = false;
  bool unbounded_ = false;
  i64 warmup_ = 0;
  std::string trie_file_;
  decode::KeptMasses
      earlier_;  // what earlier runs have learned, which this run's records start from
  decode::KeptMasses learned_;  // what records of this run have learned
  i64 most_learned_ = 0;        // bytes of them
  i64 unlearned_ = 0;           // records of which nothing is kept
  const decode::Session& session_;
  Asked asked_;
  grammar::SchemaOptions schema_;
  decode::Languages languages_;
};

}  // namespace lm::decode_tool
