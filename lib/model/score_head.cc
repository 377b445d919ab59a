#include "model/score_head.h"

#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "io/json_node.h"
#include "tensor/tensor.h"

namespace lm::model {

namespace {

/// `out` with all that `from` has too.
Model taken_over(Model from, Model out) {
  for (i32 i = 0; i < out.params->set.size(); ++i) {
    const i32 source = from.params->set.find(out.params->set[i].name);
    if (source < 0) continue;
    const Tensor value = from.weights[source];
    std::memcpy(out.weights[i].data, value.data, usize(value.count()) * sizeof(f32));
  }
  out.stored = from.stored;
  out.generation_json = std::move(from.generation_json);
  out.folder = std::move(from.folder);
  return out;
}

}  // namespace

Model with_score_head(Model from, u64 seed, i64 world_size, i64 scores) {
  if (from.cfg.scores == scores) return from;
  if (from.cfg.scores > 0)
    throw Error(ErrorKind::kUsage,
                cat(from.folder, ": a head of ", from.cfg.scores,
                    from.cfg.scores == 1 ? " score" : " scores", ", expected one of ",
                    scores == 1 ? "a single score" : cat(scores, " scores")));
  ModelCfg cfg = from.cfg;
  cfg.scores = scores;
  return taken_over(std::move(from), new_model(cfg, seed, world_size));
}

void require_score_head(const ModelCfg& cfg, std::string_view folder) {
  if (cfg.kind == ModelKind::kDecoder && cfg.scores == 1) return;
  throw Error(ErrorKind::kData,
              cat(folder, ": ", describe(cfg), ", expected a model with a head of one score"),
              "lm-train --objective reward makes one");
}

std::vector<f32> score_head(const ModelRef& model) {
  const i32 param = model.params.set.find("score.weight");
  LM_CHECK(param >= 0, "a model with scores");
  model.weights.hold(param);
  std::vector<f32> out(usize(model.cfg.scores * model.cfg.width));
  copy_convert(model.weights[param], make_tensor(out.data(), {model.cfg.scores, model.cfg.width}));
  model.weights.drop(param);
  return out;
}

Model with_value_head(Model from) {
  ModelCfg cfg = from.cfg;
  cfg.value = true;
  return taken_over(std::move(from), new_model(cfg, 0));
}

void name_scores(ModelCfg& cfg, std::span<const std::string> names) {
  io::Json json = cfg.source_json.empty() ? io::Json::object() : io::Json::parse(cfg.source_json);
  json["id2label"] = io::Json::object();
  json["label2id"] = io::Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) {
    json["id2label"][cat(i)] = names[i];
    json["label2id"][names[i]] = i;
  }
  cfg.source_json = json.dump();
  cfg.scores = isize(names);
}

std::vector<std::string> score_names(const ModelCfg& cfg, std::string_view folder) {
  std::vector<std::string> out;
  const io::Json json =
      cfg.source_json.empty() ? io::Json::object() : io::Json::parse(cfg.source_json);
  for (i64 i = 0; i < cfg.scores; ++i) {
    const auto names = json.find("id2label");
    const std::string key = cat(i);
    if (names == json.end() || !names->is_object() || !names->contains(key) ||
        !(*names)[key].is_string())
      throw Error(ErrorKind::kData,
                  cat(folder, ": config.json has no name of label ", key, " (id2label)"));
    out.push_back((*names)[key].get<std::string>());
  }
  return out;
}

}  // namespace lm::model
