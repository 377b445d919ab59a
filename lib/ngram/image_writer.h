#pragma once
// Makes the query form (image.h), from the estimator directly or from an ARPA file. n-grams are
// scattered over parts of their tables as they come (parts.h); end() lays the tables out piece by
// piece (slot_layout.h) and writes every section at its place, so memory is a fixed share of the
// budget plus 9 bytes per word, whatever the size of the image.
// Models of other programs may lack the suffix or the context of an n-gram they hold; the writer
// adds such n-grams with the probability the model gives them anyway, so that queries may stop at
// the first length that is absent. Spill: 24 bytes per n-gram, 16 per suffix and per context.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "ngram/column.h"
#include "ngram/image.h"
#include "ngram/image_target.h"
#include "ngram/parts.h"
#include "ngram/sink.h"
#include "ngram/slot_layout.h"

namespace lm::ngram {

/// Of unknown words, where a model does not say.
inline constexpr f32 kUnknownLog10 = -100.0f;

/// Where a writer's n-grams came from, asked only for what it could not keep.
class GramSource {
 public:
  virtual ~GramSource() = default;
  /// Calls visit for all n-grams of order n >= 2, in the order in which they were added.
  using Visit = std::function<void(u64 rank, std::span<const u32> words)>;
  virtual void each(int n, const Visit& visit) = 0;
  /// Throws: n-gram number `rank` of order n was there already.
  [[noreturn]] virtual void repeated(int n, u64 rank) = 0;
};

class ImageWriter final : public ModelSink {
 public:
  /// form: the text form to store (cutter.h). Takes its share of the budget at once.
  ImageWriter(const Context& ctx, ImageTarget& target, std::string form = {});
  ~ImageWriter() override;
  ImageWriter(const ImageWriter&) = delete;
  ImageWriter& operator=(const ImageWriter&) = delete;

  /// vocab is looked at until end().
  void begin(const Vocab& vocab, std::span<const i64> counts) override;
  void begin_order(int n) override;
  std::unique_ptr<Chunk> new_chunk(int n) const override;
  void take(Chunk& chunk) override;
  /// Writes the image. Of n-grams that were added twice (by other spelling: equal hashes) the
  /// first stays. Throws Error{kIo, kCannotCreate}; kData when two words have one hash.
  void end() override { end(nullptr); }
  /// The same with a source, whose repeated() is called instead, and which may have gaps.
  void end(GramSource* source);

  /// Adds one n-gram; orders must come in ascending order. words: ids, first to last.
  void add(std::span<const u32> words, f32 log10_p, f32 log10_b);
  /// n-grams that were added for completeness; known after end().
  i64 closing_grams() const;

 private:
  struct GramChunk;
  /// One n-gram as hashes; of order 2 context and suffix are word ids, of order 1 hash is.
  struct Hashed {
    u64 hash;
    u64 context;
    u64 suffix;
    f32 log10_p;
    f32 log10_b;
  };
  /// One order, 2 or more.
  struct Level {
    i64 slots = 0;
    i64 added = 0;
    i64 placed = 0;
    u64 last_suffix = 0;
    i64 closings = 0;
    std::optional<Parts<TableEntry>> entries;
    std::optional<Parts<GramMark>> marks;      // of the next order
    std::optional<Column<u32>> closing_words;  // [closings * order]
  };
  static Hashed hashed(std::span<const u32> words, f32 log10_p, f32 log10_b);
  Level& level(int n) { return levels_[usize(n - 2)]; }
  const Level& level(int n) const { return levels_[usize(n - 2)]; }
  i64 parts_for(i64 slots) const;
  i64 buffer_bytes(i64 parts) const;
  void put(int n, const Hashed& gram);
  void put_marks(int n, u64 context, u64 suffix, u64 by);
  void mark_word(u64 id, GramMark::Kind kind);
  ImageShape shape() const;
  void begin_image();
  bool write_level(int n, GramSource* source);
  Parts<TableEntry> grown(const Level& at, i64& slots) const;
  void close(int n, Column<GramMark>& missing, GramSource* source);
  void value_closings(int n);
  void write_words();
  void write_spelling();

  const Context* ctx_;
  ImageTarget* target_;
  std::string form_;
  i64 share_;
  bool charged_;
  const Vocab* vocab_ = nullptr;
  int order_ = 0;
  i64 known_words_ = 0;
  std::optional<Column<Weights>> unigrams_;
  std::optional<Column<u8>> unigram_known_;
  std::vector<Level> levels_;
  std::vector<i64> begins_;  // of sections
};

/// Reads a whole ARPA file into writer. name is for messages. Throws Error{kData} as ArpaReader
/// does, and for repeated n-grams, words missing from the unigrams, and a model without <s> or
/// </s>. A model without <unk> gives unknown words log10 p = -100. The words are charged to the
/// budget.
void read_arpa(const Context& ctx, std::string_view text, const std::string& name,
               ImageWriter& writer);

}  // namespace lm::ngram
