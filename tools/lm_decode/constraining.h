#pragma once
// --grammar, --json-schema and their kind: what texts must be, for all records or by a record's own
// fields.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "core/result.h"
#include "decode/generate.h"
#include "grammar/grammar.h"
#include "grammar/matcher.h"
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

  /// What a record says of its own text: JSON of "grammar" (EBNF), "regex", "schema" (an object, a
  /// boolean, or their text) and "choices" (texts); at most one.
  struct Fields {
    std::optional<std::string> grammar;
    std::optional<std::string> regex;
    std::optional<std::string> schema;
    std::vector<std::string> choices;
  };
  /// Sets a request's constraint. Fault "grammar" or "budget".
  std::optional<Fault> set(const Fields& fields, decode::GenerateRequest& request);

 private:
  enum class Kind : u8 { kGbnf, kLark, kRegex, kSchema, kJson, kChoices };
  using Matcher = std::shared_ptr<grammar::Matcher>;

  Result<grammar::GrammarPtr> compile(Kind kind, const std::string& text) const;
  Result<Matcher> matcher(Kind kind, const std::string& text);

  grammar::SchemaOptions schema_;
  grammar::MatcherOptions size_;
  bool asap_ = false;
  bool unbounded_ = false;
  std::shared_ptr<const grammar::TokenTrie> trie_;  // made with the first language
  const decode::Session& session_;
  std::optional<std::pair<Kind, std::string>> own_;  // of the options
  std::map<std::string, Matcher> made_;              // by kind and text
  std::vector<std::string> order_;                   // of made_, the least lately used first
};

}  // namespace lm::decode_tool
