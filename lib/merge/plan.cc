#include "merge/plan.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"
#include "merge/convert.h"
#include "merge/layers.h"
#include "merge/output_config.h"

namespace lm::merge {

namespace {

/// A recipe's model where it takes part: in all layers, or in those of one slice.
struct Participant {
  const RecipeModel* recipe = nullptr;
  i64 input = 0;   // of Plan::inputs
  i64 number = 0;  // among the models of the merge, without the base
  std::vector<std::pair<std::string_view, i64>> aux;  // parameter, of Plan::aux
};

/// Participants of some layers of the output.
struct Stage {
  const RecipeSlice* slice = nullptr;  // null: whole models
  std::vector<Participant> models;
  std::optional<Participant> base;
  std::optional<Participant> fallback;  // has the tensors that are not to be merged
  i64 layers = 0;
};

/// One tensor of the output, and which layer it is in each input.
struct Spot {
  const Stage* stage = nullptr;
  std::string name;          // in the output
  std::string in_stage;      // in the first model of the stage
  std::optional<i64> layer;  // within the stage
  f64 depth = 0;
};

class Planner {
 public:
  Planner(const Recipe& recipe, const PlanOptions& options, const Context& ctx)
      : recipe_(recipe), options_(options), ctx_(ctx) {}
  Plan make();

 private:
  Participant open(const RecipeModel& model, i64 number);
  Stage make_stage(const std::vector<RecipeModel>& models, const RecipeSlice* slice);
  void check_families() const;
  void add_spots(const Stage& stage, i64 first_layer, bool first, bool last);
  std::string name_in(const Spot& spot, const Participant& model) const;
  const InputModel& input(const Participant& model) const { return plan_.inputs[model.input]; }
  bool chosen(const std::string& name) const { return options_.names.chooses(name); }

  void add_tensor(const Spot& spot);
  ParamValues resolve(const ParamDef& def, const Spot& spot) const;
  void copy_reference(const Spot& spot);
  void find_inputs(const Spot& spot, PlannedTensor& tensor);
  SourcePtr source(const Spot& spot, const Participant& model, const SafeEntry& entry) const;
  SourcePtr missing(const Spot& spot, const Participant& model, const Shape* like) const;
  void fit_shapes(const Spot& spot, PlannedTensor& tensor);
  void find_aux(const Spot& spot, PlannedTensor& tensor);

