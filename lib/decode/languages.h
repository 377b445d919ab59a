#pragma once
// The languages that texts are held to, compiled once and kept, the last ones, so that requests
// with one schema share what is known of it. Their tables and masks are inside --memory: what
// nobody uses gives way, what is used and does not fit ends the run (Error{kOs}).
// Thread-safe.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "grammar/grammar.h"
#include "grammar/matcher.h"
#include "grammar/table_memory.h"
#include "io/json.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// A set of texts in one of the notations of lib/grammar.
struct Language {
  enum class Kind : u8 { kGbnf, kLark, kRegex, kSchema, kJson, kChoices };
  Kind kind = Kind::kGbnf;
  std::string text;  // of kSchema JSON, of kChoices a JSON list of texts, of kJson nothing
};

/// Fault "grammar" or "budget".
Result<grammar::GrammarPtr> compile(const Language& language, const grammar::SchemaOptions& schema,
                                    const grammar::CompileRoom& room = {});

/// Where a record says what its own text must be: "grammar" (EBNF), "regex", "schema" (an object, a
/// boolean, or their text), "choices" (texts), or "constraint" ({"type": regex, json_schema,
/// choices or grammar, "value": ...}); at most one of them.
struct LanguageFields {
  i64 grammar = -1;
  i64 regex = -1;
  i64 schema = -1;
  i64 choices = -1;
  i64 constraint = -1;
};
/// Of a constraint's type; nothing for another word.
std::optional<Language::Kind> constraint_kind(std::string_view type);
/// {"type", "value"} of a language of one of these kinds.
std::string constraint_json(const Language& language);
inline constexpr const char* kLanguageFields[] = {"grammar", "regex", "schema", "choices",
                                                  "constraint"};
/// Nothing where the record has none of them. Fault "grammar", "type" or "utf8".
Result<std::optional<Language>> language_of(io::JsonReader& json, const LanguageFields& fields);

struct LanguagesOptions {
  grammar::SchemaOptions schema = {};
  // Of one language, for its compiling and for its states; never more than a quarter of what memory
  // has.
  i64 state_bytes = i64{256} << 20;
  i64 kept = 16;                   // languages
  MemoryBudget* memory = nullptr;  // null: not charged
};

class Languages {
 public:
  using Matcher = std::shared_ptr<grammar::Matcher>;  // shared by who uses it and what is kept

  /// ends: ids that end a text. Borrows the tokenizer; vocab: of the model, at least its.
  Languages(const text::Tokenizer& tokenizer, i64 vocab, std::vector<i32> ends,
            const LanguagesOptions& options);
  /// Over texts by id instead of a tokenizer's.
  Languages(std::vector<std::string> texts, std::vector<i32> ends, const LanguagesOptions& options);
  ~Languages();
  Languages(const Languages&) = delete;
  Languages& operator=(const Languages&) = delete;

  /// What one language may take: LanguagesOptions::state_bytes, or a quarter of memory.
  i64 state_bytes() const { return options_.state_bytes; }

  /// Fault "grammar" or "budget".
  Result<Matcher> get(const Language& language);

 private:
  Result<Matcher> make(const Language& language);
  void make_trie();
  bool drop_idle();

  const text::Tokenizer* tokenizer_ = nullptr;
  i64 vocab_ = 0;
  std::vector<std::string> texts_;
  std::vector<i32> ends_;
  LanguagesOptions options_;
  std::shared_ptr<grammar::TableMemory> memory_;  // shared with the matchers, which may live longer
  std::once_flag first_;                          // the first language makes
  std::shared_ptr<const grammar::TokenTrie> trie_;  // shared with all matchers
  i64 charged_ = 0;                                 // for it

  std::mutex mutex_;                     // guards what follows
  std::map<std::string, Matcher> made_;  // by kind and text
  std::vector<std::string> order_;       // of made_, the least lately used first
};

}  // namespace lm::decode
