// The normalizer, pre_tokenizer, post_processor and decoder objects of a tokenizer.json. A
// component, field or value that is not understood is an error: ignoring one could change ids
// silently.

#include "core/error.h"
#include "core/str.h"
#include "text/tokenizer_files.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr int kMaxSequenceDepth = 16;

[[noreturn]] void unknown_type(const JsonNode& node, std::string_view what) {
  node.fail(cat(what, " ", quote(node.at("type").str()), " is not supported"));
}

/// {"String": ...} or {"Regex": ...}.
struct Pattern {
  bool is_regex;
  std::string text;
};

Pattern parse_pattern(const JsonNode& node) {
  node.only({"String", "Regex"});
  const std::optional<JsonNode> regex = node.maybe("Regex");
  return {regex.has_value(), regex ? std::string(regex->str()) : node.text("String")};
}

Regex compile(const JsonNode& node, const std::string& pattern) {
  try {
    return Regex(pattern);
  } catch (const Error& error) {
    throw error.with_prefix(node.where());
  }
}

void normalizer_step(const JsonNode& node, Normalizer& out, int depth) {
  const std::string_view type = node.at("type").str();
  constexpr std::pair<std::string_view, NormalizerKind> kPlain[] = {
      {"NFC", NormalizerKind::kNfc},
      {"NFD", NormalizerKind::kNfd},
      {"NFKC", NormalizerKind::kNfkc},
      {"NFKD", NormalizerKind::kNfkd},
      {"Lowercase", NormalizerKind::kLowercase},
      {"StripAccents", NormalizerKind::kStripAccents}};
  for (const auto& [name, kind] : kPlain) {
    if (type != name) continue;
    node.only({"type"});
    return out.add({kind, {}, {}, {}, false, false});
  }
  if (type == "Sequence") {
    node.only({"type", "normalizers"});
    if (depth >= kMaxSequenceDepth) node.fail("sequences are nested too deeply");
    node.at("normalizers").each_item([&](const JsonNode& part) {
      normalizer_step(part, out, depth + 1);
    });
  } else if (type == "Replace") {
    node.only({"type", "pattern", "content"});
    const JsonNode where = node.at("pattern");
    Pattern pattern = parse_pattern(where);
    NormalizerStep step{NormalizerKind::kReplace, {}, node.text("content"), {}, false, false};
    if (pattern.is_regex) {
      step.regex.emplace(compile(where, pattern.text));
    } else {
      step.pattern = std::move(pattern.text);
    }
    out.add(std::move(step));
  } else if (type == "BertNormalizer") {
    node.only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    BertNormalization how;
    how.clean_text = node.flag_or("clean_text", true);
    how.space_cjk = node.flag_or("handle_chinese_chars", true);
    how.lower_case = node.flag_or("lowercase", true);
    how.strip_accents = node.flag_or("strip_accents", how.lower_case);
    add_bert_steps(how, out);
  } else if (type == "Precompiled") {
    node.only({"type", "precompiled_charsmap"});
    const std::optional<JsonNode> map = node.maybe("precompiled_charsmap");
    const bool none = !map || map->str().empty();
    std::optional<std::string> bytes = none ? std::string() : base64_decode(map->str());
    if (!bytes) map->fail("is not base64");
    NormalizerStep step{NormalizerKind::kCharsmap, {}, {}, {}, false, false};
    step.charsmap.emplace(*std::move(bytes), node.where());
    if (!none) out.add(std::move(step));
  } else if (type == "Prepend") {
    node.only({"type", "prepend"});
    out.add({NormalizerKind::kPrepend, {}, node.text("prepend"), {}, false, false});
  } else if (type == "Strip") {
    node.only({"type", "strip_left", "strip_right"});
    out.add({NormalizerKind::kStrip,
             {},
             {},
             {},
             node.flag_or("strip_left", false),
             node.flag_or("strip_right", false)});
  } else {
    unknown_type(node, "normalizer");
  }
}

SplitBehavior parse_behavior(const JsonNode& node) {
  const std::string_view name = node.str();
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  node.fail(cat("split behavior ", quote(name), " is not known"));
}