  const Recipe& recipe_;
  const PlanOptions& options_;
  const Context& ctx_;
  Plan plan_;
  std::vector<Stage> stages_;
  std::vector<Spot> spots_;
};

Participant Planner::open(const RecipeModel& model, i64 number) {
  Participant out{&model, plan_.inputs.open(model.path), number, {}};
  for (const ParamDef& def : recipe_.method->params) {
    if (def.kind != ParamKind::kPath) continue;
    const std::vector<Setting>* path = find_settings(model.params, def.name);
    if (path == nullptr) path = find_settings(recipe_.params, def.name);
    if (path != nullptr) {
      out.aux.emplace_back(def.name, plan_.aux.open(path->front().values[0]));
    } else if (recipe_.method->aux != AuxUse::kNone) {
      throw Error(ErrorKind::kConfig, cat(model.where, ": ", recipe_.method->name, " needs ",
                                          def.name, ": FILE for each model"));
    }
  }
  return out;
}

Stage Planner::make_stage(const std::vector<RecipeModel>& models, const RecipeSlice* slice) {
  Stage stage;
  stage.slice = slice;
  const BaseUse use = recipe_.method->base;
  for (const RecipeModel& model : models) {
    if (is_separate_base(recipe_, model)) {
      stage.base = open(model, -1);
    } else {
      stage.models.push_back(open(model, isize(stage.models)));
    }
  }
  // A base that is not listed has the layers of the first model.
  static const RecipeModel kNoParams;
  const auto unlisted = [&] {
    Participant base{&kNoParams, plan_.inputs.open(recipe_.base), -1, {}};
    return base;
  };
  const bool wants_base = !recipe_.base.empty();
  if (wants_base && (use == BaseUse::kRequired || use == BaseUse::kOptional) && !stage.base)
    stage.base = unlisted();
  if (use == BaseUse::kFirst) {
    const auto at =
        std::find_if(stage.models.begin(), stage.models.end(),
                     [&](const Participant& model) { return model.recipe->path == recipe_.base; });
    if (at == stage.models.end()) {
      stage.models.insert(stage.models.begin(), unlisted());
    } else {
      std::rotate(stage.models.begin(), at, at + 1);
    }
    for (std::size_t i = 0; i < stage.models.size(); ++i)
      stage.models[i].number = static_cast<i64>(i);
  }
  stage.fallback = stage.base ? *stage.base : !recipe_.base.empty() ? unlisted() : stage.models[0];
  if (slice == nullptr) {
    stage.layers = input(stage.models[0]).layers;
    return stage;
  }
  stage.layers = models[0].last - models[0].first;
  for (const RecipeModel& model : models) {
    const InputModel& files = plan_.inputs[plan_.inputs.open(model.path)];
    if (model.last > files.layers) {
      throw Error(ErrorKind::kConfig,
                  cat(model.where, ": layer_range [", model.first, ", ", model.last, "] of ",
                      model.path, ", which has ", files.layers, " layers"));
    }
  }
  return stage;
}

void Planner::check_families() const {
  const InputModel& first = plan_.inputs[plan_.reference];
  for (i64 i = 0; i < plan_.inputs.size(); ++i) {
    const InputModel& other = plan_.inputs[i];
    const std::string a = first.config_text("model_type");
    const std::string b = other.config_text("model_type");
    if (!a.empty() && !b.empty() && a != b) {
      throw Error(ErrorKind::kData, cat(other.path, ": a model of type ", b, ", but ", first.path,
                                        " is of type ", a, ": only models of one type merge"));
    }
  }
}

// Layer of an input that a layer of a stage comes from.
i64 input_layer(const Stage& stage, const Participant& model, i64 layer) {
  if (stage.slice == nullptr) return layer;
  const bool unlisted = model.recipe->path.empty();
  return (unlisted ? stage.slice->sources[0].first : model.recipe->first) + layer;
}

std::string Planner::name_in(const Spot& spot, const Participant& model) const {
  if (!spot.layer) return spot.in_stage;
  return with_layer(spot.in_stage, input_layer(*spot.stage, model, *spot.layer));
}

// The tensors of a stage: its layers, and what stands before the first and after the last.
void Planner::add_spots(const Stage& stage, i64 first_layer, bool first, bool last) {
  std::set<std::string> names;  // as in the first model
  const auto add_names = [&](const Participant& model) {
    for (const std::string& name : input(model).names()) {
      const std::optional<i64> layer = layer_of(name);
      if (!layer) {
        names.insert(name);
        continue;
      }
      const i64 shift = input_layer(stage, model, 0);
      if (*layer < shift || *layer >= shift + stage.layers) continue;
      names.insert(with_layer(name, input_layer(stage, stage.models[0], *layer - shift)));
    }
  };
  for (const Participant& model : stage.models)
    add_names(model);
  if (stage.base) add_names(*stage.base);
  for (const std::string& name : names) {
    Spot spot{&stage, name, name, layer_of(name), 0};
    if (!spot.layer) {
      const bool before = before_layers(name);
      if (before ? !first : !last) continue;
      spot.depth = before ? 0 : 1;
    } else {
      *spot.layer -= input_layer(stage, stage.models[0], 0);
      spot.name = with_layer(name, first_layer + *spot.layer);
      spot.depth = stage.layers > 1
                       ? static_cast<f64>(*spot.layer) / static_cast<f64>(stage.layers - 1)
                       : 1.0;
    }
    spots_.push_back(std::move(spot));
  }
}

ParamValues Planner::resolve(const ParamDef& def, const Spot& spot) const {
  const auto look_up = [&](const Participant* model) {
    const ParamSet* const levels[] = {
        model != nullptr ? &model->recipe->params : nullptr,
        spot.stage->slice != nullptr ? &spot.stage->slice->params : nullptr, &recipe_.params};
    for (const ParamSet* const level : levels) {
      if (level == nullptr) continue;
      const std::vector<Setting>* const settings = find_settings(*level, def.name);
      if (settings == nullptr) continue;
      // Filters see the name that the output has.
      if (const std::optional<f64> value = value_at(*settings, def, spot.name, spot.depth))
        return *value;
    }
    if (def.def) return *def.def;
    throw Error(ErrorKind::kConfig, cat(model != nullptr ? model->recipe->where : recipe_.where,
                                        ": ", recipe_.method->name, " needs ", def.name,
                                        ", which is not given for tensor ", quote(spot.name, 200)));
  };
  ParamValues values{&def, {}};
  if (!def.per_model) {
    values.values.push_back(look_up(nullptr));
  } else {
    for (const Participant& model : spot.stage->models)
      values.values.push_back(look_up(&model));
  }
  return values;
}

// The tensor of a model, with rows as the output's vocabulary has them.
SourcePtr Planner::source(const Spot& spot, const Participant& model,
                          const SafeEntry& entry) const {
  if (plan_.vocabulary == nullptr || spot.layer || !has_token_rows(spot.name) ||
      entry.shape.rank == 0)
    return input(model).source(entry);
  std::vector<SourcePtr> all;
  for (const i64 number : plan_.vocabulary->models) {
    const InputModel& other = plan_.inputs[number];
    const SafeEntry* const same = other.find(spot.in_stage);
    if (same == nullptr) {
      throw Error(ErrorKind::kData, cat(other.path, ": tensor ", quote(spot.in_stage, 200),
                                        " is missing, whose rows are matched by token"));
    }
    all.push_back(other.source(*same));
  }
  return std::make_unique<AlignedSource>(*plan_.vocabulary, plan_.vocabulary->place(model.input),
                                         std::move(all));
}

// The source for a tensor that a model lacks; null: the model takes no part.
SourcePtr Planner::missing(const Spot& spot, const Participant& model, const Shape* like) const {
  const std::string name = name_in(spot, model);
  switch (options_.missing) {
    case Missing::kSkip:
      return nullptr;
    case Missing::kBase:
      if (spot.stage->base) {
        const Participant& base = *spot.stage->base;
        if (const SafeEntry* const entry = input(base).find(name_in(spot, base)))
          return source(spot, base, *entry);
      }
      break;
    case Missing::kZero:
      if (like != nullptr) return std::make_unique<ZeroSource>(DType::kBf16, *like);
      break;
    case Missing::kError:
      break;
  }
  throw Error(
      ErrorKind::kData,
      cat(input(model).path, ": tensor ", quote(name, 200), " is missing, another model has it"),
      "--missing skip, base or zero says what takes its place");
}

void Planner::find_inputs(const Spot& spot, PlannedTensor& tensor) {
  Job& job = tensor.job;
  const auto entry_of = [&](const Participant& model) {
    return input(model).find(name_in(spot, model));
  };
  const Shape* like = nullptr;
  for (const Participant& model : spot.stage->models)
    if (const SafeEntry* const entry = entry_of(model); entry != nullptr && like == nullptr)
      like = &entry->shape;
  if (like == nullptr && spot.stage->base) {
    if (const SafeEntry* const entry = entry_of(*spot.stage->base)) like = &entry->shape;
  }
  std::vector<bool> keep;
  for (const i64 number : job.models) {
    const Participant& model = spot.stage->models[usize(number)];
    const SafeEntry* const entry = entry_of(model);
    SourcePtr source =
        entry != nullptr ? this->source(spot, model, *entry) : missing(spot, model, like);
    keep.push_back(source != nullptr);
    if (source) tensor.inputs.push_back({std::move(source), model.input});
  }
  job.keep_models(keep);
  if (!spot.stage->base) return;
  const SafeEntry* const entry = entry_of(*spot.stage->base);
  SourcePtr source = entry != nullptr ? this->source(spot, *spot.stage->base, *entry)
                                      : missing(spot, *spot.stage->base, like);
  tensor.base = {std::move(source), spot.stage->base->input};
}

// All inputs in the shape of the output.
void Planner::fit_shapes(const Spot& spot, PlannedTensor& tensor) {
  std::vector<InputTensor*> all;
  for (InputTensor& one : tensor.inputs)
    all.push_back(&one);
  if (tensor.base.source) all.push_back(&tensor.base);
  Shape shape = all[0]->source->shape();
  const InputTensor* other = nullptr;
  for (const InputTensor* const one : all) {
    if (!(one->source->shape() == shape)) other = one;
  }
  tensor.job.shape = shape;
  if (other == nullptr) return;
  const bool rows =
      has_token_rows(spot.name) && shape.rank == 2 && other->source->shape().rank == 2;
  if (!rows || !options_.embed_common) {
    throw Error(ErrorKind::kData,
                cat(other->source->describe(), " is ", to_string(other->source->shape()), ", but ",
                    plan_.inputs[all[0]->model].path, " has ", to_string(shape)),
                !rows ? ""
                : shape[1] == other->source->shape()[1]
                    ? "--embed common merges the rows that all have"
                    : "models of different width do not merge");
  }
  for (const InputTensor* const one : all) {
    for (int axis = 0; axis < 2; ++axis)
      shape.dim[usize(axis)] = std::min(shape[axis], one->source->shape()[axis]);
  }
  std::vector<i32> leading(usize(shape[0]));
  for (std::size_t i = 0; i < leading.size(); ++i)
    leading[i] = static_cast<i32>(i);
  for (InputTensor* const one : all) {
    if (!(one->source->shape() == shape))
      one->source = std::make_unique<RowMapSource>(std::move(one->source), leading, shape[1]);
  }
  tensor.job.shape = shape;
}

void Planner::find_aux(const Spot& spot, PlannedTensor& tensor) {
  const AuxUse use = recipe_.method->aux;
  if (use == AuxUse::kNone) return;
  const i64 cols = tensor.job.cols();
  for (const i64 number : tensor.job.models) {
    const Participant& model = spot.stage->models[usize(number)];
    const std::string name = name_in(spot, model);
    const SafeEntry* entry = nullptr;
    if (!model.aux.empty()) entry = plan_.aux[model.aux[0].second].files.find(name);
    const Shape wanted = use == AuxUse::kGram ? Shape{cols, cols} : tensor.job.shape;
    if (entry == nullptr && use == AuxUse::kGram) break;  // the mean, then
    if (entry == nullptr || !(entry->shape == wanted) || !is_floating(entry->dtype)) {
      throw Error(ErrorKind::kData,
                  cat(plan_.aux[model.aux[0].second].path, ": tensor ", quote(name, 200),
                      entry == nullptr ? " is missing" : cat(" is ", to_string(entry->shape)),
                      ", expected numbers of shape ", to_string(wanted)));
    }
    tensor.aux.push_back(plan_.aux[model.aux[0].second].source(*entry));
  }
  if (tensor.aux.size() != tensor.job.models.size()) tensor.aux.clear();
  if (use == AuxUse::kGram && tensor.job.shape.rank != 2) tensor.aux.clear();
  for (const SourcePtr& source : tensor.aux)
    tensor.job.aux_sources.push_back(source.get());
}

// A tensor that is not chosen: the base's, or the first model's.
void Planner::copy_reference(const Spot& spot) {
  const Participant& from = *spot.stage->fallback;
  PlannedTensor tensor;
  tensor.job.name = spot.name;
  const SafeEntry* const entry = input(from).find(name_in(spot, from));
  SourcePtr source =
      entry != nullptr ? this->source(spot, from, *entry) : missing(spot, from, nullptr);
  if (!source) return;
  tensor.dtype = source->dtype();
  tensor.job.shape = source->shape();
  tensor.job.copy = 0;
  tensor.inputs.push_back({std::move(source), from.input});
  plan_.tensors.push_back(std::move(tensor));
}

void Planner::add_tensor(const Spot& spot) {
  if (!chosen(spot.name)) return copy_reference(spot);
  PlannedTensor tensor;
  Job& job = tensor.job;
  job.method = recipe_.method;
  job.name = spot.name;
  job.seed = ctx_.seed;
  job.memory = ctx_.memory;
  job.has_base = spot.stage->base.has_value();
  for (const Participant& model : spot.stage->models)
    job.models.push_back(model.number);
  for (const ParamDef& def : recipe_.method->params) {
    if (def.kind != ParamKind::kPath) job.params.push_back(resolve(def, spot));
  }
  if (job.method->prepare != nullptr) job.method->prepare(job);
  if (job.copy == Job::kCopyBase) job.models.clear();
  if (job.copy && *job.copy != Job::kCopyBase) {
    std::vector<bool> keep;
    for (const i64 number : job.models)
      keep.push_back(number == *job.copy);
    job.keep_models(keep);
  }
  find_inputs(spot, tensor);
  // So few models have it that nothing is left to be merged.
  const Method& method = *job.method;
  if (!job.copy && method.min_models == method.max_models && isize(job.models) < method.min_models)
    job.copy = job.models.empty() ? Job::kCopyBase : job.models[0];
  if (!job.copy && job.models.empty()) job.copy = Job::kCopyBase;
  if (job.copy) {
    if (*job.copy == Job::kCopyBase) tensor.inputs.push_back(std::move(tensor.base));
    tensor.base = {};
    tensor.inputs.resize(1);
    if (!tensor.inputs[0].source) return;  // skipped by all that count
  }
  fit_shapes(spot, tensor);
  const DType first =
      tensor.base.source ? tensor.base.source->dtype() : tensor.inputs[0].source->dtype();
  tensor.must_be_equal = !is_floating(first);
  tensor.dtype = first;
  if (tensor.must_be_equal) {
    if (tensor.base.source) tensor.inputs.push_back(std::move(tensor.base));
    tensor.base = {};
  } else if (options_.out_dtype) {
    tensor.dtype = *options_.out_dtype;
  } else if (recipe_.out_dtype || recipe_.dtype) {
    tensor.dtype = recipe_.out_dtype ? *recipe_.out_dtype : *recipe_.dtype;
  }
  for (const InputTensor& one : tensor.inputs) {
    if (is_floating(one.source->dtype()) == tensor.must_be_equal ||
        (tensor.must_be_equal && one.source->dtype() != first)) {
      throw Error(ErrorKind::kData,
                  cat(one.source->describe(), " is of type ", dtype_name(one.source->dtype()),
                      ", but another model has ", dtype_name(first)));
    }
  }
  if (!job.copy && !tensor.must_be_equal) find_aux(spot, tensor);
  plan_.tensors.push_back(std::move(tensor));
}

Plan Planner::make() {
  const std::vector<RecipeModel>& first =
      recipe_.slices.empty() ? recipe_.models : recipe_.slices[0].sources;
  plan_.inputs = InputModels(recipe_.base);
  plan_.reference = plan_.inputs.open(recipe_.base.empty() ? first[0].path : recipe_.base);
  if (recipe_.slices.empty()) {
    stages_.push_back(make_stage(recipe_.models, nullptr));
  } else {
    for (const RecipeSlice& slice : recipe_.slices)
      stages_.push_back(make_stage(slice.sources, &slice));
  }
  if (std::optional<Vocabulary> vocabulary = make_vocabulary(recipe_, plan_.inputs, plan_.warnings))
    plan_.vocabulary = std::make_unique<const Vocabulary>(std::move(*vocabulary));
  check_families();
  i64 layers = 0;
  std::vector<i64> layer_sources;  // of the reference's config
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    add_spots(stage, layers, i == 0, i + 1 == stages_.size());
    layers += stage.layers;
    for (i64 layer = 0; layer < stage.layers; ++layer)
      layer_sources.push_back(input_layer(stage, stage.models[0], layer));
  }
  std::sort(spots_.begin(), spots_.end(),
            [](const Spot& a, const Spot& b) { return a.name < b.name; });
  for (const Spot& spot : spots_)
    add_tensor(spot);
  if (plan_.tensors.empty())
    throw Error(ErrorKind::kData, cat(recipe_.where, ": no tensor is left to be written"));
  if (std::none_of(spots_.begin(), spots_.end(), [&](const Spot& s) { return chosen(s.name); }))
    throw Error(ErrorKind::kUsage, "--include and --exclude leave no tensor to be merged");
  const Json& config = plan_.inputs[plan_.reference].config;
  if (!config.is_object() || !config.contains("model_type"))
    plan_.warnings.push_back(cat(plan_.inputs[plan_.reference].folder,
                                 ": no config.json with a model_type: programs that open models "
                                 "will refuse the result"));
  plan_.config_json = output_config(plan_.inputs[plan_.reference], plan_.tensors,
                                    recipe_.slices.empty() ? std::vector<i64>() : layer_sources,
                                    plan_.vocabulary ? plan_.vocabulary->source : "");
  return std::move(plan_);
}

}  // namespace

