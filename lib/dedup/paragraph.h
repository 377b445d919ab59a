#pragma once
// Paragraph deduplication inside documents: cutting a text, which paragraphs take part, and the
// spans of those that were there before. Pure functions apart from the caller's scratch.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/types.h"
#include "text/normalize.h"

namespace lm::dedup {

struct ParagraphOptions {
  std::string separator = "\n";
  text::Normaliser normaliser = text::Normaliser::kRaw;
  u64 seed = 0;              // of the key hash
  i64 min_chars = 0;         // code points, without the separator
  i64 min_words = 0;         // words between white space
  bool skip_empty = false;   // paragraphs of white space only
  bool across_only = false;  // repeats inside one document do not count
};

/// A paragraph and the separator behind it.
struct Paragraph {
  i64 begin = 0;  // code points, half open
  i64 end = 0;
  i64 key = -1;  // index into the document's keys; -1: skipped, never a duplicate
};

/// One document on its way through: cut_paragraphs() fills it, the caller asks a filter or set
/// about keys and hands the answers with the paragraphs to duplicate_spans(). Filled again and
/// again it keeps its memory.
struct ParagraphedText {
  std::vector<Paragraph> paragraphs;
  std::vector<Hash128> keys;  // in order; with across_only each different key once
  std::string scratch;
};

/// Cuts text (well-formed UTF-8) at the separator, which belongs to the paragraph before it; an
/// empty rest behind the last separator is no paragraph. The key is the digest of the normalised
/// paragraph without separator. separator must not be empty. O(n).
void cut_paragraphs(const ParagraphOptions& options, std::string_view text, ParagraphedText& out);

struct Span {
  i64 begin = 0;  // code points, half open
  i64 end = 0;
  bool operator==(const Span&) const = default;
};

/// One span per paragraph whose key was seen; seen: [keys], the answers in order.
std::vector<Span> duplicate_spans(std::span<const Paragraph> paragraphs, std::span<const u8> seen);

/// text without the spans (ascending, disjoint, code points). O(n).
std::string cut_spans(std::string_view text, std::span<const Span> spans);

}  // namespace lm::dedup
