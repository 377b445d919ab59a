#pragma once
// What a model's generation_config.json says of sampling: defaults that stand beneath what a user
// asks for. The ids that end a text are not among them: they are the model's own (ModelCfg).

#include <string>
#include <vector>

#include "core/types.h"
#include "decode/params.h"

namespace lm::decode {

struct ModelDefaults {
  SampleParams params;             // neutral where the file says nothing
  std::vector<std::string> taken;  // names of the parameters that it sets, as records spell them
  std::vector<std::string>
      notes;  // what it says and is not followed, or contradicts itself: a line each
  std::vector<std::string> quiet;  // names that it sets and that have no effect here

  bool takes(const std::string& name) const;
  /// 64 bits of the parameters it sets; 0 if there are none.
  u64 key() const;
};

/// Reads the folder's file; without one nothing is set. do_sample false is temperature 0; nothing
/// said of it leaves sampling on. Throws Error{kData} naming file and key for a value of the wrong
/// type or outside its range, and for settings that would change results in ways that are not done
/// here (beams, forced tokens, guidance).
ModelDefaults read_model_defaults(const std::string& folder);

}  // namespace lm::decode
