#pragma once
// Models of masked diffusion: what config.json says of them. Such a model's rows see all of their
// text, or of block diffusion their own block and those before, and say of each place where the
// mask token stands which token it hides. config.json has
//   "lm_diffusion": {"mask_token_id": 3, "block": 16}
// which other programs do not know, so the architecture gets another name too; block 0 or absent:
// texts are seen whole. Sources: Sahoo et al. 2024 (MDLM); Nie et al. 2025 (LLaDA); Arriola et al.
// 2025 (block diffusion).

#include <string_view>

#include "io/json_node.h"
#include "model/config.h"

namespace lm::model {

/// Of config.json; the vocabulary is there. Throws Error{kData} naming file and key.
void read_diffusion(const io::JsonNode& json, ModelCfg& cfg);
void write_diffusion(const ModelCfg& cfg, io::Json& json);

/// Throws Error{kData} "name: key ..." unless a model with cfg.diffusion can have it: a decoder's
/// stack with a head for tokens, layers that attend to all that they may see, a mask token inside
/// the vocabulary.
void check_diffusion(const ModelCfg& cfg, std::string_view name);

/// Whether rows see what is behind them in their text: an encoder's, and those of masked diffusion,
/// in blocks up to the end of their own.
bool sees_behind(const ModelCfg& cfg);
/// How many rows of a text of `count` its row `row` sees in such a model, 0: all (EvalRow::until).
i64 sight_end(const ModelCfg& cfg, i64 row, i64 count);

/// Throws Error{kData} naming the folder unless cfg is a model of masked diffusion.
void require_diffusion(const ModelCfg& cfg, std::string_view folder);

}  // namespace lm::model
