#include "ngram/model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "ngram/arpa.h"
#include "ngram/image_writer.h"

namespace lm::ngram {

namespace {

constexpr f64 kLn10 = 2.302585092994045684;

using Hashes = std::array<u64, kMaxOrder>;  // [n - 1] hash of the last n words

}  // namespace

struct Model::Owner {
  io::Mapping file;
  std::optional<PagedTarget> image;  // of an ARPA file

  ImageView read(const Context& ctx, std::string_view arpa, const std::string& name) {
    ImageWriter writer(ctx, image.emplace(ctx));
    read_arpa(ctx, arpa, name, writer);
    return parse_image(image->bytes(), name, false);
  }
};

Model::Model(std::unique_ptr<Owner> owner, ImageView view, std::string digest)
    : owner_(std::move(owner)), view_(std::move(view)), digest_(std::move(digest)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::load(const Context& ctx, const std::string& path, const LoadOptions& options) {
  std::unique_ptr<Owner> owner = std::make_unique<Owner>();
  owner->file = io::Mapping(path);
  const std::string_view bytes = owner->file.bytes();
  if (looks_like_image(bytes)) {
    ImageView view = parse_image(bytes, path, options.verify);
    // The header holds the digest of the body, so it identifies all of the content.
    return {std::move(owner), std::move(view), sha256_hex(bytes.substr(0, 256))};
  }
  if (!looks_like_arpa(bytes)) {
    throw Error(ErrorKind::kData, cat(path, ": neither an ARPA file nor an LMNG model"),
                "lm-ngram train makes both");
  }
  ImageView view = owner->read(ctx, bytes, path);
  std::string digest = sha256_hex(bytes);
  owner->file = io::Mapping();
  return {std::move(owner), std::move(view), std::move(digest)};
}

Model Model::from_arpa(const Context& ctx, std::string_view text, const std::string& name) {
  std::unique_ptr<Owner> owner = std::make_unique<Owner>();
  ImageView view = owner->read(ctx, text, name);
  return {std::move(owner), std::move(view), sha256_hex(text)};
}

u32 Model::find(std::string_view word) const {
  const WordSlot* const slot = find_slot(view_.words, word_hash(word));
  return slot == nullptr || slot->id >= view_.unigrams.size() ? kUnk : static_cast<u32>(slot->id);
}

std::string_view Model::word(u32 id) const {
  LM_CHECK(static_cast<i64>(id) < vocab_size(), "word id is inside the vocabulary");
  const u64 begin = view_.spelling_begin[id];
  const u64 end = view_.spelling_begin[id + 1];
  if (begin > end || end > view_.spelling.size()) {
    throw Error(ErrorKind::kData, "the model's spelling table is damaged");
  }
  return view_.spelling.substr(begin, end - begin);
}

// hashes must hold the orders up to min(order, state.length + 1).
f32 Model::advance(State& state, u32 word, std::span<const u64> hashes, int* matched) const {
  const Weights& unigram = view_.unigrams[word];
  const int limit = std::min(view_.order, state.length + 1);
  std::array<f32, kMaxOrder> backoffs;
  f32 p = log10_p(unigram.p);
  bool more = extends_left(unigram.p);
  int found = 1;
  int keep = 0;  // words of the next state
  backoffs[0] = unigram.b;
  if (view_.order > 1 && extends_right(unigram.b)) keep = 1;
  while (more && found < limit) {
    const u64 hash = hashes[usize(found)];
    if (found + 1 == view_.order) {
      const TopSlot* const slot = find_slot(view_.top, hash);
      if (slot == nullptr) break;
      p = log10_p(slot->p);
      ++found;
      break;
    }
    const MiddleSlot* const slot = find_slot(view_.middle[usize(found - 1)], hash);
    if (slot == nullptr) break;
    p = log10_p(slot->weights.p);
    more = extends_left(slot->weights.p);
    backoffs[usize(found)] = slot->weights.b;
    ++found;
    if (extends_right(slot->weights.b)) keep = found;
  }
  for (int k = found; k <= state.length; ++k)
    p += state.backoffs[usize(k - 1)];
  if (matched != nullptr) *matched = found;
  for (int k = std::min(keep, state.length + 1); k > 1; --k) {
    state.words[usize(k - 1)] = state.words[usize(k - 2)];
  }
  if (keep > 0) state.words[0] = word;
  std::copy_n(backoffs.begin(), keep, state.backoffs.begin());
  state.length = keep;
  return p;
}

State Model::begin_sentence() const {
  State state;
  if (view_.order > 1 && extends_right(view_.unigrams[kBos].b)) {
    state.length = 1;
    state.words[0] = kBos;
    state.backoffs[0] = view_.unigrams[kBos].b;
  }
  return state;
}

f32 Model::score_word(const State& state, u32 word, State& next, int* matched) const {
  if (static_cast<i64>(word) >= vocab_size()) word = kUnk;
  Hashes hashes;
  hashes[0] = gram_hash(word);
  for (int k = 0; k < std::min(state.length, view_.order - 1); ++k) {
    hashes[usize(k + 1)] = gram_hash(hashes[usize(k)], state.words[usize(k)]);
  }
  if (&next != &state) next = state;
  return advance(next, word, hashes, matched);
}

void Model::prefetch(u32 word, std::span<const u64> hashes) const {
  __builtin_prefetch(&view_.unigrams[word]);
  for (std::size_t n = 2; n <= hashes.size(); ++n) {
    if (static_cast<int>(n) == view_.order) {
      if (!view_.top.empty())
        __builtin_prefetch(&view_.top[usize(slot_of(hashes[n - 1], isize(view_.top)))]);
    } else if (const std::span<const MiddleSlot>& slots = view_.middle[n - 2]; !slots.empty()) {
      __builtin_prefetch(&slots[usize(slot_of(hashes[n - 1], isize(slots)))]);
    }
  }
}

template <typename Put>
void Model::walk(std::span<const u32> tokens, i64 first, State& state, bool begins,
                 const Put& put) const {
  constexpr i64 kAhead = 6;  // words; about the latency of one miss
  constexpr i64 kRing = 8;
  std::array<Hashes, kRing> ring;
  const i64 n = isize(tokens);
  const auto at = [&](i64 i) {
    if (i < 0) return kBos;
    const u32 word = tokens[usize(i)];
    return static_cast<i64>(word) < vocab_size() ? word : kUnk;
  };
  for (i64 i = first; i < n + kAhead; ++i) {
    if (i < n) {
      Hashes& hashes = ring[usize(i % kRing)];
      const i64 have = std::min<i64>(view_.order, i + 1 + (begins ? 1 : 0));
      hashes[0] = gram_hash(at(i));
      for (i64 k = 1; k < have; ++k)
        hashes[usize(k)] = gram_hash(hashes[usize(k - 1)], at(i - k));
      prefetch(at(i), {hashes.data(), usize(have)});
    }
    const i64 j = i - kAhead;
    if (j >= first) put(j, advance(state, at(j), ring[usize(j % kRing)], nullptr));
  }
}

void Model::score(std::span<const u32> tokens, std::span<f32> out, bool begins) const {
  LM_CHECK(out.size() >= tokens.size(), "one output per token");
  State state = begins ? begin_sentence() : State{};
  walk(tokens, 0, state, begins,
       [&out](i64 i, f32 p) { out[usize(i)] = static_cast<f32>(static_cast<f64>(p) * kLn10); });
}

Model::Sentence::Sentence(const Model& model) : model_(model), state_(model.begin_sentence()) {}

void Model::Sentence::add(std::span<const u32> words) {
  const auto put = [this](i64, f32 p) { log10_ += static_cast<f64>(p); };
  std::vector<u32> all;  // what stands before the words decides which n-grams they end
  if (before_ > 0) {
    all.assign(last_.begin(), last_.begin() + before_);
    all.insert(all.end(), words.begin(), words.end());
  }
  const std::span<const u32> tokens = before_ > 0 ? std::span<const u32>(all) : words;
  model_.walk(tokens, before_, state_, true, put);
  for (const u32 word : words)
    if (word == kUnk || static_cast<i64>(word) >= model_.vocab_size()) ++oov_;
  words_ += isize(words);
  before_ = std::min<i64>(isize(tokens), model_.order() - 1);
  std::copy(tokens.end() - before_, tokens.end(), last_.begin());
}

TextScore Model::Sentence::end() {
  const f64 end = static_cast<f64>(model_.score_word(state_, kEos, state_));
  TextScore score;
  score.oov = oov_;
  score.words = words_;
  score.sentences = 1;
  score.nll_words_nats = -log10_ * kLn10;
  score.nll_nats = -(log10_ + end) * kLn10;
  return score;
}

TextScore Model::score_sentence(std::span<const u32> words) const {
  Sentence sentence(*this);
  sentence.add(words);
  return sentence.end();
}

TextScore Model::score_sentence(std::string_view text) const {
  std::vector<u32> ids;
  each_blank_word(text, [&](std::string_view word) { ids.push_back(find(word)); });
  return score_sentence(ids);
}

TextScore Model::score_lines(std::string_view text) const {
  TextScore score;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) score += score_sentence(line);
  }
  return score;
}

TextScore& TextScore::operator+=(const TextScore& other) {
  nll_nats += other.nll_nats;
  nll_words_nats += other.nll_words_nats;
  words += other.words;
  sentences += other.sentences;
  oov += other.oov;
  return *this;
}

f64 TextScore::ppl() const {
  if (words + sentences == 0) return std::numeric_limits<f64>::quiet_NaN();
  return std::exp(nll_nats / static_cast<f64>(words + sentences));
}

f64 TextScore::ppl_words() const {
  if (words == 0) return std::numeric_limits<f64>::quiet_NaN();
  return std::exp(nll_words_nats / static_cast<f64>(words));
}

}  // namespace lm::ngram
