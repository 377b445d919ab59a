// The option table of lm-train.

#include "lm_train/flags.h"

#include "train.h"

namespace lm::train_tool {

std::vector<cli::Flag> all_flags() {
  return cli::joined({model_flags(), expert_flags(), objective_flags(), diffusion_flags(),
                      record_flags(), data_flags(), infill_flags(), optimisation_flags(),
                      throughput_flags(), run_flags()});
}

}  // namespace lm::train_tool
