#pragma once
// SentencePiece's normalisation table ("precompiled_charsmap"): strings and what becomes of them,
// as a double array and a block of replacements. Here as the Hugging Face engine applies it, which
// is not how the library does: a grapheme cluster of less than 6 bytes, else each of its
// characters, becomes what the shortest key that it begins with stands for. Immutable; safe to
// share.
// Source: darts-clone (unit layout); the engine's behaviour was observed (scripts/bench).

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::text {

/// Checks that every index of a table lies inside it. Throws Error{kData} that starts with name.
void check_charsmap(std::string_view map, const std::string& name);

class Charsmap {
 public:
  /// Throws as check_charsmap. An empty table changes nothing.
  Charsmap(std::string table, const std::string& name);

  /// What the shortest key that text begins with stands for.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  u32 unit(u64 index) const;

  std::string table_;
  u64 trie_units_ = 0;
};

/// End of the grapheme cluster that begins at text[at], exact for clusters of less than 6 bytes:
/// longer ones may end early, at a character of at least 3 bytes.
i64 cluster_end(std::string_view text, i64 at);

}  // namespace lm::text
