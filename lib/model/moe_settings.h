#pragma once
// Mixtures of experts as options spell them:
//   n=8,router=topk:2,renorm=1,shared=0,every=1,gate=softmax,bias=0,fine-grained=1
// router is topk:K, noisy-topk:K, switch (topk:1 without renorm), top2-random or hash. shared: so
// many experts that all rows pass. every: of so many layers the last one. fine-grained=S: S times
// the experts and those of a row, each of an S-th of the width.

#include <optional>
#include <string>
#include <string_view>

#include "model/config.h"

namespace lm::model {

const char* router_name(RouterKind kind);
std::optional<RouterKind> find_router(std::string_view name);
/// "topk or noisy-topk or ...".
std::string router_names();

bool is_moe_setting(std::string_view name);

/// Whether one of cfg's mixtures has a router that learns.
bool has_routers(const ModelCfg& cfg);

/// Makes layers of cfg, whose feed-forward part is then that of one expert, mixtures of experts as
/// settings say and its family can have. Throws Error{kUsage} naming the setting.
void set_experts(std::string_view settings, ModelCfg& cfg);

}  // namespace lm::model
