#include "classify/classifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include <fasttext/fasttext.h>

#include "classify/memory_stream.h"
#include "classify/model_file.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::classify {

namespace {

/// The library's object; loading from memory needs its check of the version, which only its own
/// loading of a named file calls.
class Library : public fasttext::FastText {
 public:
  void load(std::string_view bytes, const std::string& path) {
    MemoryBuffer buffer(bytes);
    std::istream in(&buffer);
    if (!checkModel(in))
      throw Error(ErrorKind::kData, cat(path, ": libfasttext knows no such version"));
    loadModel(in);
  }
  const fasttext::Dictionary& dictionary() const { return *dict_; }
};

constexpr std::string_view kEnd = "</s>";

constexpr std::array<bool, 256> make_separators() {
  std::array<bool, 256> out{};
  for (const char c : {' ', '\n', '\r', '\t', '\v', '\f', '\0'})
    out[static_cast<u8>(c)] = true;
  return out;
}
constexpr std::array<bool, 256> kSeparators = make_separators();

}  // namespace

struct Classifier::Impl {
  ModelFile file;
  Library library;
  std::unordered_map<i32, i32> kept;  // of file.kept_buckets
};

Classifier::Classifier(const std::string& path) {
  const io::Mapping mapping(path);
  auto impl = std::make_unique<Impl>();
  impl->file = check_model(mapping.bytes(), path);
  impl->library.load(mapping.bytes(), path);
  for (const auto& [bucket, row] : impl->file.kept_buckets)
    impl->kept[bucket] = row;
  impl_ = std::move(impl);
}

