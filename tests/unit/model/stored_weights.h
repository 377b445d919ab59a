#pragma once
// A model's tensors as its file holds them, for tests that look at them or change some.

#include <vector>

#include "catch.h"
#include "model/mapping.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

namespace lm::test {

class StoredWeights {
 public:
  StoredWeights(const model::ModelCfg& cfg, const ParamSet& params, const ParamSlab& slab)
      : file_(write(dir_.file("w"), cfg, params, slab)) {
    for (const SafeEntry& entry : file_.entries())
      tensors.push_back({entry.name, entry_tensor(entry)});
  }

  std::vector<SafeWrite> tensors;  // f32, sorted by name, in the read-only mapping

 private:
  static std::string write(const std::string& path, const model::ModelCfg& cfg,
                           const ParamSet& params, const ParamSlab& slab) {
    model::write_weights(cfg, params, slab, DType::kF32, SafeWriter::to_file(path));
    return path;
  }

  TempDir dir_;
  SafeFile file_;
};

}  // namespace lm::test
