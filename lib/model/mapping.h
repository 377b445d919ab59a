#pragma once
// Between checkpoint tensors and parameters: the family's rows (family.h) expanded for one model.
// The same expansion drives reading and writing, so that write, read, write gives equal bytes.

#include <string>
#include <string_view>
#include <vector>

#include "graph/params.h"
#include "model/config.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

namespace lm::model {

/// Tensor `name` of shape `shape` holds rows [row, row + rows) of parameter `param`; stored
/// transposed when `transpose`. For a bias, rows are elements.
struct TensorMap {
  std::string name;
  Shape shape;
  i32 param = 0;
  i64 row = 0;
  i64 rows = 0;
  bool transpose = false;
};

/// One entry per tensor of the checkpoint, in table order, layer by layer within a line.
std::vector<TensorMap> tensor_maps(const ModelCfg& cfg, const ParamSet& params);

/// Reads every mapped tensor (f32, f16, bf16 or f64) into the f32 slab, in parallel. The family's
/// prefix may be present or absent; known buffers are skipped. Throws Error{kData} naming file and
/// tensor: missing, unexpected, of another shape (both shown), not floating point.
void read_weights(const SafeModel& from, const ModelCfg& cfg, const ParamSet& params,
                  const ParamSlab& slab);
/// The tensor of every map, in their order. Throws what read_weights documents.
std::vector<const SafeEntry*> match_weights(const SafeModel& from, const ModelCfg& cfg,
                                            const std::vector<TensorMap>& maps);

/// Copies a map's tensor to its rows of a parameter, with conversion; in parallel.
void read_rows(const SafeEntry& entry, const TensorMap& map, const Tensor& rows);

/// What read_weights throws, before there is a slab: a wrong configuration may ask for any size.
void check_weights(const SafeModel& from, const ModelCfg& cfg, const ParamSet& params);

/// Declares every mapped tensor of the f32 slab to a fresh writer, stored as dtype (f32, bf16,
/// f16), writes it and commits. Memory: a few MiB. Returns SafeWriter::written().
std::vector<WrittenFile> write_weights(const ModelCfg& cfg, const ParamSet& params,
                                       const ParamSlab& slab, DType dtype, SafeWriter writer);

}  // namespace lm::model
