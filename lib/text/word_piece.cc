#include "text/word_piece.h"

#include <algorithm>

#include "core/error.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

bool begins_character(char c) {
  return (static_cast<u8>(c) & 0xC0u) != 0x80u;
}

}  // namespace

WordPieceModel::WordPieceModel(Vocab vocab, WordPieceOptions options)
    : vocab_(std::move(vocab)), options_(std::move(options)) {
  LM_CHECK(vocab_.has_id(options_.unk), "the unknown token is in the vocabulary");
}

i32 WordPieceModel::longest(std::string_view word, i64 at, std::string& candidate,
                            i64& size) const {
  const std::string_view prefix = at > 0 ? std::string_view(options_.prefix) : std::string_view();
  size = std::min(isize(word) - at, vocab_.longest() - isize(prefix));
  while (size > 0 && at + size < isize(word) && !begins_character(word[usize(at + size)]))
    --size;
  while (size > 0) {
    candidate.assign(prefix);
    candidate.append(word.substr(usize(at), usize(size)));
    const i32 id = vocab_.find(candidate);
    if (id >= 0) return id;
    do
      --size;
    while (size > 0 && !begins_character(word[usize(at + size)]));
  }
  return -1;
}

void WordPieceModel::encode(std::string_view word, WordPieceScratch& scratch,
                            std::vector<i32>& ids) const {
  const std::size_t before = ids.size();
  if (count_code_points(word) > options_.max_word_chars) return ids.push_back(options_.unk);
  for (i64 at = 0; at < isize(word);) {
    i64 size = 0;
    const i32 id = longest(word, at, scratch.candidate, size);
    if (id < 0) {
      ids.resize(before);
      return ids.push_back(options_.unk);
    }
    ids.push_back(id);
    at += size;
  }
}

void WordPieceModel::encode(std::string_view text, std::span<const Span> words,
                            WordPieceScratch& scratch, std::vector<i32>& ids) const {
  for (const Span& word : words)
    encode(text.substr(usize(word.begin), usize(word.end - word.begin)), scratch, ids);
}

void WordPieceModel::locate(std::string_view word, std::span<const i32> ids, i64 base,
                            std::vector<std::pair<i64, i64>>& offsets) const {
  if (isize(ids) == 1) {  // perhaps the unknown token
    offsets.emplace_back(base, base + isize(word));
    return;
  }
  i64 at = 0;
  for (const i32 id : ids) {
    const i64 prefix = at > 0 ? isize(options_.prefix) : 0;
    const i64 end = at + isize(vocab_.token(id)) - prefix;
    offsets.emplace_back(base + at, base + end);
    at = end;
  }
}

}  // namespace lm::text
