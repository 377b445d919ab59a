// The model and the added tokens of a tokenizer.json; its other components are in
// tokenizer_components.cc.

#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "text/tokenizer_files.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

i64 checked_id(const JsonNode& node) {
  const i64 id = node.integer();
  if (id < 0 || id > kMaxTokenId) node.fail(cat("id ", id, " is outside 0..", kMaxTokenId));
  return id;
}

/// An added token may repeat a vocabulary entry, text and id together, but not one of them alone.
void check_against_vocab(const JsonNode& node, const AddedToken& t, const TokenizerParts& parts) {
  std::string bytes = t.content;
  const bool mapped = !parts.options.byte_level || from_byte_level(t.content, bytes);
  const i32 known = mapped ? parts.vocab.find(bytes) : -1;
  if (known >= 0 && known != t.id) {
    node.fail(
        cat("token ", quote(t.content), " has id ", t.id, ", but ", known, " in the vocabulary"));
  }
  if (known < 0 && parts.vocab.has_id(t.id)) {
    node.fail(
        cat("id ", t.id, " belongs to ", quote(parts.vocab.token(t.id)), " in the vocabulary"));
  }
}

void parse_added(const JsonNode& list, TokenizerParts& out) {
  list.each_item([&](const JsonNode& node) {
    node.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken t;
    t.id = static_cast<i32>(checked_id(node.at("id")));
    t.content = node.text("content");
    t.single_word = node.flag_or("single_word", false);
    t.lstrip = node.flag_or("lstrip", false);
    t.rstrip = node.flag_or("rstrip", false);
    t.normalized = node.flag_or("normalized", false);
    t.special = node.flag_or("special", false);
    const AddedToken* same_id = out.added.by_id(t.id);
    if (same_id != nullptr && same_id->content != t.content) {
      node.fail(cat("id ", t.id, " already belongs to ", quote(same_id->content)));
    }
    const AddedToken* same_text = out.added.find(t.content);
    if (same_text != nullptr && same_text->id != t.id) {
      node.fail(cat("token ", quote(t.content), " already has id ", same_text->id));
    }
    check_against_vocab(node, t, out);
    out.added.add(std::move(t));
  });
}

void parse_options(const JsonNode& model, TokenizerParts& out) {
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
              "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  if (const std::optional<JsonNode> dropout = model.maybe("dropout")) {
    if (dropout->number() != 0.0) dropout->fail("merge dropout is for training; expected null");
  }
  BpeOptions& o = out.options;
  o.fuse_unk = model.flag_or("fuse_unk", false);
  o.byte_fallback = model.flag_or("byte_fallback", false);
  o.ignore_merges = model.flag_or("ignore_merges", false);
  if (const auto prefix = model.maybe("continuing_subword_prefix"))
    o.continuing_prefix = prefix->str();
  if (const auto suffix = model.maybe("end_of_word_suffix")) o.word_suffix = suffix->str();
  const bool affixed = !o.continuing_prefix.empty() || !o.word_suffix.empty();
  if (o.byte_level && affixed)
    model.fail("word prefixes and suffixes with ByteLevel are not supported");
}

void parse_merges(const JsonNode& list, TokenizerParts& out) {
  if (list.is_array()) out.merges.reserve(usize(list.size()));
  list.each_item([&](const JsonNode& merge) {
    std::optional<std::pair<std::string_view, std::string_view>> halves;
    if (const std::optional<std::string_view> line = merge.as_string()) {
      const std::size_t space = line->find(' ');
      if (space != std::string_view::npos && line->find(' ', space + 1) == std::string_view::npos)
        halves = {line->substr(0, space), line->substr(space + 1)};
    } else {
      halves = merge.as_string_pair();
    }
    if (!halves) merge.fail("expected \"left right\" or [\"left\", \"right\"]");
    if (!add_merge(halves->first, halves->second, out)) {
      merge.fail(cat("merges ", quote(halves->first), " and ", quote(halves->second),
                     ", not all of them in the vocabulary"));
    }
  });
}

