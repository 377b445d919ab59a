#include "text/shards.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "text/shard_files.h"

namespace lm::text {

namespace {

constexpr std::string_view kManifestBegin = "{\n \"format\": \"lm-token-shards\"";
constexpr i64 kMostManifestBytes = i64{1} << 30;
constexpr i64 kFlushBytes = i64{1} << 20;
constexpr std::size_t kPutTokens = std::size_t{1} << 16;  // so that documents of any length fit
constexpr i64 kMegatronU16Vocab = 65500;                  // its own rule for choosing u16

const std::vector<std::string>& layout_names() {
  static const std::vector<std::string> names = {"lm", "dolma", "megatron", "npy", "datatrove"};
  return names;
}

bool choose_wide(const TokenizerIdentity& tokenizer, const ShardOptions& options) {
  const i64 largest = tokenizer.vocab_size - 1;
  if (options.dtype == TokenDtype::kU16 && largest > 65535) {
    throw Error(ErrorKind::kUsage, cat("dtype u16 holds ids up to 65535, the vocabulary of ",
                                       tokenizer.vocab_size, " needs u32"));
  }
  if (options.dtype != TokenDtype::kAuto) return options.dtype == TokenDtype::kU32;
  if (options.layout == ShardLayout::kMegatron) return tokenizer.vocab_size >= kMegatronU16Vocab;
  return largest > 65535;
}

nlohmann::ordered_json id_or_null(const std::optional<i32>& id) {
  return id ? nlohmann::ordered_json(*id) : nlohmann::ordered_json(nullptr);
}

/// The files that the manifest at path lists, by name; none if there is no file. A manifest that
/// was cut off while it was written in place lists none. Throws Error{kCannotCreate} for other
/// files.
std::vector<std::string> listed_files(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) return {};
  const std::string text = io::read_file(path, kMostManifestBytes);
  if (!text.empty() && !text.starts_with(kManifestBegin)) {
    throw Error(ErrorKind::kCannotCreate,
                cat(path, ": exists and is no manifest of token shards; it is not replaced"),
                "another prefix will do");
  }
  const nlohmann::json root = nlohmann::json::parse(text, nullptr, false);
  if (root.is_discarded() || !root.contains("shards") || !root["shards"].is_array()) return {};
  std::vector<std::string> out;
  for (const nlohmann::json& shard : root["shards"]) {
    for (const char* key : {"file", "index"}) {
      if (!shard.is_object() || !shard.contains(key) || !shard[key].is_string()) continue;
      out.push_back(shard[key].get<std::string>());
      if (out.back().ends_with(".ds")) out.push_back(out.back() + ".metadata");
    }
  }
  return out;
}

}  // namespace

ShardLayout parse_shard_layout(std::string_view name) {
  const std::vector<std::string>& names = layout_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<ShardLayout>(i);
  }
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::kUsage,
              cat("no shard format ", quote(name), ", expected ", join(names, ", ")),
              nearest.empty() ? std::string() : cat("did you mean ", nearest, "?"));
}

std::string_view shard_layout_name(ShardLayout layout) {
  return layout_names()[static_cast<std::size_t>(layout)];
}

TokenizerIdentity identity_of(const Tokenizer& tokenizer, std::string name) {
  return {std::move(name), tokenizer.digest(), tokenizer.vocab_size(),
          tokenizer.bos(), tokenizer.eos(),    tokenizer.pad()};
}

// One open or finished shard: the token file, the running digest of its tokens, and what marks the
// documents.
struct ShardWriter::Shard {
  Shard(const std::string& path, ShardLayout layout, bool wide, u32 flags,
        const TokenizerIdentity& tokenizer, const io::OutputOptions& output)
      : base(path),
        file(base + std::string(token_suffix(layout)), output),
        marks(make_document_marks(layout, base, wide, flags, tokenizer, output)) {}

  void flush(std::string& buf) {
    file.write(buf);
    digest.update(buf);
    buf.clear();
  }

  std::string base;
  io::AtomicFile file;
  std::unique_ptr<DocumentMarks> marks;
  Xxh64Stream digest;  // of the token bytes; the NumPy header is not part of it
  i64 tokens = 0;
  i64 documents = 0;
};