PreTokenizerStep split_step(const JsonNode& node) {
  node.only({"type", "pattern", "behavior", "invert"});
  PreTokenizerStep step;
  const JsonNode where = node.at("pattern");
  Pattern pattern = parse_pattern(where);
  if (pattern.is_regex) {
    step.pattern = identify_pattern(pattern.text);
    if (step.pattern == PatternId::kOther) step.regex.emplace(compile(where, pattern.text));
  } else {
    step.literal = std::move(pattern.text);
  }
  step.behavior = parse_behavior(node.at("behavior"));
  step.invert = node.flag_or("invert", false);
  return step;
}

PreTokenizerStep metaspace_step(const JsonNode& node) {
  node.only({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  PreTokenizerStep step;
  step.kind = PreTokenizerKind::kMetaspace;
  step.literal = node.text("replacement");
  if (step.literal.empty()) node.fail("replacement is empty");
  // Older files have add_prefix_space instead of prepend_scheme.
  if (!node.flag_or("add_prefix_space", true)) step.prepend = PrependScheme::kNever;
  if (const std::optional<JsonNode> scheme = node.maybe("prepend_scheme")) {
    const std::string_view name = scheme->str();
    if (name != "always" && name != "first" && name != "never") {
      scheme->fail(cat("prepend scheme ", quote(name), " is not known"));
    }
    step.prepend = name == "always"  ? PrependScheme::kAlways
                   : name == "first" ? PrependScheme::kFirst
                                     : PrependScheme::kNever;
  }
  step.split = node.flag_or("split", true);
  return step;
}

void byte_level_steps(const JsonNode& node, PreTokenizer& out) {
  node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (node.flag_or("add_prefix_space", true)) {
    PreTokenizerStep prefix;
    prefix.kind = PreTokenizerKind::kPrefixSpace;
    out.add(std::move(prefix));
  }
  if (node.flag_or("use_regex", true)) {
    PreTokenizerStep step;
    step.pattern = PatternId::kR50k;
    out.add(std::move(step));
  }
}

void pre_tokenizer_step(const JsonNode& node, PreTokenizer& out, bool& byte_level, int depth) {
  const std::string_view type = node.at("type").str();
  // After ByteLevel text is in its alphabet, which later steps would have to split.
  if (byte_level) node.fail("ByteLevel must be the last pre-tokenizer");
  PreTokenizerStep step;
  if (type == "Sequence") {
    node.only({"type", "pretokenizers"});
    if (depth >= kMaxSequenceDepth) node.fail("sequences are nested too deeply");
    node.at("pretokenizers").each_item([&](const JsonNode& part) {
      pre_tokenizer_step(part, out, byte_level, depth + 1);
    });
    return;
  }
  if (type == "ByteLevel") {
    byte_level_steps(node, out);
    byte_level = true;
    return;
  }
  if (type == "Split") {
    step = split_step(node);
  } else if (type == "Metaspace") {
    step = metaspace_step(node);
  } else if (type == "Digits") {
    node.only({"type", "individual_digits"});
    step.kind = PreTokenizerKind::kDigits;
    step.single_digits = node.flag_or("individual_digits", false);
  } else if (type == "Punctuation") {
    node.only({"type", "behavior"});
    step.kind = PreTokenizerKind::kPunctuation;
    if (const std::optional<JsonNode> behavior = node.maybe("behavior")) {
      step.behavior = parse_behavior(*behavior);
    }
  } else if (type == "CharDelimiterSplit") {
    node.only({"type", "delimiter"});
    step.literal = node.text("delimiter");
    step.behavior = SplitBehavior::kRemoved;
  } else if (type == "Whitespace" || type == "WhitespaceSplit" || type == "BertPreTokenizer") {
    node.only({"type"});
    step.kind = type == "Whitespace"        ? PreTokenizerKind::kWhitespace
                : type == "WhitespaceSplit" ? PreTokenizerKind::kWhitespaceSplit
                                            : PreTokenizerKind::kBert;
  } else {
    unknown_type(node, "pre-tokenizer");
  }
  out.add(std::move(step));
}

i32 token_id(const JsonNode& node) {
  const i64 id = node.integer();
  if (id < 0 || id > kMaxTokenId) node.fail(cat("id ", id, " is outside 0..", kMaxTokenId));
  return static_cast<i32>(id);
}

void template_processing(const JsonNode& node, TokenizerParts& out) {
  node.only({"type", "single", "pair", "special_tokens"});
  const JsonNode specials = node.at("special_tokens");
  const JsonNode list = node.at("single");
  bool text_seen = false;
  list.each_item([&](const JsonNode& piece) {
    piece.only({"SpecialToken", "Sequence"});
    if (piece.has("Sequence")) {
      if (text_seen) piece.fail("the text occurs twice in the template");
      text_seen = true;
      return;
    }
    std::vector<i32>& ids = text_seen ? out.template_after : out.template_before;
    specials.at(piece.at("SpecialToken").at("id").str())
        .at("ids")
        .each_item([&](const JsonNode& id) { ids.push_back(token_id(id)); });
  });
  if (!text_seen) list.fail("the template leaves out the text");
}

/// ["token", id].
i32 pair_id(const JsonNode& node) {
  if (!node.is_array() || node.size() != 2) node.fail("expected [token, id]");
  return token_id(node.item(1));
}

void post_step(const JsonNode& node, TokenizerParts& out, int depth) {
  const std::string_view type = node.at("type").str();
  if (type == "Sequence") {
    node.only({"type", "processors"});
    if (depth >= kMaxSequenceDepth) node.fail("sequences are nested too deeply");
    node.at("processors").each_item([&](const JsonNode& part) { post_step(part, out, depth + 1); });
    return;
  }
  if (type == "ByteLevel") {  // trims offsets only
    return node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  }
  if (!out.template_before.empty() || !out.template_after.empty()) {
    node.fail("a second post-processor that adds tokens is not supported");
  }
  if (type == "TemplateProcessing") {
    template_processing(node, out);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    node.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    out.template_before.push_back(pair_id(node.at("cls")));
    out.template_after.push_back(pair_id(node.at("sep")));
  } else {
    unknown_type(node, "post-processor");
  }
}

void strip_step(const JsonNode& node, TokenDecoder& out, bool fused) {
  node.only({"type", "content", "start", "stop"});
  const i64 start = node.at("start").integer();
  if (!fused || node.at("content").str() != " " || start < 0 || start > 1 ||
      node.at("stop").integer() != 0) {
    node.fail("Strip is supported only after Fuse, for at most one leading blank");
  }
  out.strip_leading_space = out.strip_leading_space || start == 1;
}

void decoder_step(const JsonNode& node, TokenDecoder& out, bool& fused, int depth) {
  const std::string_view type = node.at("type").str();
  if (type == "Sequence") {
    node.only({"type", "decoders"});
    if (depth >= kMaxSequenceDepth) node.fail("sequences are nested too deeply");
    node.at("decoders").each_item([&](const JsonNode& part) {
      decoder_step(part, out, fused, depth + 1);
    });
    return;
  }
  if (type == "Strip") return strip_step(node, out, fused);
  if (type == "Fuse") {
    node.only({"type"});
    fused = true;
    return;
  }
  const bool settled = fused || out.byte_level || out.byte_fallback;
  if (settled) node.fail(cat("decoder ", quote(type), " is not supported at this place"));
  if (type == "ByteLevel") {
    node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    out.byte_level = true;
  } else if (type == "Replace") {
    node.only({"type", "pattern", "content"});
    Pattern pattern = parse_pattern(node.at("pattern"));
    if (pattern.is_regex) node.fail("a decoder with a regular expression is not supported");
    out.replacements.emplace_back(std::move(pattern.text), node.text("content"));
  } else if (type == "WordPiece") {
    node.only({"type", "prefix", "cleanup"});
    out.word_prefix = node.text("prefix");
    if (out.word_prefix.empty()) node.fail("prefix is empty");
    out.cleanup = node.flag_or("cleanup", true);
    out.strip_leading_space = true;
  } else if (type == "ByteFallback") {
    node.only({"type"});
    out.byte_fallback = true;
  } else if (type == "Metaspace") {
    const PreTokenizerStep step = metaspace_step(node);
    out.replacements.emplace_back(step.literal, " ");
    out.strip_leading_space = step.prepend != PrependScheme::kNever;
  } else {
    unknown_type(node, "decoder");
  }
}

}  // namespace

void parse_normalizer(const JsonNode& node, Normalizer& out) {
  normalizer_step(node, out, 0);
}

void parse_pre_tokenizer(const JsonNode& node, PreTokenizer& out, bool& byte_level) {
  pre_tokenizer_step(node, out, byte_level, 0);
}

void parse_post_processor(const JsonNode& node, TokenizerParts& out) {
  post_step(node, out, 0);
}

void parse_decoder(const JsonNode& node, TokenDecoder& out) {
  bool fused = false;
  decoder_step(node, out, fused, 0);
}

}  // namespace lm::text
