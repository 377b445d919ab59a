// Finds out what a tokenizer file is from its content and hands it to the right reader.

#include <filesystem>
#include <memory>

#include <zstd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "text/offset_trim.h"
#include "text/sentencepiece.h"
#include "text/token_roles.h"
#include "text/tokenizer_files.h"

namespace lm::text {
namespace {

// The largest published tokenizer.json is 34 MB; a bomb stops here.
constexpr i64 kMaxFileBytes = i64{1} << 30;

std::string decompress(std::string_view bytes, const std::string& name) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          &ZSTD_freeDStream);
  if (stream == nullptr) throw std::bad_alloc();
  std::string out;
  std::string step(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t left = 1;
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer buf{step.data(), step.size(), 0};
    const std::size_t before = in.pos;
    left = ZSTD_decompressStream(stream.get(), &buf, &in);
    if (ZSTD_isError(left) != 0) {
      throw Error(ErrorKind::kData, cat(name, ": zstd: ", ZSTD_getErrorName(left)));
    }
    out.append(step.data(), buf.pos);
    if (isize(out) > kMaxFileBytes) {
      throw Error(ErrorKind::kData,
                  cat(name, ": larger than ", format_bytes(kMaxFileBytes), " when decompressed"));
    }
    if (left != 0 && in.pos == before && buf.pos == 0) {
      throw Error(ErrorKind::kData, cat(name, ": the zstd frame is cut off"));
    }
  }
  return out;
}

std::string read_bytes(const std::string& path) {
  std::string bytes = io::read_file(path, kMaxFileBytes);
  return bytes.starts_with("\x28\xB5\x2F\xFD") ? decompress(bytes, path) : bytes;
}

/// path or path.zst, whichever exists; empty if neither does.
std::string existing(const std::filesystem::path& path) {
  for (const std::string& candidate : {path.string(), path.string() + ".zst"}) {
    std::error_code code;
    if (std::filesystem::is_regular_file(candidate, code)) return candidate;
    if (code && code != std::errc::no_such_file_or_directory &&
        code != std::errc::not_a_directory) {
      throw os_error(ErrorKind::kNoInput, candidate, "cannot look at it", code.value());
    }
  }
  return {};
}

/// The tokenizer file of a folder.
std::string file_in_folder(const std::filesystem::path& folder) {
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "vocab.json", "encoder.json", "vocab.txt"}) {
    std::string found = existing(folder / name);
    if (!found.empty()) return found;
  }
  std::string only;
  std::error_code code;
  for (std::filesystem::directory_iterator at(folder, code);
       !code && at != std::filesystem::directory_iterator(); at.increment(code)) {
    const std::filesystem::path& path = at->path();
    if (path.extension() != ".tiktoken" && path.extension() != ".model") continue;
    if (!only.empty()) {
      throw Error(ErrorKind::kData,
                  cat(folder.string(), ": several tokenizer files, name one of them"));
    }
    only = path.string();
  }
  if (code) throw os_error(ErrorKind::kNoInput, folder.string(), "cannot list it", code.value());
  if (only.empty()) {
    throw Error(ErrorKind::kNoInput,
                cat(folder.string(),
                    ": no tokenizer.json, tokenizer.model, vocab.json, vocab.txt or *.tiktoken"));
  }
  return only;
}

/// The file that path means: itself, or that of a folder.
std::string file_of(const std::string& path) {
  std::error_code code;  // what is wrong with a file, reading it says
  return std::filesystem::is_directory(path, code) ? file_in_folder(path) : path;
}

std::string merges_beside(const std::string& vocab_path) {
  const std::filesystem::path folder = std::filesystem::path(vocab_path).parent_path();
  for (const char* name : {"merges.txt", "vocab.bpe"}) {
    std::string found = existing(folder / name);
    if (!found.empty()) return found;
  }
  throw Error(
      ErrorKind::kNoInput,
      cat(vocab_path, ": is a vocabulary, but no merges.txt or vocab.bpe stands beside it"));
}

/// The id that a "bos_token"-like field names: a string or {"content": string}.
void read_role(const JsonNode& config, const char* key, const TokenizerParts& parts,
               std::optional<i32>& role) {
  const std::optional<JsonNode> field = config.maybe(key);
  if (!field) return;
  const std::string content =
      field->is_object() ? field->text("content") : std::string(field->str());
  if (const AddedToken* token = parts.added.find(content)) {
    role = token->id;
    return;
  }
  std::string bytes = content;
  if (parts.options.byte_level && !from_byte_level(content, bytes)) return;
  const i32 id = parts.vocab.find(bytes);
  if (id >= 0) role = id;
}

/// bos, eos and pad from the configuration files beside a tokenizer; false if there are none. These
/// files hold integers beyond 64 bits (model_max_length 1e30), which simdjson refuses.
bool read_roles(const std::filesystem::path& folder, TokenizerParts& parts) {
  bool found = false;
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const std::optional<FileText> file = read_in_folder(folder.string(), name);
    if (!file) continue;
    found = true;
    const io::Json json = io::parse_object(file->text, file->path);
    const JsonNode config(json, file->path);
    read_role(config, "bos_token", parts, parts.bos);
    read_role(config, "eos_token", parts, parts.eos);
    read_role(config, "pad_token", parts, parts.pad);
  }
  return found;
}