ShardWriter::ShardWriter(std::string prefix, const TokenizerIdentity& tokenizer,
                         const ShardOptions& options)
    : prefix_(std::move(prefix)), tokenizer_(tokenizer), options_(options) {
  if (tokenizer_.vocab_size < 1 || tokenizer_.vocab_size > (i64{1} << 31)) {
    throw Error(ErrorKind::kUsage, cat("vocabulary of ", tokenizer_.vocab_size, " tokens"));
  }
  if (options_.shard_tokens < 1) {
    throw Error(ErrorKind::kUsage,
                cat("shards of ", options_.shard_tokens, " tokens, expected at least 1"));
  }
  if (options_.add_bos && !tokenizer_.bos) {
    throw Error(ErrorKind::kUsage, cat("the tokenizer ", tokenizer_.name, " has no BOS token"));
  }
  if (options_.add_eos && !tokenizer_.eos) {
    throw Error(ErrorKind::kUsage, cat("the tokenizer ", tokenizer_.name, " has no EOS token"));
  }
  wide_ = choose_wide(tokenizer_, options_);
  older_ = listed_files(prefix_ + ".json");
  manifest_ = std::make_unique<io::AtomicFile>(prefix_ + ".json", options_.output);
}

ShardWriter::~ShardWriter() = default;  // AtomicFile members discard what was not committed

void ShardWriter::open_shard() {
  const u32 flags = (options_.add_bos ? 1u : 0u) | (options_.add_eos ? 2u : 0u);
  shards_.push_back(std::make_unique<Shard>(cat(prefix_, "-", shard_number(isize(shards_))),
                                            options_.layout, wide_, flags, tokenizer_,
                                            options_.output));
  open_ = true;
  if (options_.layout == ShardLayout::kNpy) shards_.back()->file.write(npy_header(wide_, 0));
}

void ShardWriter::close_shard() {
  Shard& shard = *shards_.back();
  shard.flush(buf_);
  if (options_.layout == ShardLayout::kNpy) shard.file.write_at(npy_header(wide_, shard.tokens), 0);
  shard.file.finish();
  shard.marks->finish(shard.documents, shard.tokens);
  open_ = false;
}

void ShardWriter::check_ids(std::span<const i32> tokens) const {
  // The sign of id, or of what is left to the last one: sums of blocks, which compilers vectorise
  // where a comparison as unsigned would be one by one.
  const u32 last = static_cast<u32>(tokenizer_.vocab_size - 1);
  u32 signs = 0;
  std::size_t at = 0;
  for (; at + 16 <= tokens.size(); at += 16) {
    for (std::size_t i = at; i < at + 16; ++i)
      signs |= static_cast<u32>(tokens[i]) | (last - static_cast<u32>(tokens[i]));
  }
  for (; at < tokens.size(); ++at)
    signs |= static_cast<u32>(tokens[at]) | (last - static_cast<u32>(tokens[at]));
  if (signs >> 31 == 0) return;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && tokens[i] < tokenizer_.vocab_size) continue;
    throw Error(ErrorKind::kData,
                cat("token id ", tokens[i], " at position ", i, " of document ", totals_.documents,
                    " is outside the vocabulary of ", tokenizer_.vocab_size));
  }
}

void ShardWriter::put(std::span<const i32> ids) {
  while (!ids.empty()) {
    const std::size_t now = std::min(ids.size(), kPutTokens);
    append_tokens(buf_, ids.first(now), wide_);
    ids = ids.subspan(now);
    if (isize(buf_) >= kFlushBytes) shards_.back()->flush(buf_);
  }
}

void ShardWriter::add(std::span<const i32> tokens, const DocumentOrigin& origin) {
  LM_CHECK(!committed_, "a committed ShardWriter takes no documents");
  check_ids(tokens);
  if (tokens.empty() && !options_.keep_empty) {
    ++totals_.empty_documents;
    return;
  }
  const bool bos = options_.add_bos && (tokens.empty() || tokens.front() != *tokenizer_.bos);
  const bool eos = options_.add_eos && (tokens.empty() || tokens.back() != *tokenizer_.eos);
  const i64 size = isize(tokens) + bos + eos;
  if (open_ && size > options_.shard_tokens - shards_.back()->tokens) close_shard();
  if (!open_) open_shard();
  if (bos) put({&*tokenizer_.bos, 1});
  put(tokens);
  if (eos) put({&*tokenizer_.eos, 1});

  Shard& shard = *shards_.back();
  shard.marks->add(shard.tokens, shard.tokens + size, origin);
  shard.tokens += size;
  ++shard.documents;
  ++totals_.documents;
  totals_.tokens += size;
  totals_.oversize_documents += size > options_.shard_tokens;
  if (shard.tokens >= options_.shard_tokens) close_shard();
}

