#include "ngram/cutter.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "ngram/ccnet.h"
#include "ngram/vocab.h"
#include "text/utf8.h"

namespace lm::ngram {

namespace {

const char* unit_name(SentenceUnit unit) {
  return unit == SentenceUnit::kDoc ? "doc" : "line";
}

const char* words_name(WordKind words) {
  return words == WordKind::kIds ? "ids" : words == WordKind::kPieces ? "pieces" : "blanks";
}

std::string describe(const TextForm& form) {
  std::string out = form.words == WordKind::kBlanks ? "words between blanks"
                    : form.words == WordKind::kPieces
                        ? cat("pieces of the tokenizer sha256:", form.tokenizer.substr(0, 12))
                        : "token ids";
  if (form.ccnet) out += " of CCNet-normalised text";
  return out;
}

}  // namespace

std::string form_text(const TextForm& form) {
  std::string out = cat("unit=", unit_name(form.unit), " words=", words_name(form.words),
                        " normalise=", form.ccnet ? "ccnet" : "none");
  if (!form.tokenizer.empty()) append(out, " tokenizer=", form.tokenizer);
  return out;
}

std::optional<TextForm> parse_form(std::string_view text, const std::string& name) {
  if (text.empty()) return std::nullopt;
  TextForm form;
  for (const std::string_view item : split(text, ' ')) {
    const std::size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : item.substr(equals + 1);
    if (key == "unit" && (value == "line" || value == "doc")) {
      form.unit = value == "doc" ? SentenceUnit::kDoc : SentenceUnit::kLine;
    } else if (key == "words" && (value == "blanks" || value == "pieces" || value == "ids")) {
      form.words = value == "ids"      ? WordKind::kIds
                   : value == "pieces" ? WordKind::kPieces
                                       : WordKind::kBlanks;
    } else if (key == "normalise" && (value == "none" || value == "ccnet")) {
      form.ccnet = value == "ccnet";
    } else if (key == "tokenizer" && !value.empty()) {
      form.tokenizer = value;
    } else {
      throw Error(ErrorKind::kData, cat(name, ": the model's text form has ", quote(item),
                                        ", which this version does not know"));
    }
  }
  return form;
}

void check_form(const TextForm& trained, const TextForm& asked, const std::string& name) {
  if (trained.words == asked.words && trained.tokenizer == asked.tokenizer &&
      trained.ccnet == asked.ccnet) {
    return;
  }
  std::string hint;
  if (trained.words == WordKind::kPieces)
    hint = "--tokenizer FILE names the one it was trained with";
  if (trained.words == WordKind::kIds) hint = "--ids-field names the field with the ids";
  throw Error(
      ErrorKind::kUsage,
      cat(name, ": the model was trained on ", describe(trained), ", not on ", describe(asked)),
      std::move(hint));
}

std::string spell_piece(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (i64 at = 0; at < isize(bytes);) {
    const text::Decoded d = text::decode_at(bytes, at);
    const std::string_view own = bytes.substr(usize(at), usize(d.size));
    at += d.size;
    if (own == " ") {
      out += "\xE2\x96\x81";
    } else if (d.valid && !is_blank(own.front())) {
      out += own;
    } else {
      for (const char c : own) {
        const u8 byte = static_cast<u8>(c);
        append(out, "<0x", kDigits[byte >> 4], kDigits[byte & 15], ">");
      }
    }
  }
  return out;
}

TextCutter::TextCutter(TextForm form, const text::Tokenizer* tokenizer)
    : form_(std::move(form)), tokenizer_(tokenizer) {
  LM_CHECK((form_.words == WordKind::kPieces) == (tokenizer != nullptr),
           "a tokenizer for pieces only");
  if (tokenizer == nullptr) return;
  spelling_.resize(usize(tokenizer->vocab_size()));
  for (i64 id = 0; id < tokenizer->vocab_size(); ++id) {
    try {
      spelling_[usize(id)] = spell_piece(tokenizer->token_bytes(static_cast<i32>(id), true));
    } catch (const Error&) {  // a hole in the vocabulary: no encoder gives this id
      spelling_[usize(id)].clear();
    }
  }
  if (tokenizer->unk()) spelling_[usize(*tokenizer->unk())] = "<unk>";
}

void TextCutter::cut(std::string_view text, CutText& cut, bool with_spans) const {
  LM_CHECK(!with_spans || !form_.ccnet, "normalised text keeps no offsets");
  LM_CHECK(form_.words != WordKind::kIds, "a model of ids is given ids");
  cut.words.clear();
  cut.ends.clear();
  cut.spans.clear();
  cut.own.clear();
  if (form_.unit == SentenceUnit::kDoc) return sentence(text, 0, cut, with_spans);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    sentence(line, static_cast<i64>(begin), cut, with_spans);
    begin = end + 1;
  }
}

