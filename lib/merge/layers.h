#pragma once
// Layer numbers in tensor names, and which tensors come before and after the layers. By pattern:
// names of Llama, Mistral, Qwen, Gemma, OLMo, GPT-2, GPT-NeoX, BERT and what follows them.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::merge {

/// The layer in "model.layers.12.mlp.weight" (also h, blocks, layer): the first such number.
/// Nothing for tensors outside the layers.
std::optional<i64> layer_of(std::string_view tensor);
/// The name of the same tensor in another layer. The tensor must have a layer.
std::string with_layer(std::string_view tensor, i64 layer);

/// For tensors outside the layers: true for embeddings of tokens and positions, which come first;
/// false for final norms, heads and the rest.
bool before_layers(std::string_view tensor);
/// True for matrices whose rows stand for tokens: embeddings and heads.
bool has_token_rows(std::string_view tensor);
/// True for the output head's weight, which models with tied embeddings do not store.
bool is_head(std::string_view tensor);

}  // namespace lm::merge
