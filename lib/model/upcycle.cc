#include "model/upcycle.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"

namespace lm::model {
namespace {

constexpr std::string_view kExperts = ".mlp.experts.";

[[noreturn]] void refuse(const Model& dense, std::string_view what) {
  throw Error(ErrorKind::kData, cat(dense.folder, ": ", what),
              "folders of llama, mistral and qwen3 can be made mixtures of experts");
}

ModelCfg mixture_of(const Model& dense, i64 experts, i64 active) {
  ModelCfg cfg = dense.cfg;
  const bool qwen = cfg.family == "qwen3";
  if (!qwen && cfg.family != "llama" && cfg.family != "mistral")
    refuse(dense, cat("model_type ", quote(cfg.family), " has no form with experts"));
  cfg.family = qwen ? "qwen3_moe" : "mixtral";
  for (LayerCfg& layer : cfg.layers) {
    const AttentionCfg& a = std::get<AttentionCfg>(layer.mixer);
    const FfnCfg& ffn = std::get<FfnCfg>(layer.ffn);
    if (ffn.bias || (!qwen && (a.qkv_bias || a.out_bias)))
      refuse(dense, cat("it has biases, ", cfg.family, " has none there"));
    if (qwen && a.window > 0) refuse(dense, "it has windows, qwen3_moe has none");
    MoeCfg moe;
    moe.expert = ffn;
    moe.experts = experts;
    moe.active = active;
    layer.ffn = moe;
  }
  return cfg;
}

/// `copies` of a dense parameter, one below the other.
void copy_numbers(const Tensor& from, i64 copies, const Tensor& to) {
  LM_CHECK(from.contiguous() && to.contiguous() && to.count() == copies * from.count(),
           "the mixture has copies of the dense parameter");
  for (i64 i = 0; i < copies; ++i)
    std::copy_n(from.f32_data(), from.count(), to.f32_data() + i * from.count());
}

}  // namespace

Model upcycle(const Model& dense, i64 experts, i64 active, u64 seed) {
  if (active > experts)
    throw Error(ErrorKind::kUsage, cat(active, " experts for a token (--active), but there are ",
                                       experts, " of them"));
  Model out;
  out.cfg = mixture_of(dense, experts, active);
  out.stored = dense.stored;
  out.generation_json = dense.generation_json;
  out.folder = dense.folder;
  out.params = std::make_unique<const ModelParams>(make_params(out.cfg));
  out.weights = ParamSlab(out.params->set);
  for (i32 i = 0; i < out.params->set.size(); ++i) {
    std::string name = out.params->set[i].name;
    const std::size_t at = name.find(kExperts);
    if (at != std::string::npos) name.replace(at, kExperts.size(), ".mlp.");
    const i32 source = dense.params->set.find(name);
    const Tensor to = out.weights[i];
    if (source < 0)  // a router
      init_param(*out.params, i, seed, {to.f32_data(), usize(to.count())});
    else
      copy_numbers(dense.weights[source], at != std::string::npos ? experts : 1, to);
  }
  return out;
}

}  // namespace lm::model
