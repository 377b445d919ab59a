// BERT's vocab.txt: a token a line, numbered from 0; what tokenizer_config.json beside it says of
// case and accents; the special tokens and the template that its tokenizers have without saying.

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/str.h"
#include "text/tokenizer_files.h"

namespace lm::text {
namespace {

/// The settings, each with the default of BERT's tokenizer.
class Settings {
 public:
  Settings(const std::string& text, const std::string& name) : name_(name) {
    if (text.empty()) return;
    json_ = nlohmann::json::parse(text, nullptr, false);
    if (!json_.is_object()) throw Error(ErrorKind::kData, cat(name, ": not a JSON object"));
  }
  bool flag(const char* key, bool fallback) const {
    const nlohmann::json::const_iterator at = json_.find(key);
    if (at == json_.end() || at->is_null()) return fallback;
    if (!at->is_boolean()) fail(key, "expected true or false");
    return at->get<bool>();
  }
  /// "[CLS]" or {"content": "[CLS]"}.
  std::string token(const char* key, const char* fallback) const {
    nlohmann::json::const_iterator at = json_.find(key);
    if (at == json_.end() || at->is_null()) return fallback;
    if (at->is_object()) {
      const nlohmann::json& token = *at;
      at = token.find("content");
      if (at == token.end()) fail(key, "has no \"content\"");
    }
    if (!at->is_string()) fail(key, "expected a string");
    return at->get<std::string>();
  }

 private:
  [[noreturn]] void fail(const char* key, std::string_view what) const {
    throw Error(ErrorKind::kData, cat(name_, ": ", key, ": ", what));
  }
  std::string name_;
  nlohmann::json json_ = nlohmann::json::object();
};

std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool looks_like_vocab_txt(std::string_view bytes) {
  constexpr std::string_view kUnknown = "[UNK]";
  for (std::size_t at = bytes.find(kUnknown); at != std::string_view::npos;
       at = bytes.find(kUnknown, at + 1)) {
    const std::string_view rest = bytes.substr(at + kUnknown.size());
    const bool begins = at == 0 || bytes[at - 1] == '\n';
    if (begins && (rest.empty() || rest[0] == '\n' || rest.starts_with("\r\n"))) return true;
  }
  return false;
}

TokenizerParts parse_vocab_txt(std::string_view bytes, const std::string& name,
                               const std::string& config, const std::string& config_name) {
  const Settings settings(config, config_name);
  TokenizerParts out;
  out.digest = sha256_hex(cat(bytes, config));
  i64 id = 0;
  for (const std::string_view line : split(bytes, '\n')) {
    const std::string_view token = without_return(line);
    if (line.data() + line.size() == bytes.data() + bytes.size() && token.empty()) break;
    const std::size_t bad = token.empty() ? 0 : token.find('\0');
    if (token.empty() || bad != std::string_view::npos)
      throw Error(ErrorKind::kData,
                  cat(name, ":", id + 1, ": ", token.empty() ? "an empty line" : "a NUL byte",
                      ", expected a token"));
    add_vocab_entry(token, id, cat(name, ":", id + 1), out);
    ++id;
  }
  const auto id_of = [&](const std::string& token) {
    const i32 found = out.vocab.find(token);
    if (found < 0)
      throw Error(ErrorKind::kData,
                  cat(name, ": has no token ", quote(token), ", which every text needs"));
    return found;
  };
  out.word_piece.emplace();
  out.word_piece->unk = id_of(settings.token("unk_token", "[UNK]"));
  out.template_before = {id_of(settings.token("cls_token", "[CLS]"))};
  out.template_after = {id_of(settings.token("sep_token", "[SEP]"))};

  BertNormalization how;
  how.lower_case = settings.flag("do_lower_case", true);
  how.strip_accents = settings.flag("strip_accents", how.lower_case);
  how.space_cjk = settings.flag("tokenize_chinese_chars", true);
  add_bert_steps(how, out.normalizer);
  PreTokenizerStep words;
  words.kind = PreTokenizerKind::kBert;
  out.pre_tokenizer.add(std::move(words));
  out.decoder.word_prefix = out.word_piece->prefix;
  out.decoder.cleanup = true;
  out.decoder.strip_leading_space = true;
  constexpr std::pair<const char*, const char*> kSpecials[] = {{"pad_token", "[PAD]"},
                                                               {"unk_token", "[UNK]"},
                                                               {"cls_token", "[CLS]"},
                                                               {"sep_token", "[SEP]"},
                                                               {"mask_token", "[MASK]"}};
  for (const auto& [key, fallback] : kSpecials) {
    AddedToken token;
    token.content = settings.token(key, fallback);
    token.id = out.vocab.find(token.content);
    token.special = true;
    if (token.id >= 0) out.added.add(token);
  }
  return out;
}

}  // namespace lm::text
