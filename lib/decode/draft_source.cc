#include "decode/draft_source.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "decode/draft_aded.h"
#include "decode/draft_ngram.h"
#include "decode/draft_suffix.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::decode {

namespace {

constexpr std::string_view kMagic = "LMDRAFT1";

void append_word(std::string& out, u64 value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(value >> (8 * i) & 255);
}

}  // namespace

// magic, tokenizer key (8 bytes), number of texts (8); of each its tokens' number (4) and they (4
// each); the XXH3 of all that (8). Little-endian.
void DraftTexts::save(const std::string& path, u64 tokenizer) const {
  std::string out(kMagic);
  append_word(out, tokenizer, 8);
  append_word(out, texts_.size(), 8);
  for (const std::vector<i32>& text : texts_) {
    append_word(out, text.size(), 4);
    for (const i32 token : text)
      append_word(out, static_cast<u32>(token), 4);
  }
  append_word(out, xxh3_64(out), 8);
  io::AtomicFile file(path);
  file.write(out);
  file.commit();
}

void DraftTexts::load(const std::string& path, u64 tokenizer) {
  const std::string bytes = io::read_file(path);
  std::size_t at = 0;
  const auto word = [&](std::size_t count) {
    u64 out = 0;
    for (std::size_t i = 0; i < count && at < bytes.size(); ++i)
      out |= u64{static_cast<u8>(bytes[at++])} << (8 * i);
    return out;
  };
  if (!std::string_view(bytes).starts_with(kMagic))
    throw Error(ErrorKind::kData, cat(path, ": is no file of drafts"),
                "--draft-file names a file that lm-decode writes itself");
  at = bytes.size() < kMagic.size() + 24 ? bytes.size() : bytes.size() - 8;
  if (at == bytes.size() || word(8) != xxh3_64(std::string_view(bytes).substr(0, bytes.size() - 8)))
    throw Error(ErrorKind::kData, cat(path, ": is damaged: its digest is another"),
                "remove it; the next run writes it anew");
  at = kMagic.size();
  if (word(8) != tokenizer)
    throw Error(ErrorKind::kData, cat(path, ": was written with another tokenizer"),
                "a file of drafts belongs to one tokenizer");
  for (u64 left = word(8); left > 0; --left) {
    const u64 size = word(4);
    if (size > (bytes.size() - at) / 4)
      throw Error(ErrorKind::kData, cat(path, ": is damaged: a text is longer than the file"));
    std::vector<i32> text(size);
    for (i32& token : text)
      token = static_cast<i32>(word(4));
    add(text);
  }
}

void DraftTexts::add(std::span<const i32> text) {
  if (text.empty() || isize(text) > kMostTokens) return;
  const auto known = std::find_if(texts_.begin(), texts_.end(), [&](const std::vector<i32>& one) {
    return std::equal(one.begin(), one.end(), text.begin(), text.end());
  });
  if (known != texts_.end()) {
    std::rotate(known, known + 1, texts_.end());
    return;
  }
  texts_.emplace_back(text.begin(), text.end());
  tokens_ += isize(text);
  std::size_t gone = 0;
  for (; tokens_ > kMostTokens; ++gone)
    tokens_ -= isize(texts_[gone]);
  texts_.erase(texts_.begin(), texts_.begin() + static_cast<i64>(gone));
}

/// What the drafters of a run share.
struct DraftSource::Shared {
  std::string name;
  bool shared = false;
  DraftTexts texts;
  i64 learned = 0;  // tokens in the tables below, at most kMostTokens
  std::shared_ptr<NgramCounts> counts = std::make_shared<NgramCounts>();
  std::shared_ptr<TrigramMatrix> matrix = std::make_shared<TrigramMatrix>();
  std::shared_ptr<SuffixAutomaton> automaton = std::make_shared<SuffixAutomaton>();

  bool has_room(std::span<const i32> text) const {
    return shared && learned + isize(text) <= DraftTexts::kMostTokens;
  }
  std::unique_ptr<Drafter> make() const {
    if (name == "ngram") return std::make_unique<NgramTree>(shared ? counts : nullptr);
    if (name == "suffix") return std::make_unique<SuffixDrafter>(shared ? automaton : nullptr);
    if (name == "prompt-lookup") return std::make_unique<PromptLookup>();
    AdedOptions options;
    options.prompt = name != "aded-published";
    return std::make_unique<Aded>(options, shared ? matrix : nullptr);
  }
};

namespace {

/// Keeps what a drafter's text became.
template <class Shared>
class Learner final : public Drafter {
 public:
  Learner(std::unique_ptr<Drafter> drafter, std::shared_ptr<Shared> shared)
      : drafter_(std::move(drafter)), shared_(std::move(shared)) {}
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override {
    drafter_->propose(history, most, out);
  }
  void finish(std::span<const i32> history) override {
    if (!shared_->has_room(history)) return shared_->texts.add(history);
    shared_->learned += isize(history);
    drafter_->finish(history);
    shared_->texts.add(history);
  }

 private:
  std::unique_ptr<Drafter> drafter_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

const std::vector<std::string>& DraftSource::names() {
  static const std::vector<std::string> all = {"prompt-lookup", "ngram", "aded", "aded-published",
                                               "suffix"};
  return all;
}

DraftSource::DraftSource(std::string_view name, bool shared, DraftTexts earlier)
    : shared_(std::make_shared<Shared>()) {
  LM_CHECK(std::find(names().begin(), names().end(), name) != names().end(), "a drafter's name");
  shared_->name = name;
  shared_->shared = shared;
  shared_->texts = std::move(earlier);
  if (!shared) return;
  for (const std::vector<i32>& text : shared_->texts.texts()) {
    if (!shared_->has_room(text)) break;
    shared_->learned += isize(text);
    if (name == "ngram") shared_->counts->add(text);
    if (name.starts_with("aded")) shared_->matrix->index(text);
    if (name == "suffix") SuffixDrafter(shared_->automaton).finish(text);
  }
}

DraftSource::~DraftSource() = default;

std::unique_ptr<Drafter> DraftSource::make() {
  return std::make_unique<Learner<Shared>>(shared_->make(), shared_);
}

i64 DraftSource::rows() const {
  if (shared_->name == "prompt-lookup") return 10;
  if (shared_->name == "ngram") return 16;
  return shared_->name == "suffix" ? 32 : kMostDraft;
}

const DraftTexts& DraftSource::texts() const {
  return shared_->texts;
}

}  // namespace lm::decode
