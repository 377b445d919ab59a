#pragma once
// Reading the small-model formats of llama2.c (Karpathy): the legacy weight file (seven i32: width,
// ffn, layers, heads, kv heads, vocabulary (negative: own head), context; then f32 tensors) and its
// tokenizer.bin (i32 longest piece; then per piece f32 score, i32 bytes, bytes).

#include <string>
#include <string_view>

#include "model/checkpoint.h"

namespace lm::model {

/// Reads a weight file as a Llama model. Rows of wq and wk, stored for rotation of neighbouring
/// pairs (2j, 2j+1), are permuted to the (j, j+d/2) order used everywhere here. bos is 1; both 1
/// and 2 end a text (the training data separates stories by 1). Throws Error{kNoInput}, and
/// Error{kData} for impossible headers or a size that does not match.
Model read_llama2c(const std::string& path);

/// A SentencePiece BPE model (protobuf) with the pieces, scores and byte fallback of tokenizer.bin
/// bytes: ids 0, 1, 2 are <unk>, <s>, </s>, blanks become U+2581, a dummy prefix is added and no
/// other normalisation applies. vocab pieces are expected. Throws Error{kData} naming `name`.
std::string sentencepiece_from_llama2c(std::string_view bytes, i64 vocab, std::string_view name);

/// Writes the folder: config, weights, tokenizer.model, tokenizer_config.json, manifest.
void convert_llama2c(const std::string& weights, const std::string& tokenizer,
                     const std::string& folder);

}  // namespace lm::model
