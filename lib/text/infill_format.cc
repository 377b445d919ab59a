#include "text/infill_format.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"

namespace lm::text {

namespace {

constexpr std::array<std::string_view, 6> kNames = {"codegen2",  "psm",  "spm",
                                                    "codellama", "qwen", "deepseek"};
constexpr i64 kMostMasks = 10000;

InfillFormat built_in(std::string_view name) {
  InfillFormat f;
  f.name = name;
  if (name == "codegen2") {
    f.layout = InfillLayout::kMasks;
    f.mask = {"<mask_%>"};
    f.sep = {"<sep>"};
    f.end = {"<eom>"};
    f.eos = {"<|endoftext|>"};
  } else if (name == "codellama") {
    // Pieces of a SentencePiece vocabulary, which begin with U+2581.
    f.prefix = {"\xE2\x96\x81<PRE>", "<PRE>"};
    f.suffix = {"\xE2\x96\x81<SUF>", "<SUF>"};
    f.middle = {"\xE2\x96\x81<MID>", "<MID>"};
    f.end = {"\xE2\x96\x81<EOT>", "<EOT>"};
  } else if (name == "qwen") {
    f.prefix = {"<|fim_prefix|>"};
    f.suffix = {"<|fim_suffix|>"};
    f.middle = {"<|fim_middle|>"};
    f.end = {"<|endoftext|>"};
  } else if (name == "deepseek") {
    // With full-width bars and U+2581 for blanks.
    f.prefix = {
        "<\xEF\xBD\x9C"
        "fim\xE2\x96\x81"
        "begin\xEF\xBD\x9C>"};
    f.suffix = {
        "<\xEF\xBD\x9C"
        "fim\xE2\x96\x81"
        "hole\xEF\xBD\x9C>"};
    f.middle = {
        "<\xEF\xBD\x9C"
        "fim\xE2\x96\x81"
        "end\xEF\xBD\x9C>"};
  } else {
    f.layout = name == "spm" ? InfillLayout::kSuffixFirst : InfillLayout::kPrefixFirst;
    f.prefix = {"<fim_prefix>", "<fim-prefix>"};
    f.suffix = {"<fim_suffix>", "<fim-suffix>"};
    f.middle = {"<fim_middle>", "<fim-middle>"};
    f.end = {"<|endoftext|>"};
  }
  return f;
}

std::vector<std::string> spellings(const io::JsonNode& root, std::string_view key, bool needed) {
  std::vector<std::string> out;
  const std::optional<io::JsonNode> node = root.maybe(key);
  if (node && node->as_string()) {
    out.emplace_back(*node->as_string());
  } else if (node) {
    if (!node->is_array()) root.fail(key, "a token or a list of spellings");
    node->each_item([&](const io::JsonNode& item) { out.emplace_back(item.str()); });
  }
  if (needed && out.empty()) root.fail(key, "a token or a list of spellings");
  for (const std::string& one : out)
    if (one.empty()) root.fail(key, "a token or a list of spellings, none empty");
  return out;
}

InfillFormat from_file(const std::string& path) {
  const std::string text = io::read_file(path);
  const io::Json tree = io::parse_object(text, path);
  const io::JsonNode root(tree, path);
  root.only({"layout", "prefix", "suffix", "middle", "mask", "sep", "end", "eos"});
  InfillFormat f;
  f.name = path;
  const std::string layout = root.text("layout");
  if (layout != "psm" && layout != "spm" && layout != "masks")
    root.fail("layout", "psm, spm or masks");
  f.layout = layout == "psm"   ? InfillLayout::kPrefixFirst
             : layout == "spm" ? InfillLayout::kSuffixFirst
                               : InfillLayout::kMasks;
  const bool masks = f.layout == InfillLayout::kMasks;
  for (const char* key : {"prefix", "suffix", "middle"})
    if (masks && root.has(key)) root.fail(key, "nothing, as the layout is masks");
  for (const char* key : {"mask", "sep"})
    if (!masks && root.has(key)) root.fail(key, "nothing, as the layout has no masks");
  f.prefix = spellings(root, "prefix", !masks);
  f.suffix = spellings(root, "suffix", !masks);
  f.middle = spellings(root, "middle", !masks);
  f.mask = spellings(root, "mask", masks);
  f.sep = spellings(root, "sep", masks);
  f.end = spellings(root, "end", false);
  f.eos = spellings(root, "eos", false);
  for (const std::string& one : f.mask)
    if (one.find('%') == std::string::npos)
      root.fail("mask", "a token with % in the place of the number");
  return f;
}

std::string numbered(std::string_view mask, i64 number) {
  const std::size_t at = mask.find('%');
  return cat(mask.substr(0, at), number, mask.substr(at + 1));
}

i32 find_role(const InfillFormat& format, const Tokenizer& tokenizer, std::string_view role,
              const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (const std::optional<i32> id = tokenizer.find(name)) return *id;
  throw Error(ErrorKind::kUsage,
              cat("the tokenizer has no ", names.front(), ", the ", role, " token of the format ",
                  quote(format.name)),
              "lm-tokenize train --special-token adds it to a new vocabulary; --format FILE.json "
              "names other tokens");
}

i32 end_of_text(const InfillFormat& format, const Tokenizer& tokenizer, std::string_view role,
                const std::vector<std::string>& names) {
  if (!names.empty()) {
    for (const std::string& name : names)
      if (const std::optional<i32> id = tokenizer.find(name)) return *id;
    if (role == "eos" && tokenizer.eos()) return *tokenizer.eos();
    return find_role(format, tokenizer, role, names);
  }
  if (tokenizer.eos()) return *tokenizer.eos();
  throw Error(ErrorKind::kUsage,
              cat("the tokenizer has no end-of-text token, which the format ", quote(format.name),
                  " needs as ", role),
              "--eos-token TEXT names it");
}

void list_sentinels(InfillTokens& tokens) {
  tokens.sentinels = tokens.masks;
  for (const i32 id :
       {tokens.prefix, tokens.suffix, tokens.middle, tokens.sep, tokens.end, tokens.eos})
    if (id >= 0) tokens.sentinels.push_back(id);
  std::sort(tokens.sentinels.begin(), tokens.sentinels.end());
}

}  // namespace

std::span<const std::string_view> infill_format_names() {
  return kNames;
}

InfillFormat infill_format(const std::string& name_or_file) {
  if (std::find(kNames.begin(), kNames.end(), name_or_file) != kNames.end())
    return built_in(name_or_file);
  if (!io::path_exists(name_or_file)) {
    std::string names;
    for (const std::string_view name : kNames)
      append(names, names.empty() ? "" : ", ", name);
    throw Error(ErrorKind::kUsage, cat("no format and no file is called ", quote(name_or_file)),
                cat("formats: ", names, "; or a JSON file that names the tokens"));
  }
  return from_file(name_or_file);
}

bool InfillTokens::is_sentinel(i32 id) const {
  return std::binary_search(sentinels.begin(), sentinels.end(), id);
}

InfillTokens infill_tokens(const InfillFormat& format, const Tokenizer& tokenizer) {
  InfillTokens out;
  out.layout = format.layout;
  out.end = end_of_text(format, tokenizer, "end", format.end);
  out.eos = end_of_text(format, tokenizer, "eos", format.eos);
  if (format.layout == InfillLayout::kMasks) {
    out.sep = find_role(format, tokenizer, "separating", format.sep);
    std::vector<std::string> first;
    for (const std::string& mask : format.mask)
      first.push_back(numbered(mask, 1));
    out.masks.push_back(find_role(format, tokenizer, "first mask", first));
    for (const std::string& mask : format.mask) {
      if (tokenizer.find(numbered(mask, 1)) != out.masks.front()) continue;
      for (i64 number = 2; number <= kMostMasks; ++number) {
        const std::optional<i32> id = tokenizer.find(numbered(mask, number));
        if (!id) break;
        out.masks.push_back(*id);
      }
      break;
    }
    list_sentinels(out);
    return out;
  }
  out.prefix = find_role(format, tokenizer, "prefix", format.prefix);
  out.suffix = find_role(format, tokenizer, "suffix", format.suffix);
  out.middle = find_role(format, tokenizer, "middle", format.middle);
  list_sentinels(out);
  return out;
}

namespace {

void append_ids(std::vector<i32>& out, std::span<const i32> ids) {
  out.insert(out.end(), ids.begin(), ids.end());
}

}  // namespace

void append_infill_prompt(const InfillTokens& tokens, Pieces kept, std::vector<i32>& out) {
  if (tokens.layout == InfillLayout::kMasks) {
    LM_CHECK(kept.size() >= 2 && kept.size() - 1 <= tokens.masks.size(),
             "a document has a hole or more, and a mask for each");
    for (std::size_t i = 0; i < kept.size(); ++i) {
      append_ids(out, kept[i]);
      if (i + 1 < kept.size()) out.push_back(tokens.masks[i]);
    }
    out.push_back(tokens.eos);
    out.push_back(tokens.sep);
    out.push_back(tokens.masks.front());
    return;
  }
  LM_CHECK(kept.size() == 2, "a document of this layout has one hole");
  out.push_back(tokens.prefix);
  if (tokens.layout == InfillLayout::kPrefixFirst) {
    append_ids(out, kept[0]);
    out.push_back(tokens.suffix);
    append_ids(out, kept[1]);
    out.push_back(tokens.middle);
    return;
  }
  out.push_back(tokens.suffix);
  append_ids(out, kept[1]);
  out.push_back(tokens.middle);
  append_ids(out, kept[0]);
}

void append_infill_fillings(const InfillTokens& tokens, Pieces fillings, std::vector<i32>& out) {
  for (std::size_t i = 0; i < fillings.size(); ++i) {
    if (i > 0) {
      LM_CHECK(i < tokens.masks.size(), "every hole has a mask");
      out.push_back(tokens.masks[i]);
    }
    append_ids(out, fillings[i]);
    out.push_back(tokens.end);
  }
}

namespace {

/// Reads ids up to sentinels that must come in a given order.
class RowReader {
 public:
  RowReader(const InfillTokens& tokens, std::span<const i32> ids) : tokens_(tokens), ids_(ids) {}
  bool done() const { return at_ == isize(ids_); }
  bool take(i32 id) {
    if (done() || ids_[usize(at_)] != id) return false;
    ++at_;
    return true;
  }
  /// Ids up to the next sentinel, which is taken and returned; -1 if none comes.
  i32 next(std::vector<i32>& out) {
    while (!done()) {
      const i32 here = ids_[usize(at_++)];
      if (tokens_.is_sentinel(here)) return here;
      out.push_back(here);
    }
    return -1;
  }

