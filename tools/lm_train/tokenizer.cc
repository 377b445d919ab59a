// Tokenizers of a run: the shards' and the one that is loaded must be the same.

#include "tokenizer.h"

#include <filesystem>
#include <map>

#include "core/str.h"
#include "text/token_roles.h"
#include "text/tokenizer.h"

namespace lm::train_tool {

namespace {

using cli::Options;

void check_tokenizer(const std::string& path, const text::Tokenizer& tokenizer, const Options& o,
                     const std::optional<text::TokenizerIdentity>& shards) {
  if (!shards || shards->sha256 == tokenizer.digest()) return;
  throw Error(
      ErrorKind::kData,
      cat(path, ": a tokenizer of ", tokenizer.vocab_size(), " ids with digest ",
          tokenizer.digest().substr(0, 16), ", but ", text::shard_manifest(o.list("data")[0]),
          " was made with ", quote(shards->name), " of ", shards->vocab_size, " ids with digest ",
          shards->sha256.substr(0, 16)),
      o.given("tokenizer")
          ? ""
          : "--tokenizer FILE names the shards' own, if the model's ids mean the same there");
}

/// What checkpoints hold of a tokenizer, read now: a long run outlives many a folder.
std::vector<std::pair<std::string, std::string>> tokenizer_copies(
    const std::string& path, const text::Tokenizer& tokenizer) {
  std::map<std::string, std::string> copies;
  for (const text::TokenizerFile& file : text::tokenizer_files(path))
    copies[file.name] = io::read_file(file.path);
  if (std::filesystem::is_directory(path)) {
    for (const char* name : model::tokenizer_file_names())
      if (const std::string file = cat(path, "/", name); io::path_exists(file))
        copies.try_emplace(name, io::read_file(file));
  }
  // transformers takes a bare tokenizer.json for whatever class the model's family has.
  if (copies.contains("tokenizer.json") && !copies.contains("tokenizer_config.json")) {
    std::vector<std::string> specials;
    for (i32 id = 0; id < tokenizer.vocab_size(); ++id)
      if (tokenizer.is_special(id)) specials.push_back(tokenizer.token_bytes(id, true));
    copies["tokenizer_config.json"] = text::tokenizer_config_json(specials);
  }
  return {copies.begin(), copies.end()};
}

/// A manifest has the name of the tokenizer's file or folder and its digest: what has both, beside
/// the shards or in the working folder, is the one; its path is set. Null without.
std::unique_ptr<text::Tokenizer> named_by_shards(cli::Tool& tool,
                                                 const text::TokenizerIdentity& shards,
                                                 std::string& path) {
  const std::filesystem::path manifest = text::shard_manifest(tool.options().list("data")[0]);
  std::error_code absent;
  for (const std::filesystem::path& place : {manifest.parent_path(), std::filesystem::path()}) {
    const std::string candidate = (place / shards.name).string();
    if (shards.name.empty() || !std::filesystem::exists(candidate, absent)) continue;
    try {
      std::unique_ptr<text::Tokenizer> found = text::load_tokenizer(candidate);
      if (found->digest() != shards.sha256) continue;
      for (const text::TokenizerFile& file : text::tokenizer_files(candidate))
        tool.add_input(file.path);
      tool.console().message(LogLevel::kInfo,
                             cat("tokenizer: ", candidate, ", as ", manifest.string(), " says"));
      path = candidate;
      return found;
    } catch (const Error& e) {  // another file of that name
      if (e.kind() == ErrorKind::kUsage) throw;
    }
  }
  tool.console().message(LogLevel::kInfo,
                         cat("checkpoints hold no tokenizer: ", quote(shards.name), " of ",
                             manifest.string(), " is neither beside it nor here"));
  return nullptr;
}

}  // namespace

std::string tokenizer_path(const Options& o) {
  if (o.given("tokenizer")) return o.text("tokenizer");
  if (!o.given("init-from")) return {};
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (io::path_exists(cat(o.text("init-from"), "/", name))) return o.text("init-from");
  return {};
}

std::optional<text::TokenizerIdentity> shard_tokenizer(const Options& o, const Setup& setup) {
  if (!setup.shards) return std::nullopt;
  const std::vector<text::ShardSet>& sets = setup.shards->sets();
  for (i64 i = 1; i < isize(sets); ++i) {
    const text::TokenizerIdentity& first = sets[0].tokenizer();
    const text::TokenizerIdentity& other = sets[usize(i)].tokenizer();
    if (first.sha256 != other.sha256 || first.vocab_size != other.vocab_size)
      throw Error(ErrorKind::kData,
                  cat(text::shard_manifest(o.list("data")[usize(i)]), ": made with tokenizer ",
                      quote(other.name), " (", other.vocab_size, " ids), but ",
                      text::shard_manifest(o.list("data")[0]), " with ", quote(first.name), " (",
                      first.vocab_size, " ids)"));
  }
  return sets[0].tokenizer();
}

std::optional<text::TokenizerIdentity> use_tokenizer(
    cli::Tool& tool, const std::optional<text::TokenizerIdentity>& shards, train::RunOptions& run,
    std::string& path) {
  const Options& o = tool.options();
  path = tokenizer_path(o);
  std::unique_ptr<text::Tokenizer> tokenizer;
  if (!path.empty()) {
    tokenizer = text::load_tokenizer(path);
    check_tokenizer(path, *tokenizer, o, shards);
  } else if (shards) {
    tokenizer = named_by_shards(tool, *shards, path);
  }
  if (!tokenizer) return std::nullopt;
  run.byte_table = train::token_byte_table(*tokenizer);
  run.files.tokenizer = tokenizer_copies(path, *tokenizer);
  return text::identity_of(*tokenizer, path);
}

i32 token_named(std::string_view option, const std::string& name, const std::string& path,
                i64 vocab) {
  const auto refuse = [&](const auto&... what) {
    throw Error(ErrorKind::kUsage, cat("--", option, " ", quote(name, 100), ": ", what...),
                "lm-tokenize train --special-token makes a vocabulary with tokens of one's own");
  };
  const std::optional<i64> number = parse_int(name);
  if (number && (*number < 0 || *number >= vocab))
    refuse("the model has ids from 0 to ", vocab - 1);
  if (number) return static_cast<i32>(*number);
  if (path.empty()) refuse("an id is needed, or a tokenizer that has the token (--tokenizer)");
  const std::optional<i32> id = text::load_tokenizer(path)->find(name);
  if (!id) refuse("no token of ", path, " is spelled so");
  if (*id >= vocab) refuse("token ", *id, " of ", path, ", but the model has ", vocab, " ids");
  return *id;
}

}  // namespace lm::train_tool
