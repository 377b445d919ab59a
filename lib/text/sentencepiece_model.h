#pragma once
// The parts of a SentencePiece model file that we check or need ourselves. The library trusts the
// file: a hostile double array makes it read out of bounds, ids are not range-checked. So the file
// is walked and validated before the library sees it.
// Source: field numbers of sentencepiece_model.proto; unit layout of darts-clone.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kUnused = 5, kByte = 6 };

struct SentencePieceEntry {
  std::string piece;  // as stored: U+2581 stands for a blank
  f32 score = 0;
  PieceType type = PieceType::kNormal;
};

struct SentencePieceModel {
  std::vector<SentencePieceEntry> pieces;
  i64 model_type = 1;  // 1 unigram, 2 bpe, 3 word, 4 char
  bool byte_fallback = false;
  std::string unk_surface = " \xE2\x81\x87 ";
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
};

/// Reads and validates a serialized model: well-formed protobuf, pieces that are non-empty, unique
/// UTF-8 without NUL, finite scores, known types, exactly one unknown piece, `<0xNN>` byte pieces,
/// and a normalisation table whose every reachable index lies inside it.
/// Throws Error{kData} that starts with name and says what was found. O(file size).
SentencePieceModel read_sentencepiece_model(std::string_view bytes, const std::string& name);

}  // namespace lm::text
