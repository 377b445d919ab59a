#pragma once
// Tokenizers of a run: the shards' own and the one that is loaded.

#include "train.h"

namespace lm::train_tool {

/// The tokenizer that all training shards were made with; none for a stream. Error{kData}: two
/// shards differ in it.
std::optional<text::TokenizerIdentity> shard_tokenizer(const cli::Options& o, const Setup& setup);

/// --tokenizer, or the folder of --init-from where it holds a tokenizer; else empty.
std::string tokenizer_path(const cli::Options& o);

/// Loads --tokenizer, or the one of --init-from, or the one that the shards' manifest names where
/// it still lies beside them or here, into `run`: byte table, what checkpoints copy. Error{kData}:
/// the first or the second is not the shards'. path: where it lies, empty without.
std::optional<text::TokenizerIdentity> use_tokenizer(
    cli::Tool& tool, const std::optional<text::TokenizerIdentity>& shards, train::RunOptions& run,
    std::string& path);

/// The token that an option names by its text, or, where none is spelled so, by its id, of a
/// vocabulary of `vocab` ids; path: of the tokenizer, empty: there is none. Throws Error{kUsage}
/// naming the option.
i32 token_named(const cli::Options& o, const std::string& option, const std::string& path,
                i64 vocab);

}  // namespace lm::train_tool