void TextCutter::sentence(std::string_view text, i64 offset, CutText& cut, bool with_spans) const {
  if (form_.ccnet) text = cut.own.emplace_back(ccnet_normalise(text));
  if (form_.words == WordKind::kPieces) {
    by_pieces(text, offset, cut, with_spans);
  } else {
    by_blanks(text, offset, cut, with_spans);
  }
  const i64 begin = cut.ends.empty() ? 0 : cut.ends.back();
  if (isize(cut.words) > begin) cut.ends.push_back(isize(cut.words));
}

void TextCutter::by_blanks(std::string_view text, i64 offset, CutText& cut, bool with_spans) const {
  each_blank_word(text, [&](std::string_view word) {
    cut.words.push_back(word);
    if (!with_spans) return;
    const i64 begin = offset + (word.data() - text.data());
    cut.spans.emplace_back(begin, begin + isize(word));
  });
}

void TextCutter::by_pieces(std::string_view text, i64 offset, CutText& cut, bool with_spans) const {
  if (!cut.state) cut.state = tokenizer_->new_state();
  cut.ids.clear();
  cut.offsets.clear();
  tokenizer_->encode(text, *cut.state, cut.ids, with_spans ? &cut.offsets : nullptr);
  const std::optional<i32> unk = tokenizer_->unk();
  if (unk && !with_spans && std::find(cut.ids.begin(), cut.ids.end(), *unk) != cut.ids.end()) {
    // Only now are offsets worth their price.
    cut.ids.clear();
    tokenizer_->encode(text, *cut.state, cut.ids, &cut.offsets);
  }
  for (std::size_t i = 0; i < cut.ids.size(); ++i) {
    const i32 id = cut.ids[i];
    if (unk && id == *unk) {
      const auto& [begin, end] = cut.offsets[i];
      cut.own.push_back(spell_piece(text.substr(usize(begin), usize(end - begin))));
      if (cut.own.back().empty()) cut.own.back() = "<unk>";
      cut.words.push_back(cut.own.back());
    } else {
      const std::string& spelling = spelling_[usize(id)];
      cut.words.push_back(spelling.empty() ? std::string_view("<unk>")
                                           : std::string_view(spelling));
    }
    if (with_spans)
      cut.spans.emplace_back(offset + cut.offsets[i].first, offset + cut.offsets[i].second);
  }
}

void TextCutter::cut_ids(std::span<const i32> ids, CutText& cut) const {
  cut.words.clear();
  cut.ends.clear();
  cut.spans.clear();
  cut.own.clear();
  for (const i32 id : ids) {
    if (tokenizer_ == nullptr) {
      cut.words.push_back(cut.own.emplace_back(lm::cat(id)));
    } else {
      LM_CHECK(id >= 0 && usize(id) < spelling_.size(), "the ids belong to the tokenizer");
      const std::string& spelling = spelling_[usize(id)];
      cut.words.push_back(spelling.empty() ? std::string_view("<unk>")
                                           : std::string_view(spelling));
    }
  }
  if (!ids.empty()) cut.ends.push_back(isize(cut.words));
}

}  // namespace lm::ngram
