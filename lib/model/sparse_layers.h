#pragma once
// Layers whose attention is sparse: how options and config.json spell them. config.json has
//   "lm_sparse": {"pattern": "fixed", "block": 16, "local": 8, "global": 1, "patterns": 8,
//                 "layers": [0, 2]}
// which other programs do not know, so the architecture gets another name too. Sources: Child et
// al. 2019 (fixed patterns); Brown et al. 2020, Shliazhko et al. 2022 (alternating layers).

#include <string_view>

#include "io/json_node.h"
#include "model/config.h"

namespace lm::model {

/// "fixed", or "fixed:block=16,local=8,global=1,patterns=8"; what is left out has these values, and
/// patterns local / global. Throws Error{kUsage} naming the setting.
SparseMask parse_sparse(std::string_view text);

bool is_sparse_setting(std::string_view name);

/// which: "alternating", the layers of even number, or "sparse", all; "" and "dense": none. Throws
/// Error{kUsage} where one of them has no attention to all tokens, or nothing is to be sparse.
void set_sparse(std::string_view which, std::string_view settings, ModelCfg& cfg);

/// Of config.json; layers are there. Throws Error{kData} naming file and key.
void read_sparse(const io::JsonNode& json, ModelCfg& cfg);
void write_sparse(const ModelCfg& cfg, io::Json& json);

}  // namespace lm::model
