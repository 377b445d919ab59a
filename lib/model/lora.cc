#include "model/lora.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "model/adapter.h"
#include "model/checkpoint.h"
#include "model/family.h"
#include "tensor/safe_writer.h"

namespace lm::model {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWeight = ".weight";

std::string without_weight(const std::string& name) {
  return name.substr(0, name.size() - kWeight.size());
}

/// A matrix that a layer multiplies all of its rows by.
bool is_layer_matrix(const TensorMap& map, const std::string& param) {
  for (const char* part : {".mlp.experts.", ".mlp.router.", ".mlp.noise."})
    if (param.find(part) != std::string::npos) return false;
  return map.shape.rank == 2 && map.name.ends_with(kWeight);
}

std::string last_part(std::string_view module) {
  return std::string(module.substr(module.rfind('.') + 1));
}

bool named_by(std::string_view module, std::string_view target) {
  return module == target || (module.size() > target.size() && module.ends_with(target) &&
                              module[module.size() - target.size() - 1] == '.');
}

/// The name from the outermost class on, as PEFT has it.
std::string full_name(const ModelCfg& cfg, const std::string& module) {
  const std::string_view prefix = find_family(cfg.family, "model").prefix;
  return module.starts_with(prefix) ? module : cat(prefix, module);
}

std::vector<LoraModule> all_modules(const ModelCfg& cfg, const ParamSet& params,
                                    bool* transposed = nullptr) {
  std::vector<LoraModule> out;
  for (const TensorMap& map : tensor_maps(cfg, params)) {
    const std::string& param = params[map.param].name;
    if (!param.starts_with("blocks.") || !is_layer_matrix(map, param)) continue;
    const i64 in = params[map.param].shape[1];
    if (transposed != nullptr) *transposed = *transposed || map.transpose;
    out.push_back({without_weight(map.name), without_weight(param), map.row, map.rows, in});
  }
  std::stable_sort(out.begin(), out.end(), [&](const LoraModule& x, const LoraModule& y) {
    const i32 px = params.find(cat(x.param, kWeight));
    const i32 py = params.find(cat(y.param, kWeight));
    return px != py ? px < py : x.row < y.row;
  });
  return out;
}

std::string ends_of(const std::vector<LoraModule>& modules) {
  std::set<std::string> ends;
  for (const LoraModule& one : modules)
    ends.insert(last_part(one.module));
  return join(std::vector<std::string>(ends.begin(), ends.end()), ", ");
}

std::string tensor_name(const ModelCfg& cfg, const LoraModule& module, const char* factor) {
  return cat("base_model.model.", full_name(cfg, module.module), ".", factor, ".weight");
}

/// The factors of a module as the checkpoint names them and as the model has them.
struct Factor {
  std::string tensor;
  i32 param = 0;
};

std::vector<Factor> factors(const Model& model) {
  std::vector<Factor> out;
  const ParamSet& set = model.params->set;
  for (const LoraModule& module : lora_modules(model.cfg, set)) {
    out.push_back({tensor_name(model.cfg, module, "lora_A"), set.find(module.a())});
    out.push_back({tensor_name(model.cfg, module, "lora_B"), set.find(module.b())});
  }
  return out;
}

Json config_json(const Model& model) {
  const LoraCfg& lora = *model.cfg.lora;
  bool transposed = false;
  all_modules(model.cfg, model.params->set, &transposed);
  std::set<std::string> targets(lora.targets.begin(), lora.targets.end());
  if (targets.empty())
    for (const LoraModule& one : all_modules(model.cfg, model.params->set))
      targets.insert(last_part(one.module));
  Json json = Json::object();
  json["peft_type"] = "LORA";
  json["task_type"] = "CAUSAL_LM";
  json["base_model_name_or_path"] = lora.base;
  json["r"] = lora.rank;
  if (lora.alpha == std::floor(lora.alpha) && std::abs(lora.alpha) < 1e15)
    json["lora_alpha"] = static_cast<i64>(lora.alpha);
  else
    json["lora_alpha"] = lora.alpha;
  json["use_rslora"] = lora.rank_stabilised;
  json["lora_dropout"] = lora.dropout;
  json["target_modules"] = targets;
  json["fan_in_fan_out"] = transposed;
  json["bias"] = "none";
  json["modules_to_save"] = nullptr;
  json["rank_pattern"] = Json::object();
  json["alpha_pattern"] = Json::object();
  json["inference_mode"] = true;
  return json;
}

}  // namespace

f64 LoraCfg::scale() const {
  const f64 r = static_cast<f64>(rank);
  return alpha / (rank_stabilised ? std::sqrt(r) : r);
}

bool same(const LoraCfg& x, const LoraCfg& y) {
  return x.rank == y.rank && x.alpha == y.alpha && x.rank_stabilised == y.rank_stabilised &&
         x.dropout == y.dropout && x.targets == y.targets;
}

std::string describe(const LoraCfg& lora) {
  return cat("lora of rank ", lora.rank, " beside ",
             lora.targets.empty() ? "all matrices of layers" : join(lora.targets, ", "));
}

std::string LoraModule::a() const {
  return cat(param, ".lora_a.", row);
}

std::string LoraModule::b() const {
  return cat(param, ".lora_b.", row);
}

std::vector<LoraModule> lora_modules(const ModelCfg& cfg, const ParamSet& params) {
  LM_CHECK(cfg.lora, "the model has adapters");
  std::vector<LoraModule> all = all_modules(cfg, params);
  const std::vector<std::string>& targets = cfg.lora->targets;
  if (targets.empty()) return all;
  for (const std::string& target : targets) {
    const bool found = std::any_of(all.begin(), all.end(), [&](const LoraModule& one) {
      return named_by(one.module, target);
    });
    if (!found)
      throw Error(ErrorKind::kUsage,
                  cat("no matrix of the layers is named ", quote(target, 200), " in this model"),
                  cat("it has ", ends_of(all)));
  }
  std::erase_if(all, [&](const LoraModule& one) {
    return std::none_of(targets.begin(), targets.end(),
                        [&](const std::string& target) { return named_by(one.module, target); });
  });
  return all;
}

void write_adapter(const std::string& folder, const Model& model) {
  LM_CHECK(model.cfg.lora, "the model has adapters");
  io::write_file((fs::path(folder) / kAdapterConfig).string(), config_json(model).dump(2) + "\n");
  SafeWriter writer = SafeWriter::to_file((fs::path(folder) / kAdapterWeights).string());
  const std::vector<Factor> all = factors(model);
  for (const Factor& one : all)
    writer.declare(one.tensor, DType::kF32, model.params->set[one.param].shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write(all[usize(number)].tensor, model.weights[all[usize(number)].param]);
  writer.commit();
}

void read_adapter(const std::string& folder, Model& model) {
  const SafeFile file((fs::path(folder) / kAdapterWeights).string());
  for (const Factor& one : factors(model)) {
    const SafeEntry* const entry = file.find(one.tensor);
    const Shape& shape = model.params->set[one.param].shape;
    if (entry == nullptr)
      throw Error(ErrorKind::kData, cat(file.path(), ": tensor ", quote(one.tensor, 200),
                                        " is missing, expected shape ", to_string(shape)));
    if (!(entry->shape == shape))
      throw Error(ErrorKind::kData,
                  cat(file.path(), ": tensor ", quote(one.tensor, 200), " has shape ",
                      to_string(entry->shape), ", expected ", to_string(shape)));
    load_entry(*entry, model.weights[one.param]);
  }
}

}  // namespace lm::model
