#pragma once
// A family is data: how config.json spells a ModelCfg, and which tensor of a checkpoint holds which
// rows of which parameter (mapping.h). Adding a family is adding one Family to the table.

#include <span>
#include <string_view>

#include "io/json_node.h"
#include "model/config.h"

namespace lm::model {

using io::Json;
using io::JsonNode;
using io::parse_object;

/// Which rows of the parameter a tensor holds.
enum class RowPart : u8 {
  kAll,
  kQuery,
  kKey,
  kValue,
  kGate,
  kUp,
  kSharedGate,
  kSharedUp,
  kExpert,
  kExpertGate,
  kExpertUp
};

struct RowRange {
  i64 begin = 0;
  i64 count = 0;
};
/// The rows of a part, of expert number `expert` where it is one's, in a parameter of `all` rows.
RowRange row_range(RowPart part, const LayerCfg& layer, i64 all, i64 expert = 0);

/// One line of a mapping: "{}" in both names is the layer number, "{e}" in the tensor's the
/// expert's: there is a tensor for each. A line whose parameter the model does not have (a bias, an
/// untied head) is skipped.
struct MapRow {
  const char* tensor;  // name in model.safetensors, without the optional prefix
  const char* param;   // name in ModelParams (params.h)
  RowPart part = RowPart::kAll;
  bool transpose = false;  // stored [in, out]
};

struct Family {
  const char* model_type;
  const char* architecture;  // config.json's "architectures"
  const char* prefix;        // optional on reading, whether or not the rows carry it
  std::span<const MapRow> rows;
  std::span<const char* const> ignored;  // buffers some writers store; "{}" as above
  void (*parse)(const JsonNode& json, ModelCfg& cfg);
  void (*write)(const ModelCfg& cfg, Json& json);
};

extern const Family kBert;  // family_bert.cc
extern const Family kRoberta;
extern const Family kXlmRoberta;
extern const Family kGpt2;     // family_gpt2.cc
extern const Family kLlama;    // family_llama.cc
extern const Family kMistral;  // family_mistral.cc
extern const Family kQwen2;    // family_qwen.cc
extern const Family kQwen3;
extern const Family kMixtral;  // family_experts.cc
extern const Family kOlmoe;
extern const Family kQwen2Moe;
extern const Family kQwen3Moe;
extern const Family kMoe;
extern const Family kQlstm;  // family_lstm.cc
extern const Family kLstm;
extern const Family kBased;  // family_based.cc

std::span<const Family* const> families();

/// Throws Error{kData}: "NAME: model_type "x" is not supported (supported: gpt2, ...)".
const Family& find_family(std::string_view model_type, std::string_view name);

/// The activation named by key, or fallback when absent; Error{kData} unless it is one of allowed.
Unary parse_act(const JsonNode& json, const char* key, Unary fallback,
                std::span<const Unary> allowed);
const char* act_name(Unary act);

/// Key eos_token_id: one token id, a list of them, or none.
std::vector<i32> read_eos_ids(const JsonNode& json);
/// Error{kData} if one of them is no token of the vocabulary: it would never end a text.
void check_eos_ids(const JsonNode& json, std::span<const i32> ids, i64 vocab);

inline constexpr i64 kMaxTokenId = 0x7fffffff;

/// Bounds of config.json values: beyond them a file is damaged or hostile, not large. With them
/// every parameter count fits i64.
inline constexpr i64 kMaxLayers = 4096;
inline constexpr i64 kMaxWidth = i64{1} << 20;
inline constexpr i64 kMaxHeads = i64{1} << 14;
inline constexpr i64 kMaxVocab = i64{1} << 24;
inline constexpr i64 kMaxContext = i64{1} << 28;
inline constexpr i64 kMaxTaps = 256;  // of a convolution
inline constexpr i64 kMaxDim = 256;   // of a query of linear attention

}  // namespace lm::model
