#include "text/sentencepiece.h"

#include <algorithm>
#include <unordered_map>

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "text/added_tokens.h"
#include "text/sentencepiece_model.h"
#include "text/sentencepiece_quiet.h"
#include "text/utf8.h"

namespace lm::text {

void silence_sentencepiece() {
  // The level is a global of the library and this is the only public door to it: the call sets the
  // level and then fails because it has no input. 3 leaves only the lines before an abort.
  static const bool done = [] {
    const std::unordered_map<std::string, std::string> args = {{"minloglevel", "3"}};
    std::string unused;
    sentencepiece::SentencePieceTrainer::Train(args, nullptr, &unused).IgnoreError();
    return true;
  }();
  static_cast<void>(done);
}

namespace {

constexpr std::string_view kBlank = "\xE2\x96\x81";  // U+2581
constexpr i64 kMaxTextBytes = i64{1} << 30;          // the library indexes with 32 bits

std::string replace_blank(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    if (piece.starts_with(kBlank)) {
      out.push_back(' ');
      piece.remove_prefix(kBlank.size());
    } else {
      out.push_back(piece.front());
      piece.remove_prefix(1);
    }
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string byte_of(const std::string& piece, const std::string& name) {
  const int high = hex_digit(piece[3]);
  const int low = hex_digit(piece[4]);
  if (piece.compare(0, 3, "<0x") != 0 || high < 0 || low < 0 || piece[5] != '>') {
    throw Error(ErrorKind::kData, cat(name, ": byte piece ", quote(piece), ", expected <0xNN>"));
  }
  return std::string(1, static_cast<char>(high * 16 + low));
}

std::optional<i32> known_id(int id) {
  return id < 0 ? std::nullopt : std::optional<i32>(id);
}

class SentencePieceState final : public EncodeState {
 public:
  std::vector<int> ids;  // reused between calls
  std::vector<AddedSplit> splits;
};

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::string& bytes, const std::string& name,
                         const LoadOptions& options)
      : name_(name), special_(options.special), model_(read_sentencepiece_model(bytes, name)) {
    silence_sentencepiece();
    try {
      const sentencepiece::util::Status status = processor_.LoadFromSerializedProto(bytes);
      if (!status.ok()) throw Error(ErrorKind::kData, cat(name, ": ", status.error_message()));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {  // the double-array builder throws its own type
      throw Error(ErrorKind::kData, cat(name, ": SentencePiece cannot load it: ", e.what()));
    }
    for (const SentencePieceEntry& entry : model_.pieces) {
      if (entry.type == PieceType::kByte) byte_of(entry.piece, name);
      if (entry.type == PieceType::kControl) {
        AddedToken token;
        token.id = static_cast<i32>(&entry - model_.pieces.data());
        token.content = entry.piece;
        token.special = true;
        controls_.add(std::move(token));
      }
    }
    controls_.finish(Normalizer());
    vocab_size_ = isize(model_.pieces);
    bos_ = known_id(processor_.bos_id());
    eos_ = known_id(processor_.eos_id());
    pad_ = known_id(processor_.pad_id());
    unk_ = known_id(processor_.unk_id());
    strips_leading_space_ = model_.add_dummy_prefix || model_.remove_extra_whitespaces;
    digest_ = sha256_hex(bytes);
    static constexpr std::string_view kKinds[] = {"unigram", "bpe", "word", "char"};
    kind_ = cat("sentencepiece-", kKinds[model_.model_type - 1]);
  }

  std::unique_ptr<EncodeState> new_state() const override {
    return std::make_unique<SentencePieceState>();
  }

  bool encode(std::string_view text, EncodeState& state, std::vector<i32>& ids,
              std::vector<std::pair<i64, i64>>* offsets) const override {
    if (isize(text) > kMaxTextBytes) {
      throw Error(ErrorKind::kData, cat("text of ", text.size(),
                                        " bytes, SentencePiece takes at most ", kMaxTextBytes));
    }
    SentencePieceState& own = static_cast<SentencePieceState&>(state);
    own.splits.clear();
    const SpecialRule rule{special_, state.literal};
    controls_.split(text, false, rule, own.splits);
    const i64 specials = std::count_if(own.splits.begin(), own.splits.end(),
                                       [](const AddedSplit& s) { return s.token != nullptr; });
    state.specials_in_text += specials;
    if (specials > 0 && rule.refuses()) return false;
    for (const AddedSplit& s : own.splits) {
      if (s.token != nullptr) {
        ids.push_back(s.token->id);
        if (offsets != nullptr) offsets->emplace_back(s.begin, s.end);
      } else {
        encode_stretch(text.substr(usize(s.begin), usize(s.end - s.begin)), s.begin, own, ids,
                       offsets);
      }
    }
    return true;
  }

  std::string decode(std::span<const i32> ids, bool skip_specials) const override {
    for (const i32 id : ids)
      check_id(id);
    const std::vector<int> own(ids.begin(), ids.end());
    sentencepiece::ImmutableSentencePieceText parts;
    check(processor_.Decode(own, parts.mutable_proto()));
    const auto special = [this](i32 id) { return is_special(id); };
    if (skip_specials || std::none_of(ids.begin(), ids.end(), special)) return parts.text();
    // The library has no form with control pieces shown. As everywhere else, they are literal text,
    // so a dummy blank after a leading "<s>" stays (Hugging Face gives "<s> text" too).
    std::string out;
    for (const i32 id : ids)
      out += token_bytes(id, true);
    if (strips_leading_space_ && out.starts_with(' ')) out.erase(0, 1);
    return repair_utf8(out);
  }

  std::string token_bytes(i32 id, bool literal_specials) const override {
    check_id(id);
    switch (entry(id).type) {
      case PieceType::kControl:
        return literal_specials ? entry(id).piece : std::string();
      case PieceType::kUnknown:
        return model_.unk_surface;
      case PieceType::kByte:
        return byte_of(entry(id).piece, name_);
      default:
        return replace_blank(entry(id).piece);
    }
  }

  std::optional<i32> find(std::string_view token) const override {
    const int id = processor_.PieceToId(token);
    if (id < 0 || id >= vocab_size_ || entry(id).piece != token) return std::nullopt;
    return id;
  }

  bool is_special(i32 id) const override {
    return has(id) && entry(id).type == PieceType::kControl;
  }

  bool has(i32 id) const override { return id >= 0 && id < vocab_size_; }

 private:
  const SentencePieceEntry& entry(i32 id) const { return model_.pieces[usize(id)]; }

  void check_id(i32 id) const {
    if (has(id)) return;
    throw Error(ErrorKind::kData,
                cat("token id ", id, " is outside the vocabulary of ", vocab_size_, " of ", name_));
  }

  void check(const sentencepiece::util::Status& status) const {
    if (!status.ok()) throw Error(ErrorKind::kData, cat(name_, ": ", status.error_message()));
  }

  void encode_stretch(std::string_view text, i64 begin, SentencePieceState& state,
                      std::vector<i32>& ids, std::vector<std::pair<i64, i64>>* offsets) const {
    if (offsets != nullptr) return encode_with_offsets(text, begin, ids, *offsets);
    check(processor_.Encode(text, &state.ids));
    ids.insert(ids.end(), state.ids.begin(), state.ids.end());
  }

  // The library gives all bytes of a byte-fallback character an empty range except the last one;
  // here each of them gets the whole character, so that an overlap test sees every token of it.
  void encode_with_offsets(std::string_view text, i64 begin, std::vector<i32>& ids,
                           std::vector<std::pair<i64, i64>>& offsets) const {
    sentencepiece::ImmutableSentencePieceText parts;
    check(processor_.Encode(text, parts.mutable_proto()));
    const i64 first = isize(offsets);
    for (const auto& part : parts.pieces()) {
      ids.push_back(static_cast<i32>(part.id()));
      offsets.emplace_back(begin + part.begin(), begin + part.end());
    }
    for (i64 i = isize(offsets) - 2, id = isize(ids) - 2; i >= first; --i, --id) {
      std::pair<i64, i64>& range = offsets[usize(i)];
      const std::pair<i64, i64>& next = offsets[usize(i + 1)];
      const bool bytes = entry(ids[usize(id)]).type == PieceType::kByte &&
                         entry(ids[usize(id + 1)]).type == PieceType::kByte;
      if (bytes && range.first == range.second && range.first == next.first) range = next;
    }
  }

  std::string name_;
  SpecialPolicy special_;
  SentencePieceModel model_;
  sentencepiece::SentencePieceProcessor processor_;
  AddedTokens controls_;
};

}  // namespace

std::unique_ptr<Tokenizer> sentencepiece_from_bytes(const std::string& bytes,
                                                    const std::string& name,
                                                    const LoadOptions& options) {
  return std::make_unique<SentencePieceTokenizer>(bytes, name, options);
}

std::unique_ptr<Tokenizer> load_sentencepiece(const std::string& path, const LoadOptions& options) {
  return sentencepiece_from_bytes(io::read_file(path, i64{1} << 30), path, options);
}

}  // namespace lm::text
