#pragma once
// A layer's parts as alternatives. Each alternative is a struct in a variant of LayerCfg (config.h)
// and lives in one file with the functions that answer for it: same, check, describe, add_params,
// build, useful_flops, and for mixers cached_numbers. Adding one is adding that file and the
// variant's member: the functions below, which everybody else calls, find it.

#include <string>
#include <string_view>

#include "graph/graph.h"
#include "model/config.h"
#include "model/params.h"
#include "ops/ops.h"

namespace lm::model {

class GraphModel;

/// Where a part declares its parameters: names are within the layer, without blocks.I.
class LayerParams {
 public:
  LayerParams(ModelParams& to, const ModelCfg& cfg, i64 layer);
  i64 width() const { return cfg_.width; }
  /// The model's kind of norm over its width.
  void norm(std::string_view name);
  /// A gain alone, ones.
  void gain(std::string_view name, i64 size);
  void linear(std::string_view name, i64 out, i64 in, bool bias);
  /// Weights of a convolution over rows: [taps, size], drawn within 1 / sqrt(taps).
  void taps(std::string_view name, i64 taps, i64 size);
  /// A projection back to the residual stream: its deviation is smaller (make_params). copies: so
  /// many, one below the other.
  void residual(std::string_view name, i64 in, bool bias, i64 copies = 1);
  /// A bias alone, zeros.
  void shift(std::string_view name, i64 size);

 private:
  ModelParams& to_;
  const ModelCfg& cfg_;
  std::string prefix_;
};

/// How the rows of a pass reach other rows: a batch of whole sequences, or a cache.
class MixContext {
 public:
  virtual ~MixContext() = default;
  /// Attention of a layer over its fused, rotated projection [N, (heads + 2 kv_heads) head_dim]:
  /// [N, heads head_dim].
  virtual Value attend(Value qkv, const AttentionAttr& attr, i64 layer) = 0;
  /// c_i = gate_i c_{i-1} + x_i over the rows of a text, elementwise [N, D]; layer: whose it is.
  virtual Value scan(Value gate, Value x, i64 layer) = 0;
  /// An LSTM's h [N, D] over the rows of a text (ops.h): x [N, 4 D], w [4 D, D].
  virtual Value lstm(Value x, Value w, i64 layer) = 0;
  /// A convolution over the rows of a text (ops.h): x [N, D], w [taps, D].
  virtual Value conv(Value x, Value w, i64 layer) = 0;
  /// Whether there may be rows of a prefix, whose further keys linear_attend then takes.
  virtual bool has_prefixes() const { return false; }
  /// Linear attention over the rows of a text (ops.h), whose prefix_end the context knows:
  /// [N, heads head_dim].
  virtual Value linear_attend(const LinearAttentionInputs& x, const LinearAttentionAttr& attr,
                              i64 layer) = 0;
  /// What the rows see, i32 [N, 6]; absent where they see a cache.
  virtual Value spans() const { return {}; }
};

/// What a part builds its graph with; names as in LayerParams.
class LayerGraph {
 public:
  LayerGraph(GraphModel& model, i64 layer, Value positions, MixContext& mix);
  Graph& graph() const;
  const ModelCfg& config() const;
  i64 layer() const { return layer_; }
  Value positions() const { return positions_; }
  MixContext& mix() const { return mix_; }
  /// Absent if the layer has none of that name.
  Value param(std::string_view name) const;
  /// cos and sin of this layer's rotation.
  Value rope_table() const;
  /// x through this norm if the layer has its norms there, else x.
  Value norm_at(NormPlace place, std::string_view name, Value x) const;
  /// act(x w^T + b).
  Value linear(std::string_view name, Value x, Unary act = Unary::kNone) const;
  /// x w^T + b, through dropout where asked, added to the residual stream.
  Value project_add(std::string_view name, Value x, Value residual) const;
  /// Share of what is added to the residual stream that training drops.
  f32 dropout_share() const;
  /// What training does to mixtures of experts.
  const MoeTraining& moe_training() const;
  /// The batch's tokens. Throws Error{kUsage} for rows that the caller embedded.
  Value tokens() const;
  /// Says how rows were routed here (GraphModel::routers).
  void add_router(RouterValues values) const;

 private:
  GraphModel& model_;
  i64 layer_;
  Value positions_;
  MixContext& mix_;
  std::string prefix_;
};

bool same_layer(const LayerCfg& x, const LayerCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: ...".
void check_layer(const LayerCfg& layer, const ModelCfg& cfg, std::string_view name);
/// "8/4 heads of 16, ffn 172".
std::string describe_layer(const LayerCfg& layer);
/// In model order: the mixer's, then the feed-forward part's.
void add_layer_params(const LayerCfg& layer, LayerParams& to);
/// x [N, C] -> [N, C], residuals included.
Value build_layer(const LayerCfg& layer, LayerGraph& at, Value x);
/// Of a token in a causal sequence of seq_len, forward and backward, recomputation not counted.
f64 layer_flops(const LayerCfg& layer, i64 width, i64 seq_len);
/// Whether a text's prefix is more to the model than what stands first: it has prefix linear
/// attention.
bool reads_prefixes(const ModelCfg& cfg);
/// Bytes that a token takes in the caches of all layers.
i64 cache_token_bytes(const ModelCfg& cfg, DType dtype);
/// Numbers that a text leaves behind for its next row, whatever its length: of the layers before
/// `layers`, of all without.
i64 state_numbers(const ModelCfg& cfg, i64 layers);
i64 state_numbers(const ModelCfg& cfg);

}  // namespace lm::model