/// Settings of a WordPiece model, but for its unknown token.
WordPieceOptions parse_word_piece(const JsonNode& model) {
  model.only(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPieceOptions out;
  out.prefix = model.text("continuing_subword_prefix");
  const JsonNode most = model.at("max_input_chars_per_word");
  out.max_word_chars = most.integer();
  if (out.max_word_chars < 1) most.fail("expected a positive number");
  model.at("unk_token");  // a model without one could not encode every word
  return out;
}

/// A unigram model whole: pieces with their scores, in the order of their ids.
void parse_unigram(const JsonNode& model, TokenizerParts& out) {
  model.only({"type", "unk_id", "vocab", "byte_fallback"});
  if (out.options.byte_level) model.fail("a unigram model with ByteLevel is not supported");
  const JsonNode vocab = model.at("vocab");
  if (!vocab.is_array() || vocab.size() == 0) vocab.fail("expected [piece, score] pairs");
  UnigramOptions& unigram = out.unigram.emplace();
  const std::string where = vocab.where();
  vocab.each_item([&](const JsonNode& pair) {
    if (!pair.is_array() || pair.size() != 2) pair.fail("expected [piece, score]");
    const f64 score = pair.item(1).number();
    if (!std::isfinite(score)) pair.fail("the score is not finite");
    add_vocab_entry(pair.item(0).str(), isize(unigram.scores), where, out);
    unigram.scores.push_back(score);
  });
  if (const std::optional<JsonNode> unk = model.maybe("unk_id")) {
    const i64 id = checked_id(*unk);
    if (id >= vocab.size()) unk->fail(cat("id ", id, " of ", vocab.size(), " pieces"));
    unigram.unk = static_cast<i32>(id);
  }
  unigram.byte_fallback = model.flag_or("byte_fallback", false);
}

void parse_model(const JsonNode& model, TokenizerParts& out) {
  const std::optional<JsonNode> type = model.maybe("type");
  // Files older than the field are known by what they have.
  const bool word_piece =
      type ? type->str() == "WordPiece" : model.maybe("max_input_chars_per_word").has_value();
  const std::optional<JsonNode> pieces = model.maybe("vocab");
  if (type ? type->str() == "Unigram" : pieces && pieces->is_array())
    return parse_unigram(model, out);
  if (type && !word_piece && type->str() != "BPE")
    type->fail(cat("model ", quote(type->str()),
                   " is not supported, expected \"BPE\", \"WordPiece\" or \"Unigram\""));
  if (!type && !word_piece && !model.maybe("merges"))
    model.fail("has neither \"type\" nor \"merges\"");
  if (word_piece)
    out.word_piece = parse_word_piece(model);
  else
    parse_options(model, out);
  const JsonNode vocab = model.at("vocab");
  if (!vocab.is_object()) vocab.fail("expected an object");
  if (vocab.size() == 0) vocab.fail("is empty");
  parse_vocab(vocab, out);
  if (const std::optional<JsonNode> unk = model.maybe("unk_token")) {
    std::string bytes(unk->str());
    const bool mapped = !out.options.byte_level || from_byte_level(unk->str(), bytes);
    const i32 id = mapped ? out.vocab.find(bytes) : -1;
    if (id < 0) unk->fail(cat("token ", quote(unk->str()), " is not in the vocabulary"));
    out.options.unk = id;
  }
  if (word_piece)
    out.word_piece->unk = *out.options.unk;
  else
    parse_merges(model.at("merges"), out);
}

}  // namespace

