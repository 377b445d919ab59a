// config.json of a model folder: what is accepted can be planned and written back.

#include "model/config.h"

#include "fuzz.h"
#include "model/params.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  fuzz::refuse_or_run([&] {
    const model::ModelCfg cfg = model::parse_config(fuzz::text_of(data, size), "config.json");
    model::describe(cfg);
    const std::string text = model::write_config(cfg, "float32");
    const model::ModelCfg again = model::parse_config(text, "again");
    LM_CHECK(model::same_shape(cfg, again), "a configuration is written as it is read");
    if (cfg.depth() < 1000) model::make_params(cfg);
  });
  return 0;
}