std::string ShardWriter::manifest() const {
  nlohmann::ordered_json root;
  root["format"] = "lm-token-shards";
  root["version"] = 1;
  root["layout"] = shard_layout_name(options_.layout);
  root["dtype"] = wide_ ? "u32" : "u16";
  root["tokenizer"] = {{"name", tokenizer_.name}, {"sha256", tokenizer_.sha256}};
  root["vocab_size"] = tokenizer_.vocab_size;
  root["bos_id"] = id_or_null(tokenizer_.bos);
  root["eos_id"] = id_or_null(tokenizer_.eos);
  root["pad_id"] = id_or_null(tokenizer_.pad);
  root["bos_added"] = options_.add_bos;
  root["eos_added"] = options_.add_eos;
  root["tokens"] = totals_.tokens;
  root["documents"] = totals_.documents;
  root["empty_documents_skipped"] = totals_.empty_documents;
  if (!options_.command.empty()) root["command"] = options_.command;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const std::string name = std::filesystem::path(shard->base).filename().string();
    nlohmann::ordered_json one;
    one["file"] = name + std::string(token_suffix(options_.layout));
    one["index"] = name + std::string(marks_suffix(options_.layout));
    one["tokens"] = shard->tokens;
    one["documents"] = shard->documents;
    one["bytes"] = shard->tokens * (wide_ ? 4 : 2) + token_offset(options_.layout);
    one["xxh64"] = hex64(shard->digest.digest());
    list.push_back(std::move(one));
  }
  root["shards"] = std::move(list);
  // Names from the user may not be UTF-8: those bytes become U+FFFD instead of an exception.
  return root.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::vector<std::string> ShardWriter::file_names(const Shard& shard) const {
  const std::string base = std::filesystem::path(shard.base).filename().string();
  std::vector<std::string> names = {cat(base, token_suffix(options_.layout)),
                                    cat(base, marks_suffix(options_.layout))};
  if (options_.layout == ShardLayout::kDatatrove) names.push_back(base + ".ds.metadata");
  return names;
}

void ShardWriter::remove_older_files() const {
  std::vector<std::string> kept;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    for (std::string& name : file_names(*shard))
      kept.push_back(std::move(name));
  }
  std::sort(kept.begin(), kept.end());
  const std::filesystem::path prefix(prefix_);
  const std::string begin = prefix.filename().string() + "-";
  for (const std::string& name : older_) {
    if (!io::is_plain_file_name(name) || !name.starts_with(begin)) continue;
    if (std::binary_search(kept.begin(), kept.end(), name)) continue;
    const std::filesystem::path path = prefix.parent_path() / name;
    std::error_code code;
    std::filesystem::remove(path, code);
    if (code) throw os_error(ErrorKind::kCannotCreate, path.string(), "unlink", code.value());
  }
}

ShardTotals ShardWriter::commit() {
  LM_CHECK(!committed_, "a ShardWriter is committed once");
  if (open_) close_shard();
  manifest_->write(manifest());
  manifest_->finish();
  // An older manifest would describe the new shards wrongly if we died among the renames; without
  // it the set counts as absent, which is the truth.
  if (options_.output.rename) {
    std::error_code code;
    std::filesystem::remove(manifest_->path(), code);
    if (code) throw os_error(ErrorKind::kCannotCreate, manifest_->path(), "unlink", code.value());
  }
  remove_older_files();
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->file.commit();
    shard->marks->commit();
    totals_.bytes += shard->tokens * (wide_ ? 4 : 2) + token_offset(options_.layout);
  }
  manifest_->commit();
  committed_ = true;
  totals_.shards = isize(shards_);
  return totals_;
}

}  // namespace lm::text
