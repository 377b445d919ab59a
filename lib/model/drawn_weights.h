#pragma once
// A model with drawn embeddings (drawn_embeddings.h) as an ordinary one: its layers, and tables of
// one draw in the place of the embedding and the head.

#include <memory>
#include <optional>
#include <vector>

#include "graph/params.h"
#include "model/config.h"
#include "model/drawn_embeddings.h"
#include "model/mapped_weights.h"
#include "model/params.h"

namespace lm::model {

/// The configuration that the weights below are of. Without a draw: of the learnt tables.
ModelCfg plain_config(const ModelCfg& cfg, bool drawn);

class DrawnWeights final : public Weights {
 public:
  /// cfg: as stored; params: of plain_config, which outlive this. Without a draw the learnt tables
  /// are used, which a gaussian model does not have (LM_CHECK). 2 V width numbers where there is
  /// one. Throws as MappedWeights.
  DrawnWeights(SafeModel files, const ModelCfg& cfg, const ParamSet& params,
               const std::optional<EmbedDraw>& draw);

  Tensor operator[](i32 param) const override;
  DType dtype(i32 param) const override { return (*this)[param].dtype; }
  std::vector<Tensor> parts(i32 param) const override;
  void hold(i32 param) const override;
  void drop(i32 param) const override;

 private:
  void fill(const ModelCfg& cfg, const EmbedDraw& draw);
  /// A stored matrix as f32.
  OwnedTensor read(std::string_view name) const;

  ModelParams stored_params_;
  MappedWeights stored_;
  std::vector<i32> stored_at_;  // by parameter; -1: a table below
  OwnedTensor embed_, head_;
  i32 embed_param_ = -1;
};

}  // namespace lm::model