Classifier::Classifier(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

const std::vector<std::string>& Classifier::labels() const {
  return impl_->file.labels;
}

i64 Classifier::label_number(std::string_view label) const {
  const std::vector<std::string>& all = labels();
  const auto at = std::find(all.begin(), all.end(), label);
  return at == all.end() ? -1 : at - all.begin();
}

std::string_view label_name(std::string_view label) {
  return label.starts_with(kLabelPrefix) ? label.substr(kLabelPrefix.size()) : label;
}

/// What the library makes of a word: its hash and the rows of the input matrix that stand for it.
/// Words are kept up to a limit; then all are forgotten, which costs time alone.
struct Predictor::Words {
  explicit Words(const Classifier::Impl& model)
      : model_(model), dictionary_(model.library.dictionary()), slots_(usize(kSlots)) {}

  /// Appends the rows and hashes of the words of a text and the end of its line.
  void read(std::string_view text, std::vector<i32>& rows) {
    hashes_.clear();
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
      while (at < end && kSeparators[static_cast<u8>(*at)])
        ++at;
      if (at == end) break;
      const char* const begin = at;
      while (at < end && !kSeparators[static_cast<u8>(*at)])
        ++at;
      const std::string_view word(begin, static_cast<std::size_t>(at - begin));
      if (word == kEnd) break;
      take(word, rows);
    }
    take(kEnd, rows);
    add_grams(rows);
  }

 private:
  struct Slot {
    u64 key = 0;
    u32 text = 0;  // place in texts_
    u32 rows = 0;  // place in rows_
    u32 bytes = 0;
    u32 count = 0;
    u32 hash = 0;
    bool used = false;
    bool word = false;
  };
  static constexpr i64 kSlots = 1 << 16;  // a power of two
  static constexpr i64 kMaxWords = kSlots / 2;
  static constexpr i64 kMaxRows = 1 << 21;
  static constexpr std::size_t kMaxWordBytes = 64;  // longer ones are seldom seen twice

  void take(std::string_view word, std::vector<i32>& rows) {
    if (word.size() > kMaxWordBytes) {
      const Slot found = look_up(word, rows);
      if (found.word) hashes_.push_back(static_cast<i32>(found.hash));
      return;
    }
    const u64 key = xxh3_64(word);
    std::size_t place = key & (kSlots - 1);
    while (slots_[place].used) {
      const Slot& slot = slots_[place];
      if (slot.key == key && std::string_view(texts_).substr(slot.text, slot.bytes) == word) {
        rows.insert(rows.end(), rows_.begin() + slot.rows, rows_.begin() + slot.rows + slot.count);
        if (slot.word) hashes_.push_back(static_cast<i32>(slot.hash));
        return;
      }
      place = (place + 1) & (kSlots - 1);
    }
    if (kept_ == kMaxWords || isize(rows_) > kMaxRows) {
      forget();
      place = key & (kSlots - 1);
    }
    const u32 first = static_cast<u32>(rows_.size());
    Slot slot = look_up(word, rows_);
    slot.key = key;
    slot.text = static_cast<u32>(texts_.size());
    slot.bytes = static_cast<u32>(word.size());
    slot.rows = first;
    slot.count = static_cast<u32>(rows_.size()) - first;
    slot.used = true;
    texts_.append(word);
    slots_[place] = slot;
    ++kept_;
    rows.insert(rows.end(), rows_.begin() + first, rows_.end());
    if (slot.word) hashes_.push_back(static_cast<i32>(slot.hash));
  }

  /// Appends the rows of a word; hash and word of the slot are set.
  Slot look_up(std::string_view text, std::vector<i32>& rows) {
    word_.assign(text);
    Slot out;
    out.hash = dictionary_.hash(word_);
    const i32 id = dictionary_.getId(word_, out.hash);
    const fasttext::entry_type type = id < 0 ? dictionary_.getType(word_) : dictionary_.getType(id);
    out.word = type == fasttext::entry_type::word;
    if (!out.word) return out;
    if (id < 0) {
      if (text != kEnd) dictionary_.computeSubwords(cat("<", text, ">"), rows);
    } else if (model_.file.max_subword == 0) {
      rows.push_back(id);
    } else {
      const std::vector<i32>& parts = dictionary_.getSubwords(id);
      rows.insert(rows.end(), parts.begin(), parts.end());
    }
    return out;
  }

  /// Rows of the n-grams of words, as Dictionary::addWordNgrams has them; signed hashes and
  /// wrap-around belong to it.
  void add_grams(std::vector<i32>& rows) const {
    const ModelFile& file = model_.file;
    const bool none = file.pruned && model_.kept.empty();
    if (file.word_grams < 2 || none) return;
    const i64 n = isize(hashes_);
    for (i64 i = 0; i < n; ++i) {
      u64 hash = static_cast<u64>(i64{hashes_[usize(i)]});
      for (i64 j = i + 1; j < n && j < i + file.word_grams; ++j) {
        hash = hash * 116049371 + static_cast<u64>(i64{hashes_[usize(j)]});
        i32 bucket = static_cast<i32>(hash % static_cast<u64>(file.buckets));
        if (file.pruned) {
          const auto kept = model_.kept.find(bucket);
          if (kept == model_.kept.end()) continue;
          bucket = kept->second;
        }
        rows.push_back(static_cast<i32>(file.words) + bucket);
      }
    }
  }

  void forget() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    texts_.clear();
    rows_.clear();
    kept_ = 0;
  }

  const Classifier::Impl& model_;
  const fasttext::Dictionary& dictionary_;
  std::vector<Slot> slots_;
  std::string texts_;
  std::vector<i32> rows_;
  i64 kept_ = 0;
  std::vector<i32> hashes_;
  std::string word_;

 public:
  fasttext::Predictions predictions;
};

Predictor::Predictor(std::shared_ptr<const Classifier> model)
    : model_(std::move(model)), words_(std::make_unique<Words>(*model_->impl_)) {}

Predictor::~Predictor() = default;

std::span<const Guess> Predictor::predict(std::string_view text) {
  ids_.clear();
  guesses_.clear();
  words_->read(text, ids_);
  fasttext::Predictions& found = words_->predictions;
  found.clear();
  model_->impl_->library.predict(fasttext::Model::kUnlimitedPredictions, ids_, found);
  for (const auto& [log_probability, label] : found)
    guesses_.push_back({label, f64{std::exp(log_probability)}});
  return guesses_;
}

}  // namespace lm::classify
