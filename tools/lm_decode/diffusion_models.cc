#include "diffusion_models.h"

#include "common/model_options.h"
#include "diffusion.h"

namespace lm::decode_tool {

std::vector<u64> DiffusionModels::keys() const {
  std::vector<u64> out = {session->key()};
  if (judge) out.push_back(judge->key());
  return out;
}

DiffusionModels open_diffusion(cli::Tool& tool) {
  DiffusionModels out;
  if (tool.options().text("edlm").empty()) {
    out.session = tool_options::open_model(tool, 0, 0, {}, true);
    return out;
  }
  const EdlmName edlm = edlm_name(tool.options());
  tool.add_input_folder(edlm.folder);
  const decode::SessionOptions other = tool_options::session_options(tool, edlm.folder);
  out.session = tool_options::open_model(tool, 1, decode::Session::least_bytes(other), {}, true);
  out.judge = std::make_unique<decode::Session>(other);
  decode::Session& judge = *out.judge;
  try {
    decode::check_same_tokens(judge.tokenizer(), out.session->tokenizer(),
                              out.session->cfg().diffusion->mask);
  } catch (const Error& e) {
    throw e.with_prefix(edlm.folder);
  }
  out.energy = std::make_unique<decode::TextEnergy>(judge.engine(), judge.score_options(),
                                                    judge.begin(), edlm.carry_over);
  return out;
}

}  // namespace lm::decode_tool
