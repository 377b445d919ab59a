// tiktoken rank files: one "base64 rank" a line. The rank is the id; two tokens merge iff their
// concatenation is a token, with its rank; a piece that is a token is taken whole.

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "text/tokenizer_files.h"

namespace lm::text {
namespace {

/// Scheme of a family: how it cuts text and which special tokens follow its ranks.
struct Family {
  std::string_view name;
  i64 ranks;  // number of ranks of the published file
  PatternId pattern;
  std::vector<std::pair<std::string, i32>> specials;
  std::string_view bos, eos;
};

std::vector<std::pair<std::string, i32>> llama3_specials() {
  std::vector<std::string> names = {"<|begin_of_text|>",
                                    "<|end_of_text|>",
                                    "<|reserved_special_token_0|>",
                                    "<|reserved_special_token_1|>",
                                    "<|finetune_right_pad_id|>",
                                    "<|reserved_special_token_2|>",
                                    "<|start_header_id|>",
                                    "<|end_header_id|>",
                                    "<|eom_id|>",
                                    "<|eot_id|>",
                                    "<|python_tag|>"};
  for (int i = 3; names.size() < 256; ++i)
    names.push_back(cat("<|reserved_special_token_", i, "|>"));
  std::vector<std::pair<std::string, i32>> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out.emplace_back(names[i], 128000 + static_cast<i32>(i));
  }
  return out;
}

std::vector<Family> families() {
  return {
      {"r50k", 50256, PatternId::kR50k, {{"<|endoftext|>", 50256}}, {}, "<|endoftext|>"},
      {"cl100k",
       100256,
       PatternId::kCl100kTiktoken,
       {{"<|endoftext|>", 100257},
        {"<|fim_prefix|>", 100258},
        {"<|fim_middle|>", 100259},
        {"<|fim_suffix|>", 100260},
        {"<|endofprompt|>", 100276}},
       {},
       "<|endoftext|>"},
      {"o200k",
       199998,
       PatternId::kO200k,
       {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}},
       {},
       "<|endoftext|>"},
      {"llama3", 128000, PatternId::kCl100kHf, llama3_specials(), "<|begin_of_text|>",
       "<|end_of_text|>"},
      {"qwen2",
       151643,
       PatternId::kQwen2,
       {{"<|endoftext|>", 151643}, {"<|im_start|>", 151644}, {"<|im_end|>", 151645}},
       {},
       "<|endoftext|>"},
  };
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=')
    ++padding;
  std::string out;
  u32 bits = 0;
  int count = 0;
  for (std::size_t i = 0; i < text.size() - padding; ++i) {
    const int digit = base64_digit(text[i]);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<u32>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  return out;
}

namespace {

struct RankLine {
  std::string token;
  i64 rank;
};

std::optional<RankLine> parse_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::optional<std::string> token = base64_decode(line.substr(0, space));
  const std::optional<i64> rank = parse_int(line.substr(space + 1));
  if (!token || token->empty() || !rank) return std::nullopt;
  return RankLine{*token, *rank};
}

/// The next line without its LF or CR LF; advances at.
std::string_view take_line(std::string_view bytes, std::size_t& at) {
  const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
  std::string_view line = bytes.substr(at, end - at);
  at = end + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Every way to write a token as two tokens is a merge with the token's rank.
void add_rank_merges(TokenizerParts& out) {
  for (i64 id = 0; id < out.vocab.id_limit(); ++id) {
    // Merge ranks are positions in the list, so it is filled in rank order; a pair has one result,
    // and so one place.
    if (!out.vocab.has_id(id)) continue;
    const std::string_view token = out.vocab.token(id);
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const i32 left = out.vocab.find(token.substr(0, cut));
      const i32 right = left < 0 ? -1 : out.vocab.find(token.substr(cut));
      if (right >= 0) out.merges.push_back({left, right, static_cast<i32>(id)});
    }
  }
}

}  // namespace

bool looks_like_tiktoken(std::string_view bytes) {
  std::size_t at = 0;
  return parse_line(take_line(bytes.substr(0, 4096), at)).has_value();
}

TokenizerParts parse_tiktoken(std::string_view bytes, const std::string& name,
                              std::string_view pattern) {
  TokenizerParts out;
  out.digest = sha256_hex(bytes);
  i64 line_number = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view line = take_line(bytes, at);
    ++line_number;
    if (line.empty()) continue;
    const std::optional<RankLine> entry = parse_line(line);
    const std::string where = cat(name, ":", line_number);
    if (!entry)
      throw Error(ErrorKind::kData, cat(where, ": expected \"base64 rank\", found ", quote(line)));
    if (entry->rank < 0 || entry->rank > kMaxTokenId) {
      throw Error(ErrorKind::kData,
                  cat(where, ": rank ", entry->rank, " is outside 0..", kMaxTokenId));
    }
    if (out.vocab.add(entry->token, entry->rank) != Vocab::Added::kNew) {
      throw Error(ErrorKind::kData, cat(where, ": token or rank ", entry->rank, " occurs twice"));
    }
  }
  const std::vector<Family> all = families();
  const auto family = std::find_if(all.begin(), all.end(), [&](const Family& f) {
    return pattern.empty() ? f.ranks == out.vocab.count() : f.name == pattern;
  });
  if (family == all.end()) {
    throw Error(ErrorKind::kData,
                pattern.empty()
                    ? cat(name, ": ", out.vocab.count(), " ranks fit no known tokenizer")
                    : cat(name, ": pattern ", quote(pattern), " is not known"),
                "name the pattern: r50k, cl100k, o200k, llama3 or qwen2");
  }
  out.options.byte_level = true;
  out.options.ignore_merges = true;
  add_rank_merges(out);
  PreTokenizerStep step;
  step.pattern = family->pattern;
  out.pre_tokenizer.add(std::move(step));
  if (family->name == "qwen2") {
    out.normalizer.add({NormalizerKind::kNfc, {}, {}, {}, false, false});
  }
  // Ranks and specials may meet when a file is not the published one.
  for (const auto& [content, id] : family->specials) {
    if (out.vocab.has_id(id)) {
      throw Error(ErrorKind::kData,
                  cat(name, ": rank ", id, " is the id of ", content, " of ", family->name));
    }
    AddedToken t;
    t.id = id;
    t.content = content;
    t.special = true;
    out.added.add(std::move(t));
    if (content == family->bos) out.bos = id;
    if (content == family->eos) out.eos = id;
  }
  if (out.bos) out.template_before.push_back(*out.bos);
  out.decoder.byte_level = true;  // tokens are bytes already; names of specials are ASCII
  return out;
}

}  // namespace lm::text
