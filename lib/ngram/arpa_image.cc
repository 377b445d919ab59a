// ARPA files into images.

#include "core/error.h"
#include "core/str.h"
#include "ngram/arpa.h"
#include "ngram/image_writer.h"

namespace lm::ngram {

namespace {

class ArpaSource final : public GramSource {
 public:
  ArpaSource(const Context& ctx, std::string_view text, const std::string& name)
      : ctx_(&ctx), text_(text), name_(name) {}
  ~ArpaSource() override { ctx_->memory->release(charged_); }
  ArpaSource(const ArpaSource&) = delete;
  ArpaSource& operator=(const ArpaSource&) = delete;

  void read(ImageWriter& writer) {
    ArpaReader reader(text_, name_);
    // Every unigram has a line, so a lying header cannot ask for more than the file's size.
    const i64 most = std::min(reader.counts()[0], isize(text_)) + 3;
    Column<Weights> unigrams(*ctx_, most);
    Column<u8> seen(*ctx_, most);
    unigrams.resize(3);
    unigrams[kUnk] = {kUnknownLog10, 0};
    seen.resize(3);
    int order = 1;
    const auto begin_order = [&](int n) {
      for (; order < n; ++order) {
        if (order == 1) give_unigrams(reader, unigrams, seen, writer);
        writer.begin_order(order + 1);
      }
    };
    std::vector<u32> ids;
    reader.read([&](const ArpaGram& gram) {
      begin_order(static_cast<int>(gram.words.size()));
      if (order == 1) {
        add_unigram(reader, gram, unigrams, seen);
        return;
      }
      find_words(reader, gram, ids);
      writer.add(ids, gram.log10_p, gram.log10_b);
    });
    if (order == 1) give_unigrams(reader, unigrams, seen, writer);
    writer.end(this);
  }

  void each(int n, const Visit& visit) override {
    ArpaReader reader(text_, name_);
    std::vector<u32> ids;
    u64 rank = 0;
    reader.read([&](const ArpaGram& gram) {
      if (isize(gram.words) != n) return;
      find_words(reader, gram, ids);
      visit(rank++, ids);
    });
  }

  [[noreturn]] void repeated(int n, u64 rank) override {
    ArpaReader reader(text_, name_);
    u64 at = 0;
    reader.read([&](const ArpaGram& gram) {
      if (isize(gram.words) == n && at++ == rank) reader.fail(cat("a ", n, "-gram is repeated"));
    });
    LM_CHECK(false, "a second reading finds what the first one found");
  }

 private:
  void find_words(const ArpaReader& reader, const ArpaGram& gram, std::vector<u32>& ids) const {
    ids.clear();
    for (const std::string_view word : gram.words) {
      const std::optional<u32> id = vocab_.find(word);
      if (!id) reader.fail(cat("the word ", quote(word), " has no unigram"));
      ids.push_back(*id);
    }
  }

  void add_unigram(const ArpaReader& reader, const ArpaGram& gram, Column<Weights>& unigrams,
                   Column<u8>& seen) {
    const i64 id = vocab_.add(gram.words[0]);
    if (id == unigrams.size()) {
      unigrams.resize(id + 1);
      seen.resize(id + 1);
      if (const i64 bytes = vocab_.memory_bytes(); bytes > charged_) {
        ctx_->memory->charge_growing(charged_, bytes - charged_, "the vocabulary");
        charged_ = bytes;
      }
    }
    if (seen[id] != 0) reader.fail(cat("the unigram ", quote(gram.words[0]), " is repeated"));
    seen[id] = 1;
    unigrams[id] = {gram.log10_p, gram.log10_b};
  }

  void give_unigrams(const ArpaReader& reader, const Column<Weights>& unigrams,
                     const Column<u8>& seen, ImageWriter& writer) const {
    for (const u32 symbol : {kBos, kEos}) {
      if (seen[symbol] == 0) reader.fail(cat("the model has no unigram ", vocab_.word(symbol)));
    }
    writer.begin(vocab_, reader.counts());
    for (u32 id = 0; id < unigrams.size(); ++id)
      writer.add({&id, 1}, unigrams[id].p, unigrams[id].b);
  }

  const Context* ctx_;
  std::string_view text_;
  const std::string& name_;
  Vocab vocab_;
  i64 charged_ = 0;
};

}  // namespace

void read_arpa(const Context& ctx, std::string_view text, const std::string& name,
               ImageWriter& writer) {
  ArpaSource(ctx, text, name).read(writer);
}

}  // namespace lm::ngram
