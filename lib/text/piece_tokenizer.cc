#include "text/piece_tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr i64 kBatch = 256;  // pretokens between scanning and encoding: 4 KiB of spans

template <typename Model>
Model make_model(TokenizerParts& parts) {
  if constexpr (std::is_same_v<Model, BpeModel>)
    return BpeModel(std::move(parts.vocab), parts.merges, std::move(parts.options));
  else if constexpr (std::is_same_v<Model, UnigramModel>)
    return UnigramModel(std::move(parts.vocab), std::move(*parts.unigram));
  else
    return WordPieceModel(std::move(parts.vocab), std::move(*parts.word_piece));
}

}  // namespace

template <typename Model>
struct PieceTokenizer<Model>::State final : EncodeState {
  explicit State(i64 cache_bytes) : scratch(cache_bytes) {}
  typename Model::Scratch scratch;
  PartList parts;
  std::vector<AddedSplit> raw_splits, normal_splits;
};

/// One call of encode.
template <typename Model>
struct PieceTokenizer<Model>::Job {
  State& state;
  std::vector<i32>& ids;
  std::vector<std::pair<i64, i64>>* offsets;
  i64 specials = 0;
};

template <typename Model>
PieceTokenizer<Model>::PieceTokenizer(TokenizerParts parts, const LoadOptions& options)
    : model_(make_model<Model>(parts)),
      added_(std::move(parts.added)),
      normalizer_(std::move(parts.normalizer)),
      pre_tokenizer_(std::move(parts.pre_tokenizer)),
      scanner_(pre_tokenizer_.single_scanner()),
      decoder_(std::move(parts.decoder)),
      literal_tokens_(std::move(parts.literal_tokens)),
      options_(options) {
  before_ = std::move(parts.template_before);
  after_ = std::move(parts.template_after);
  bos_ = parts.bos;
  eos_ = parts.eos;
  pad_ = parts.pad;
  unk_ = model_.unk();
  digest_ = std::move(parts.digest);
  kind_ = Model::kKind;
  strips_leading_space_ = decoder_.strip_leading_space;
  added_.finish(normalizer_);
  const Vocab& vocab = model_.vocab();
  i64 limit = vocab.id_limit();
  for (const AddedToken& t : added_.tokens())
    limit = std::max(limit, i64{t.id} + 1);
  for (const auto& [name, id] : literal_tokens_)
    limit = std::max(limit, i64{id} + 1);
  vocab_size_ = limit;
  std::vector<std::string_view> literal(usize(limit));
  known_.assign(usize(limit), false);
  special_.assign(usize(limit), false);
  for (const auto& [name, id] : literal_tokens_) {
    literal[usize(id)] = name;
    known_[usize(id)] = true;
  }
  for (const AddedToken& t : added_.tokens()) {
    literal[usize(t.id)] = t.content;
    known_[usize(t.id)] = true;
    special_[usize(t.id)] = special_[usize(t.id)] || t.special;
  }
  decoded_at_.reserve(usize(limit + 1));
  for (i64 id = 0; id < limit; ++id) {
    decoded_at_.push_back(isize(decoded_));
    if (known_[usize(id)]) {
      decoded_ += decoder_.bytes_of(literal[usize(id)]);
    } else if (vocab.has_id(id)) {
      known_[usize(id)] = true;
      const bool as_is = model_.byte_level() && decoder_.byte_level;
      decoded_ += as_is ? std::string(vocab.token(id))
                        : decoder_.bytes_of(model_.byte_level() ? to_byte_level(vocab.token(id))
                                                                : std::string(vocab.token(id)));
    }
  }
  decoded_at_.push_back(isize(decoded_));
}

template <typename Model>
std::unique_ptr<EncodeState> PieceTokenizer<Model>::new_state() const {
  return std::make_unique<State>(options_.cache_bytes);
}