void add_vocab_entry(std::string_view token, i64 id, const std::string& where,
                     TokenizerParts& out) {
  if (id < 0 || id > kMaxTokenId) {
    throw Error(ErrorKind::kData, cat(where, ": token ", quote(token), " has id ", id,
                                      ", expected 0..", kMaxTokenId));
  }
  std::string bytes;
  if (out.options.byte_level && !from_byte_level(token, bytes)) {
    // Outside the byte alphabet: an added token that the file lists in the vocabulary too.
    out.literal_tokens.emplace_back(token, static_cast<i32>(id));
    return;
  }
  const Vocab::Added added =
      out.vocab.add(out.options.byte_level ? std::string_view(bytes) : token, id);
  if (added == Vocab::Added::kDuplicateId) {
    throw Error(ErrorKind::kData, cat(where, ": tokens ", quote(token), " and ",
                                      quote(out.vocab.token(id)), " share id ", id));
  }
  if (added == Vocab::Added::kDuplicateToken) {
    throw Error(ErrorKind::kData, cat(where, ": token ", quote(token), " has two ids"));
  }
}

void parse_vocab(const JsonNode& vocab, TokenizerParts& out) {
  const std::string where = vocab.where();
  out.vocab.reserve(vocab.size());
  vocab.each_field([&](std::string_view token, const JsonNode& entry) {
    const std::optional<i64> id = entry.as_integer();
    if (!id) vocab.fail("expected an integer");
    add_vocab_entry(token, *id, where, out);
  });
}

namespace {

/// The id of a + b. Files list merges in the order of their results' ids, nearly always: then no
/// look-up is needed, only a comparison with the token that is due.
i32 find_result(std::string_view a, std::string_view b, const TokenizerParts& parts) {
  const i64 last = parts.merges.empty() ? -1 : parts.merges.back().result;
  for (const i64 id : {last, last + 1}) {
    if (!parts.vocab.has_id(id)) continue;
    const std::string_view token = parts.vocab.token(id);
    if (token.size() == a.size() + b.size() && token.starts_with(a) && token.ends_with(b))
      return static_cast<i32>(id);
  }
  return parts.vocab.find(cat(a, b));
}

}  // namespace

bool add_merge(std::string_view left, std::string_view right, TokenizerParts& out) {
  std::string left_bytes;
  std::string right_bytes;
  if (out.options.byte_level) {
    if (!from_byte_level(left, left_bytes) || !from_byte_level(right, right_bytes)) return false;
    left = left_bytes;
    right = right_bytes;
  }
  const i32 left_id = out.vocab.find(left);
  const i32 right_id = out.vocab.find(right);
  // The right part of a word-internal merge carries the prefix; the result carries it once.
  const std::string& prefix = out.options.continuing_prefix;
  if (!prefix.empty() && right.starts_with(prefix)) right.remove_prefix(prefix.size());
  const i32 result = find_result(left, right, out);
  if (left_id < 0 || right_id < 0 || result < 0) return false;
  out.merges.push_back({left_id, right_id, result});
  return true;
}

TokenizerParts parse_tokenizer_json(const JsonNode& root, std::string_view bytes,
                                    const std::string& name) {
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
             "post_processor", "decoder", "model"});
  // truncation and padding are settings of a batch call; a corpus tool never cuts or pads.
  TokenizerParts out;
  out.digest = sha256_hex(bytes);
  if (const auto node = root.maybe("normalizer")) parse_normalizer(*node, out.normalizer);
  if (const auto node = root.maybe("pre_tokenizer")) {
    parse_pre_tokenizer(*node, out.pre_tokenizer, out.options.byte_level);
  }
  parse_model(root.at("model"), out);
  if (const auto node = root.maybe("added_tokens")) parse_added(*node, out);
  if (const auto node = root.maybe("post_processor")) parse_post_processor(*node, out);
  if (const auto node = root.maybe("decoder")) {
    parse_decoder(*node, out.decoder);
  } else {
    out.decoder.join_with_space = true;
    out.decoder.strip_leading_space = true;
  }
  for (const std::vector<i32>* ids : {&out.template_before, &out.template_after}) {
    for (const i32 id : *ids) {
      if (!out.vocab.has_id(id) && out.added.by_id(id) == nullptr) {
        throw Error(ErrorKind::kData,
                    cat(name, ": post_processor: adds id ", id, ", which no token has"));
      }
    }
  }
  return out;
}

}  // namespace lm::text
