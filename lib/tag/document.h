#pragma once
// One document as taggers see it: the text and views of it. Each view is made when it is first
// asked for and shared by all taggers of a run; its memory is kept for the next document. Offsets
// are bytes of the text, half open. Not thread-safe: one per worker.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/long_texts.h"
#include "core/types.h"
#include "tag/gopher_counts.h"
#include "tag/grams.h"
#include "tag/pieces.h"
#include "tag/word_table.h"
#include "text/byte_bits.h"
#include "text/segment.h"

namespace lm::tag {

class Document {
 public:
  /// From here on a text is long: its views are as large as itself, each.
  static constexpr i64 kLongBytes = LongTexts::kBytes;
  bool is_long() const { return isize(text_) >= kLongBytes; }
  /// Starts a new document. text: well-formed UTF-8 of less than 4 GiB that outlives the views.
  void reset(std::string_view text);
  /// Gives the memory of all views back; they are made anew when they are asked for.
  void forget();
  /// A field of the record that a tagger asked for (TaggerDef::fields); nullopt where it is missing
  /// or null. set_field() follows reset().
  void set_field(std::string_view name, std::optional<std::string> value);
  const std::optional<std::string>& field(std::string_view name) const;

  std::string_view text() const { return text_; }
  std::string_view slice(Range r) const { return text_.substr(usize(r.begin), usize(r.size())); }
  std::string_view slice(const Word& w) const { return text_.substr(usize(w.begin), w.bytes); }
  /// Code points of the text.
  i64 chars() const { return bits_.chars(); }
  bool ascii() const { return bits_.ascii(); }
  /// What the bytes are.
  const text::ByteBits& bits() const { return bits_; }

  std::span<const Word> words();
  /// Sum of the words' code points.
  i64 word_chars();
  /// The words as numbers of distinct words, and how often each occurs.
  const WordTable& word_table();
  /// [words] numbers in word_table().
  std::span<const u32> word_ids();
  /// Repeated n-grams of the words, with these sums at least.
  const GramCounter& grams(GramSums sums = GramSums::kAll);
  /// Counts of words and lines.
  const GopherCounts& gopher();

  /// Split at '\n': n newlines give n + 1 lines, without their newline.
  std::span<const Range> lines_n();
  /// Split at runs of '\n'.
  std::span<const Range> lines_nplus();
  /// Python's str.splitlines: no empty last line; the separators are not part of a line.
  std::span<const Range> lines_py();
  /// Runs without '\n' and the '\n' that ends them; blank ones included.
  std::span<const Range> paragraphs();
  /// The text in lower case, as Python's str.lower.
  std::string_view lower();
  /// What the bytes of lower() are.
  const text::ByteBits& lower_bits();

  /// Code points before a byte offset at a sequence start. O(1).
  i64 chars_before(i64 byte) const { return byte - bits_.inner_before(byte); }
  i64 chars_of(Range r) const { return chars_before(r.end) - chars_before(r.begin); }
  /// Byte offset of a code point.
  i64 byte_of(i64 code_point);

 private:
  void find_words();
  void find_lines_py();

  std::string_view text_;
  text::ByteBits bits_;
  std::vector<std::pair<std::string, std::optional<std::string>>> fields_;
  bool has_words_ = false;
  bool has_ids_ = false;
  bool has_lines_n_ = false;
  bool has_lines_nplus_ = false;
  bool has_lines_py_ = false;
  bool has_paragraphs_ = false;
  bool has_lower_ = false;
  bool has_lower_bits_ = false;
  bool has_gopher_ = false;
  std::vector<Word> words_;
  std::vector<u32> edges_;  // where words begin and end
  std::vector<u32> char_edges_;
  i64 word_chars_ = 0;
  WordTable table_;
  std::vector<u32> ids_;
  GramCounter grams_;
  std::optional<GramSums> grams_of_;
  std::vector<Range> lines_n_;
  std::vector<Range> lines_nplus_;
  std::vector<Range> lines_py_;
  std::vector<Range> paragraphs_;
  std::string lower_;
  text::ByteBits lower_bits_;  // where the text is not ASCII
  GopherCounter gopher_counter_;
  GopherCounts gopher_;
  std::optional<text::CodePointIndex> index_;
};

}  // namespace lm::tag
