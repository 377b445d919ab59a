#include "train/state.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/str.h"
#include "io/json_node.h"
#include "model/lora.h"
#include "model/mapping.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

namespace lm::train {
namespace {

using io::Json;
using io::JsonNode;

constexpr i64 kVersion = 1;
constexpr i64 kMost = i64{1} << 62;
constexpr f64 kLargest = std::numeric_limits<f64>::max();
constexpr const char* kMoments = "state/optimizer-00001-of-00001.safetensors";

std::string state_path(const std::string& folder) {
  return cat(folder, "/state/state.json");
}

Json held_out_json(const HeldOutLoss& from) {
  Json json = {{"step", from.step}};
  if (std::isfinite(from.loss)) json["loss"] = from.loss;  // JSON has no other numbers
  return json;
}

std::optional<HeldOutLoss> read_held_out(const JsonNode& json, const char* key) {
  if (!json.has(key)) return std::nullopt;
  const JsonNode from = json.object(key);
  HeldOutLoss out;
  out.step = from.integer("step", 0, kMost);
  out.loss = from.has("loss") ? from.number("loss", -kLargest, kLargest)
                              : std::numeric_limits<f64>::quiet_NaN();
  return out;
}

Json state_json(const TrainState& state) {
  Json json = Json::object();
  json["version"] = kVersion;
  json["step"] = state.counters.step;
  json["updates"] = state.counters.updates;
  json["tokens"] = state.counters.tokens;
  json["skipped"] = state.counters.skipped;
  json["skipped_in_row"] = state.counters.skipped_in_row;
  json["seed"] = cat(state.seed);
  json["world_size"] = state.world_size;
  json["data"] = {{"samples", state.data.samples},
                  {"by_set", state.data.by_set},
                  {"documents", state.data.documents},
                  {"offset", state.data.offset},
                  {"bytes", state.data.bytes}};
  if (state.loss) json["loss"] = *state.loss;
  if (state.eval) json["eval"] = held_out_json(*state.eval);
  if (state.best) json["best"] = held_out_json(*state.best);
  Json params = Json::object();
  for (const auto& [name, value] : state.params)
    params[name] = value;
  json["params"] = params;
  return json;
}

/// Parameters that the model's folder has no place for.
std::vector<i32> apart(const model::ModelCfg& cfg, const ParamSet& set) {
  if (!cfg.value) return {};
  return {set.find("value.weight"), set.find("value.bias")};
}

/// "adam.m.<name>" and "adam.v.<name>" of every trainable parameter, "muon.m.<name>" of those that
/// have no second moment.
std::vector<SafeWrite> moment_writes(const ParamSet& set, const ParamSlab& m, const ParamSlab& v) {
  std::vector<SafeWrite> out;
  for (i32 i = 0; i < set.size(); ++i) {
    if (!set[i].trainable) continue;
    const bool muon = v[i].count() == 0;
    out.push_back({(muon ? "muon.m." : "adam.m.") + set[i].name, m[i]});
    if (!muon) out.push_back({"adam.v." + set[i].name, v[i]});
  }
  return out;
}

std::vector<i64> read_counts(const JsonNode& json, const char* key) {
  std::vector<i64> out;
  json.array(key).each_item([&](const JsonNode& item) {
    if (item.as_integer().value_or(-1) < 0) json.fail(key, "a list of numbers");
    out.push_back(item.integer());
  });
  return out;
}

}  // namespace

void save_checkpoint(const RunFolder& run, const model::Model& model, const ParamSlab& m,
                     const ParamSlab& v, const TrainState& state, const StateFiles& files) {
  io::AtomicDir out(run.step_path(state.counters.step), files.output, true);
  const std::string state_path = out.file("state/state.json");
  if (model.cfg.lora)
    model::write_adapter(out.temp_path(), model);
  else
    model::write_model_files(out.temp_path(), model, {});
  for (const auto& [name, bytes] : files.tokenizer)
    io::write_file(out.file(name), bytes);
  io::write_file(out.file("training.json"), files.training_json);
  std::vector<SafeWrite> tensors = moment_writes(model.params->set, m, v);
  for (const i32 i : apart(model.cfg, model.params->set))
    tensors.push_back({model.params->set[i].name, model.weights[i]});
  write_safetensors(out.file(kMoments), tensors);
  io::write_file(state_path, state_json(state).dump(1) + "\n");
  model::write_manifest(out.temp_path());
  out.commit();
}

std::string read_state_text(const std::string& folder) {
  return io::read_file(state_path(folder), i64{64} << 20);
}

TrainState read_state(const std::string& folder) {
  return parse_state(read_state_text(folder), folder);
}

TrainState parse_state(const std::string& text, const std::string& folder) {
  const std::string path = state_path(folder);
  const Json source = io::parse_object(text, path);
  const JsonNode json(source, path);
  if (json.integer("version", 1, kMost) > kVersion)
    throw Error(ErrorKind::kData, cat(path, ": version ", json.integer("version", 1, kMost),
                                      ", this program reads up to ", kVersion));
  TrainState state;
  state.counters.step = json.integer("step", 0, kMost);
  state.counters.updates = json.integer("updates", 0, kMost);
  state.counters.tokens = json.integer("tokens", 0, kMost);
  state.counters.skipped = json.integer("skipped", 0, kMost);
  state.counters.skipped_in_row = json.integer("skipped_in_row", 0, kMost);
  const std::optional<u64> seed = parse_u64(json.text("seed"));
  if (!seed) json.fail("seed", "a whole number as text");
  state.seed = *seed;
  state.world_size = json.integer("world_size", 1, 1 << 20);
  const JsonNode data = json.object("data");
  state.data.samples = data.integer("samples", 0, kMost);
  state.data.by_set = read_counts(data, "by_set");
  state.data.documents = data.integer("documents", 0, kMost);
  state.data.offset = data.integer("offset", 0, kMost);
  state.data.bytes = data.integer("bytes", 0, kMost);
  if (json.has("loss")) state.loss = json.number("loss", -kLargest, kLargest);
  state.eval = read_held_out(json, "eval");
  state.best = read_held_out(json, "best");
  json.object("params").each_field([&](std::string_view name, const JsonNode& value) {
    state.params.emplace_back(name, value.str());
  });
  return state;
}

void load_checkpoint(const std::string& folder, const TrainState& state, Trainer& trainer,
                     model::Model& model) {
  const ParamSet& set = model.params->set;
  if (model.cfg.lora) {
    model::read_adapter(folder, model);
  } else {
    const model::ModelCfg cfg = model::load_config(folder);
    if (!model::same_shape(cfg, model.cfg))
      throw Error(ErrorKind::kData, cat(folder, ": holds ", model::describe(cfg), ", expected ",
                                        model::describe(model.cfg)));
    model::read_weights(SafeModel::open(folder), model.cfg, set, model.weights);
  }
  const SafeFile moments(cat(folder, "/", kMoments));
  const auto tensor = [&](const std::string& name) -> const SafeEntry& {
    if (const SafeEntry* entry = moments.find(name)) return *entry;
    throw Error(ErrorKind::kData, cat(moments.path(), ": tensor ", name, " is missing"));
  };
  for (const i32 i : apart(model.cfg, set))
    load_entry(tensor(set[i].name), model.weights[i]);
  for (i32 i = 0; i < set.size(); ++i) {
    if (!set[i].trainable) continue;
    const bool muon = trainer.optimizer().v()[i].count() == 0;
    for (const auto& [kind, slab] : {std::pair<const char*, const ParamSlab*>{
                                         muon ? "muon.m." : "adam.m.", &trainer.optimizer().m()},
                                     {"adam.v.", &trainer.optimizer().v()}}) {
      if ((*slab)[i].count() == 0) continue;
      const std::string name = kind + set[i].name;
      const SafeEntry& entry = tensor(name);
      if (trainer.on_host()) {
        load_entry(entry, (*slab)[i]);
        continue;
      }
      const OwnedTensor host(set[i].shape);
      load_entry(entry, host.view);
      trainer.backend().to_device((*slab)[i].data, host.view.data, host.storage.bytes());
    }
  }
  trainer.take_weights();
  trainer.counters = state.counters;
}

std::string first_difference(const RunParams& mine, const RunParams& theirs,
                             const std::string& owner) {
  const auto find = [](const RunParams& in, const std::string& name) -> const std::string* {
    for (const auto& [key, value] : in)
      if (key == name) return &value;
    return nullptr;
  };
  for (const auto& [name, value] : mine) {
    const std::string* other = find(theirs, name);
    const std::string there = other == nullptr ? "" : *other;
    if (there != value)
      return cat("--", name, " is ", value.empty() ? "unset" : value, ", ", owner, " has ",
                 there.empty() ? "none" : there);
  }
  for (const auto& [name, value] : theirs)
    if (find(mine, name) == nullptr && !value.empty())
      return cat("--", name, " is unset, ", owner, " has ", value);
  return {};
}

}  // namespace lm::train
