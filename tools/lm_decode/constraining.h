#pragma once
// --grammar, --json-schema and their kind: what texts must be, for all records or by a record's own
// fields.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/tool.h"
#include "core/result.h"
#include "decode/asap.h"
#include "decode/generate.h"
#include "grammar/grammar.h"
#include "grammar/matcher.h"
#include "io/json.h"
#include "models.h"

namespace lm::decode_tool {

std::vector<cli::Flag> constraint_flags();

/// Makes constraints of a run's options and of records' fields. Languages that were made are kept,
/// the last ones, so that records with one schema share what is known of it.
class Constraining {
 public:
  /// Reads the files. Throws Error{kData} naming file and place for what is no grammar, and
  /// Error{kUsage} for options that do not go together.
  Constraining(cli::Tool& tool, const Models& models);

  /// Where a record says what its own text must be: "grammar" (EBNF), "regex", "schema" (an object,
  /// a boolean, or their text), "choices" (texts); at most one of them.
  struct Places {
    i64 grammar, regex, schema, choices;
  };
  /// Sets a request's constraint. Fault "grammar", "budget", "type" or "params".
  std::optional<Fault> set(io::JsonReader& json, const Places& places,
                           decode::GenerateRequest& request);
  /// Adds the samples that come before those that are written. Returns how many.
  i64 warm_up(decode::GenerateRequest& request) const;
  /// Writes --asap-trie anew, if there is one.
  void save();
  /// 64 bits of the files that were read, 0: none.
  u64 key() const { return key_; }

 private:
  enum class Kind : u8 { kGbnf, kLark, kRegex, kSchema, kJson, kChoices };
  using Matcher = std::shared_ptr<grammar::Matcher>;

  Result<grammar::GrammarPtr> compile(Kind kind, const std::string& text) const;
  Result<Matcher> matcher(Kind kind, const std::string& text);
  /// What a record or the options ask for.
  Result<std::optional<std::pair<Kind, std::string>>> asked(io::JsonReader& json,
                                                            const Places& places) const;

  u64 mass_key(const std::pair<Kind, std::string>& source,
               const decode::GenerateRequest& request) const;

  grammar::SchemaOptions schema_;
  grammar::MatcherOptions size_;
  bool asap_ = false;
  bool unbounded_ = false;
  i64 warmup_ = 0;
  std::string trie_file_;
  decode::KeptMasses masses_;                                                    // of earlier runs
  std::vector<std::pair<u64, std::shared_ptr<decode::PermittedMass>>> learned_;  // by record
  u64 key_ = 0;
  std::shared_ptr<const grammar::TokenTrie> trie_;  // made with the first language
  const decode::Session& session_;
  std::optional<std::pair<Kind, std::string>> own_;  // of the options
  std::map<std::string, Matcher> made_;              // by kind and text
  std::vector<std::string> order_;                   // of made_, the least lately used first
};

}  // namespace lm::decode_tool