i64 Plan::bytes_in() const {
  i64 bytes = 0;
  const auto add = [&](const SourcePtr& source) {
    if (source) bytes += source->shape().count() * item_bytes(source->dtype());
  };
  for (const PlannedTensor& tensor : tensors) {
    for (const InputTensor& one : tensor.inputs)
      add(one.source);
    add(tensor.base.source);
  }
  return bytes;
}

i64 Plan::bytes_out() const {
  i64 bytes = 0;
  for (const PlannedTensor& tensor : tensors)
    bytes += tensor.job.shape.count() * item_bytes(tensor.dtype);
  return bytes;
}

Plan make_plan(const Recipe& recipe, const PlanOptions& options, const Context& ctx) {
  try {
    return Planner(recipe, options, ctx).make();
  } catch (const Error& e) {
    // What is wrong in a recipe is wrong usage where there is none.
    if (e.kind() != ErrorKind::kConfig || !recipe.text.empty()) throw;
    throw Error(ErrorKind::kUsage, e.message(), e.hint());
  }
}

std::optional<Missing> parse_missing(std::string_view text) {
  if (text == "error") return Missing::kError;
  if (text == "skip") return Missing::kSkip;
  if (text == "base") return Missing::kBase;
  if (text == "zero") return Missing::kZero;
  return std::nullopt;
}

}  // namespace lm::merge