template <typename Model>
bool PieceTokenizer<Model>::encode(std::string_view text, EncodeState& state, std::vector<i32>& ids,
                                   std::vector<std::pair<i64, i64>>* offsets) const {
  State* own = dynamic_cast<State*>(&state);
  LM_CHECK(own != nullptr, "the EncodeState comes from this tokenizer's new_state");
  Job job{*own, ids, offsets};
  const std::size_t ids_before = ids.size();
  const auto put_template = [&](const std::vector<i32>& tokens, i64 at) {
    if (!options_.add_specials) return;
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    if (offsets != nullptr) offsets->insert(offsets->end(), tokens.size(), {at, at});
  };
  put_template(before_, 0);
  // English has about four bytes a token; one allocation instead of twenty doublings.
  if (ids.capacity() - ids.size() < text.size() / 4) ids.reserve(ids.size() + text.size() / 4 + 16);
  if (!added_.any(false)) {
    encode_stretch(text, 0, job);
  } else {
    std::vector<AddedSplit>& splits = own->raw_splits;
    splits.clear();
    added_.split(text, false, {options_.special, state.literal}, splits);
    for (const AddedSplit& s : splits) {
      if (s.token != nullptr) {
        put_added(*s.token, s.begin, s.end, job);
      } else {
        encode_stretch(text.substr(usize(s.begin), usize(s.end - s.begin)), s.begin, job);
      }
    }
  }
  put_template(after_, isize(text));
  own->specials_in_text += job.specials;
  const SpecialRule rule{options_.special, state.literal};
  if (!rule.refuses() || job.specials == 0) return true;
  if (offsets != nullptr) offsets->resize(offsets->size() - (ids.size() - ids_before));
  ids.resize(ids_before);
  return false;
}

template <typename Model>
void PieceTokenizer<Model>::put_added(const AddedToken& token, i64 begin, i64 end, Job& job) const {
  job.ids.push_back(token.id);
  if (job.offsets != nullptr) job.offsets->emplace_back(begin, end);
  if (token.special) ++job.specials;
}

template <typename Model>
void PieceTokenizer<Model>::encode_stretch(std::string_view raw, i64 begin, Job& job) const {
  if (normalizer_.empty() || !normalizer_.may_change(raw)) {
    return encode_normalized(raw, begin, nullptr, job);
  }
  OffsetMap map;
  OffsetMap* const places = job.offsets != nullptr || job.state.literal != nullptr ? &map : nullptr;
  const std::string text = normalizer_.apply(raw, places);
  encode_normalized(text, begin, places, job);
}

template <typename Model>
void PieceTokenizer<Model>::encode_normalized(std::string_view text, i64 begin,
                                              const OffsetMap* map, Job& job) const {
  if (!added_.any(true)) return encode_parts(text, begin == 0, begin, map, job);
  std::vector<AddedSplit>& splits = job.state.normal_splits;
  splits.clear();
  added_.split(text, true, {options_.special, job.state.literal, begin, map}, splits);
  for (const AddedSplit& s : splits) {
    if (s.token != nullptr) {
      const std::pair<i64, i64> range = source_range(map, s.begin, s.end, begin);
      put_added(*s.token, range.first, range.second, job);
      continue;
    }
    const std::string_view stretch = text.substr(usize(s.begin), usize(s.end - s.begin));
    const bool at_start = begin == 0 && s.begin == 0;
    if (map == nullptr) {
      encode_parts(stretch, at_start, begin + s.begin, nullptr, job);
    } else {
      const OffsetMap part(map->begin() + s.begin, map->begin() + s.end);
      encode_parts(stretch, at_start, begin, &part, job);
    }
  }
}

