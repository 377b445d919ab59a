#include "dedup/paragraph.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::dedup {

namespace {

bool takes_part(const ParagraphOptions& options, std::string_view paragraph, i64 chars) {
  if (chars < options.min_chars) return false;
  if (options.skip_empty && text::is_blank(paragraph)) return false;
  return options.min_words == 0 || text::count_words_ws(paragraph) >= options.min_words;
}

struct KeyHash {
  std::size_t operator()(const Hash128& key) const { return key.lo; }
};

/// Keeps the first of equal keys and points the paragraphs at it. The map is only looked up in, so
/// its order does not matter.
void merge_repeats(ParagraphedText& document) {
  std::unordered_map<Hash128, i64, KeyHash> first;
  std::vector<Hash128> kept;
  for (Paragraph& paragraph : document.paragraphs) {
    if (paragraph.key < 0) continue;
    const Hash128& key = document.keys[usize(paragraph.key)];
    const auto [at, added] = first.emplace(key, isize(kept));
    if (added) kept.push_back(key);
    paragraph.key = at->second;
  }
  document.keys = std::move(kept);
}

}  // namespace

void cut_paragraphs(const ParagraphOptions& options, std::string_view text, ParagraphedText& out) {
  LM_CHECK(!options.separator.empty(), "a paragraph separator has at least one byte");
  out.paragraphs.clear();
  out.keys.clear();
  const i64 separator_chars = text::count_code_points(options.separator);
  i64 at = 0;  // code points
  while (!text.empty()) {
    const std::size_t found = text.find(options.separator);
    const bool separated = found != std::string_view::npos;
    const std::string_view content = text.substr(0, found);
    const i64 chars = text::count_code_points(content);
    Paragraph paragraph;
    paragraph.begin = at;
    paragraph.end = at + chars + (separated ? separator_chars : 0);
    if (takes_part(options, content, chars)) {
      paragraph.key = isize(out.keys);
      text::normalise(options.normaliser, content, out.scratch);
      out.keys.push_back(xxh3_128(out.scratch, options.seed));
    }
    out.paragraphs.push_back(paragraph);
    at = paragraph.end;
    text.remove_prefix(separated ? found + options.separator.size() : text.size());
  }
  if (options.across_only) merge_repeats(out);
}

std::vector<Span> duplicate_spans(std::span<const Paragraph> paragraphs, std::span<const u8> seen) {
  std::vector<Span> spans;
  for (const Paragraph& paragraph : paragraphs) {
    if (paragraph.key < 0) continue;
    LM_CHECK(paragraph.key < isize(seen), "one answer per key");
    if (seen[usize(paragraph.key)] != 0) spans.push_back({paragraph.begin, paragraph.end});
  }
  return spans;
}

std::string cut_spans(std::string_view text, std::span<const Span> spans) {
  const text::CodePointIndex index(text);
  std::string out;
  i64 from = 0;
  for (const Span& span : spans) {
    LM_CHECK(span.begin <= span.end && span.end <= index.size(), "a span lies inside its text");
    const i64 begin = index.byte_of(span.begin);
    LM_CHECK(begin >= from, "spans ascend and do not overlap");
    out.append(text.substr(usize(from), usize(begin - from)));
    from = index.byte_of(span.end);
  }
  out.append(text.substr(usize(from)));
  return out;
}

}  // namespace lm::dedup
