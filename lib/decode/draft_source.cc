#include "decode/draft_source.h"

#include <algorithm>

#include "core/error.h"
#include "decode/draft_aded.h"
#include "decode/draft_ngram.h"
#include "decode/draft_suffix.h"
#include "decode/kept_file.h"

namespace lm::decode {

namespace {

constexpr KeptKind kKept = {"LMDRAFT1", "drafts", "--draft-file", "tokenizer"};

}  // namespace

// The number of texts (8 bytes); of each its tokens' number (4) and they (4 each).
void DraftTexts::save(const std::string& path, u64 tokenizer) const {
  KeptWriter out(kKept, tokenizer);
  out.word(texts_.size(), 8);
  for (const std::vector<i32>& text : texts_) {
    out.word(text.size(), 4);
    for (const i32 token : text)
      out.word(static_cast<u32>(token), 4);
  }
  out.save(path);
}

void DraftTexts::load(const std::string& path, u64 tokenizer) {
  KeptReader in(path, kKept, tokenizer);
  for (u64 left = in.word(8); left > 0; --left) {
    std::vector<i32> text(in.count(in.word(4), 4));
    for (i32& token : text)
      token = static_cast<i32>(in.word(4));
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
    if (!shared_->shared) return;  // nobody asks
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