template <typename Model>
void PieceTokenizer<Model>::encode_parts(std::string_view text, bool at_start, i64 begin,
                                         const OffsetMap* map, Job& job) const {
  const auto locate = [&](std::string_view piece, std::size_t first_id, const auto& origin) {
    const std::size_t first = job.offsets->size();
    model_.locate(piece, std::span<const i32>(job.ids).subspan(first_id), 0, *job.offsets);
    for (std::size_t i = first; i < job.offsets->size(); ++i) {
      std::pair<i64, i64>& range = (*job.offsets)[i];
      range = source_range(map, origin(range.first), origin(range.second), begin);
    }
  };
  if (pre_tokenizer_.empty()) {
    const std::size_t first = job.ids.size();
    model_.encode(text, job.state.scratch, job.ids);
    if (job.offsets != nullptr) locate(text, first, [](i64 k) { return k; });
    return;
  }
  if (scanner_) {
    Span batch[kBatch];
    for (i64 at = 0; at < isize(text);) {
      const i64 count = scan_some(*scanner_, text, at, batch);
      at = batch[count - 1].end;
      if (job.offsets == nullptr) {
        model_.encode(text, std::span<const Span>(batch, usize(count)), job.state.scratch, job.ids);
        continue;
      }
      for (i64 i = 0; i < count; ++i) {
        const Span& s = batch[i];
        const std::string_view piece = text.substr(usize(s.begin), usize(s.end - s.begin));
        const std::size_t first = job.ids.size();
        model_.encode(piece, job.state.scratch, job.ids);
        locate(piece, first, [&s](i64 k) { return s.begin + k; });
      }
    }
    return;
  }
  PartList& list = job.state.parts;
  pre_tokenizer_.run(text, at_start, job.offsets != nullptr, list);
  for (const Part& part : list.parts) {
    const std::size_t first = job.ids.size();
    model_.encode(part.text, job.state.scratch, job.ids);
    if (job.offsets != nullptr) {
      locate(part.text, first, [&](i64 k) { return list.origin(part, k); });
    }
  }
}

template <typename Model>
std::string_view PieceTokenizer<Model>::bytes_of(i32 id) const {
  if (!has(id)) {
    throw Error(ErrorKind::kData,
                cat("token id ", id, " is not in the vocabulary of ", vocab_size_));
  }
  const i64 at = decoded_at_[usize(id)];
  return std::string_view(decoded_).substr(usize(at), usize(decoded_at_[usize(id) + 1] - at));
}

template <typename Model>
std::string PieceTokenizer<Model>::decode(std::span<const i32> ids, bool skip_specials) const {
  std::string bytes;
  for (const i32 id : ids) {
    const std::string_view token = bytes_of(id);
    if (!skip_specials || !special_[usize(id)]) bytes.append(token);
  }
  if (strips_leading_space_ && bytes.starts_with(' ')) bytes.erase(0, 1);
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

template <typename Model>
std::string PieceTokenizer<Model>::token_bytes(i32 id, bool literal_specials) const {
  const std::string_view bytes = bytes_of(id);
  return literal_specials || !special_[usize(id)] ? std::string(bytes) : std::string();
}

template <typename Model>
std::optional<i32> PieceTokenizer<Model>::find(std::string_view token) const {
  if (const AddedToken* added = added_.find(token)) return added->id;
  i32 id = -1;
  std::string bytes;
  if (!model_.byte_level()) {
    id = model_.vocab().find(token);
  } else if (from_byte_level(token, bytes)) {
    id = model_.vocab().find(bytes);
  }
  if (id >= 0) return id;
  for (const auto& [name, literal_id] : literal_tokens_) {
    if (name == token) return literal_id;
  }
  return std::nullopt;
}

template <typename Model>
bool PieceTokenizer<Model>::is_special(i32 id) const {
  return has(id) && special_[usize(id)];
}

template <typename Model>
bool PieceTokenizer<Model>::has(i32 id) const {
  return id >= 0 && id < vocab_size_ && known_[usize(id)];
}

template class PieceTokenizer<BpeModel>;
template class PieceTokenizer<WordPieceModel>;
template class PieceTokenizer<UnigramModel>;

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts, const LoadOptions& options) {
  if (parts.word_piece) return std::make_unique<WordPieceTokenizer>(std::move(parts), options);
  if (parts.unigram) return std::make_unique<UnigramTokenizer>(std::move(parts), options);
  return std::make_unique<BpeTokenizer>(std::move(parts), options);
}

}  // namespace lm::text
