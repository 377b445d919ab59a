#pragma once
// ARPA files: the text form of back-off models. Writing is deterministic (shortest decimals that
// read back as the same float). Reading trusts nothing: every malformed, missing or superfluous
// line is Error{kData} naming file and line. Format: Doug Paul's ARPA format as SRILM documents it;
// fields are separated by tabs or blanks.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "ngram/sink.h"

namespace lm::ngram {

class ArpaWriter final : public ModelSink {
 public:
  /// write receives the bytes in order.
  using Write = std::function<void(std::string_view)>;
  explicit ArpaWriter(Write write) : write_(std::move(write)) {}
  void begin(const Vocab& vocab, std::span<const i64> counts) override;
  void begin_order(int n) override;
  std::unique_ptr<Chunk> new_chunk(int n) const override;
  void take(Chunk& chunk) override;
  void end() override;

 private:
  Write write_;
  const Vocab* vocab_ = nullptr;
  int order_ = 0;
};

/// One entry of a file being read. words are valid during the call only.
struct ArpaGram {
  std::span<const std::string_view> words;  // first to last
  f32 log10_p = 0;
  f32 log10_b = 0;  // 0 when absent
};

class ArpaReader {
 public:
  /// text is the whole file; name is for messages. Reads the header: throws Error{kData} when it
  /// is not an ARPA header or the order is above kMaxOrder.
  ArpaReader(std::string_view text, std::string name);
  const std::vector<i64>& counts() const { return counts_; }
  int order() const { return static_cast<int>(counts_.size()); }
  /// Calls visit for every n-gram, order by order; checks section headers, counts against the
  /// header, finite values, log10_p <= 0, no back-off on the highest order, and \end\.
  void read(const std::function<void(const ArpaGram&)>& visit);
  /// Error{kData} at the current line, for the visitor's own findings.
  [[noreturn]] void fail(std::string_view what) const;

 private:
  bool line(std::string_view& out);
  std::string_view next_content();
  void entry(std::string_view text, int n, ArpaGram& gram);
  f32 number(std::string_view text, const char* what) const;

  std::string_view rest_;
  std::string name_;
  i64 line_ = 0;
  std::vector<i64> counts_;
  std::vector<std::string_view> words_;
};

/// True if the bytes can be an ARPA file: blank lines, then \data\.
bool looks_like_arpa(std::string_view bytes);

}  // namespace lm::ngram