/// A tokenizer without configuration gets the roles that its special tokens' names give.
void guess_roles(TokenizerParts& parts) {
  std::vector<std::string> specials;
  for (const AddedToken& token : parts.added.tokens()) {
    if (token.special) specials.push_back(token.content);
  }
  const auto guess = [&](TokenRole role, std::optional<i32>& id) {
    const std::optional<std::string> name = conventional_token(specials, role);
    if (!id && name) id = parts.added.find(*name)->id;
  };
  guess(TokenRole::kBos, parts.bos);
  guess(TokenRole::kEos, parts.eos);
  guess(TokenRole::kPad, parts.pad);
}

/// True if a JSON text has a "model" that is no id: a tokenizer.json rather than a bare vocabulary.
bool has_model(const JsonNode& root) {
  return root.contains("model") && !root.at("model").as_integer();
}

bool is_json(const std::string& bytes) {
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string::npos && bytes[first] == '{';
}

std::unique_ptr<Tokenizer> load_file(const std::string& path, const LoadOptions& options) {
  const std::string file = file_of(path);
  std::string bytes = read_bytes(file);
  TokenizerParts parts;
  if (is_json(bytes)) {
    const io::JsonDocument document(bytes);
    const JsonNode root = document.root(file);
    if (has_model(root)) {
      parts = parse_tokenizer_json(root, bytes, file);
    } else {
      const std::string merges = merges_beside(file);
      parts = parse_gpt2(bytes, file, read_bytes(merges), merges);
    }
  } else if (looks_like_vocab_txt(bytes)) {
    const std::string config =
        existing(std::filesystem::path(file).parent_path() / "tokenizer_config.json");
    parts =
        parse_vocab_txt(bytes, file, config.empty() ? std::string() : read_bytes(config), config);
  } else if (looks_like_tiktoken(bytes)) {
    parts = parse_tiktoken(bytes, file, options.pattern);
  } else if (bytes.starts_with('\x0A')) {  // protobuf field 1, length-delimited: the first piece
    return sentencepiece_from_bytes(bytes, file, options);
  } else {
    throw Error(
        ErrorKind::kData,
        cat(file,
            ": is no tokenizer file (JSON, tiktoken ranks, vocab.txt or a SentencePiece model)"));
  }
  if (!read_roles(std::filesystem::path(file).parent_path(), parts)) guess_roles(parts);
  try {
    return make_tokenizer(std::move(parts), options);
  } catch (const Error& e) {  // a decoder or normalizer that makes too much of a token
    throw e.with_prefix(file);
  }
}

}  // namespace

std::optional<FileText> read_in_folder(const std::string& folder, const char* name) {
  const std::string path = existing(std::filesystem::path(folder) / name);
  if (path.empty()) return std::nullopt;
  return FileText{path, read_bytes(path)};
}

void Tokenizer::assign_roles(const LoadOptions& options) {
  const auto assign = [&](const std::string& name, std::optional<i32>& id, const char* role) {
    if (name.empty()) return;
    id = find(name);
    if (!id)
      throw Error(ErrorKind::kUsage,
                  cat("the tokenizer has no token ", quote(name), " to ", role, " texts"));
  };
  assign(options.bos_token, bos_, "begin");
  assign(options.eos_token, eos_, "end");
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path, const LoadOptions& options) {
  std::unique_ptr<Tokenizer> tokenizer = load_file(path, options);
  tokenizer->assign_roles(options);
  return tokenizer;
}

namespace {

void trim_step(const JsonNode& step, OffsetTrim& out) {
  const std::string type = step.text("type");
  if (type == "Sequence") {
    step.array("processors").each_item([&](const JsonNode& part) { trim_step(part, out); });
  } else if ((type == "ByteLevel" || type == "RobertaProcessing") &&
             step.flag_or("trim_offsets", true)) {
    out.blanks = true;
    out.keep_first = step.flag_or("add_prefix_space", true);
  }
}

}  // namespace

OffsetTrim offset_trim(const std::string& path) {
  OffsetTrim out;
  const std::string file = file_of(path);
  const std::string bytes = read_bytes(file);
  if (!is_json(bytes)) return out;
  const io::JsonDocument document(bytes);
  const JsonNode root = document.root(file);
  if (!has_model(root)) return out;
  // Loading the tokenizer judges the rest: how deep sequences are, what is no processor.
  if (const std::optional<JsonNode> steps = root.maybe("post_processor")) trim_step(*steps, out);
  return out;
}

std::vector<TokenizerFile> tokenizer_files(const std::string& path) {
  namespace fs = std::filesystem;
  const std::string file = file_of(path);
  const std::string bytes = read_bytes(file);
  const auto named = [](const std::string& from, const char* name) -> TokenizerFile {
    return {from, cat(name, from.ends_with(".zst") ? ".zst" : "")};
  };
  std::vector<TokenizerFile> out;
  if (looks_like_vocab_txt(bytes)) {
    out.push_back(named(file, "vocab.txt"));
  } else if (!is_json(bytes)) {
    out.push_back(bytes.starts_with('\x0A') ? named(file, "tokenizer.model")
                                            : TokenizerFile{file, fs::path(file).filename()});
  } else if (has_model(io::JsonDocument(bytes).root(file))) {
    out.push_back(named(file, "tokenizer.json"));
  } else {
    out.push_back(named(file, "vocab.json"));
    out.push_back(named(merges_beside(file), "merges.txt"));
  }
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const std::string beside = existing(fs::path(file).parent_path() / name);
    if (!beside.empty()) out.push_back(named(beside, name));
  }
  return out;
}

}  // namespace lm::text