 private:
  const InfillTokens& tokens_;
  std::span<const i32> ids_;
  i64 at_ = 0;
};

}  // namespace

std::optional<InfilledRow> read_infilled_row(const InfillTokens& tokens, std::span<const i32> ids) {
  RowReader reader(tokens, ids);
  InfilledRow row;
  if (tokens.layout != InfillLayout::kMasks) {
    std::vector<i32> prefix, suffix, filling;
    bool good = reader.take(tokens.prefix);
    if (tokens.layout == InfillLayout::kPrefixFirst)
      good = good && reader.next(prefix) == tokens.suffix;
    else
      good = good && reader.take(tokens.suffix);
    good = good && reader.next(suffix) == tokens.middle && reader.next(filling) == tokens.end;
    if (!good || !reader.done()) return std::nullopt;
    if (tokens.layout == InfillLayout::kSuffixFirst) std::swap(prefix, filling);
    row.kept = {std::move(prefix), std::move(suffix)};
    row.fillings = {std::move(filling)};
    return row;
  }
  std::size_t holes = 0;
  while (true) {
    const i32 found = reader.next(row.kept.emplace_back());
    if (found == tokens.eos) break;
    if (holes == tokens.masks.size() || found != tokens.masks[holes]) return std::nullopt;
    ++holes;
  }
  if (holes == 0 || !reader.take(tokens.sep)) return std::nullopt;
  for (std::size_t i = 0; i < holes; ++i) {
    if (!reader.take(tokens.masks[i]) || reader.next(row.fillings.emplace_back()) != tokens.end)
      return std::nullopt;
  }
  if (!reader.done()) return std::nullopt;
  return row;
}

}  // namespace lm::text
