#include "merge/method.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "merge/makers.h"

namespace lm::merge {

namespace {

constexpr ParamDef weight(std::optional<f64> def) {
  return {.name = "weight", .per_model = true, .def = def, .help = "share of the model"};
}
constexpr ParamDef normalize(f64 def) {
  return {.name = "normalize",
          .kind = ParamKind::kSwitch,
          .def = def,
          .help = "divide by the sum of the weights"};
}
constexpr ParamDef kLambda = {
    .name = "lambda", .def = 1.0, .help = "factor of the merged task vector"};
constexpr ParamDef kDensity = {.name = "density",
                               .per_model = true,
                               .def = 1.0,
                               .min = 0,
                               .max = 1,
                               .help = "share of the task vector's elements that is kept"};
constexpr ParamDef kEpsilon = {.name = "epsilon",
                               .per_model = true,
                               .def = 0.15,
                               .min = 0,
                               .max = 1,
                               .help =
                                   "the largest element is kept with probability density + "
                                   "epsilon, the smallest with density - epsilon"};
constexpr ParamDef kGamma = {.name = "gamma",
                             .per_model = true,
                             .def = 0.01,
                             .min = 0,
                             .max = 1,
                             .help = "share of the largest elements that is dropped"};
constexpr ParamDef rescale(f64 def) {
  return {.name = "rescale",
          .kind = ParamKind::kChoice,
          .def = def,
          .choices = "none|inverse|l1|l2|linf|per_element",
          .true_word = "l1",
          .help =
              "how what is kept of a task vector is scaled up: by 1 / density (inverse, as the "
              "papers have it), to the norm before, or by the probability of each element"};
}
constexpr ParamDef kElect = {.name = "elect",
                             .kind = ParamKind::kChoice,
                             .def = 0.0,
                             .choices = "sum|count",
                             .help = "the sign of an element is that of the sum, or of the most"};
constexpr ParamDef kInt8Mask = {.name = "int8_mask",
                                .kind = ParamKind::kSwitch,
                                .def = 0.0,
                                .help = "accepted for recipes of mergekit; changes nothing"};
constexpr f64 kNoRescale = 0;
constexpr f64 kRescaleL1 = 2;

constexpr ParamDef kLinear[] = {weight(std::nullopt), normalize(1)};
constexpr ParamDef kSlerp[] = {
    {.name = "t", .min = 0, .max = 1, .help = "0 is the base, 1 the other model"},
    {.name = "lerp_threshold",
     .def = 0.9995,
     .min = 0,
     .max = 1,
     .help = "above this cosine the models are mixed linearly"}};
constexpr ParamDef kNuslerp[] = {weight(std::nullopt),
                                 {.name = "flatten",
                                  .alias = "nuslerp_flatten",
                                  .kind = ParamKind::kSwitch,
                                  .def = 1.0,
                                  .help = "turn the tensor as one vector, not its rows or columns"},
                                 {.name = "row_wise",
                                  .alias = "nuslerp_row_wise",
                                  .kind = ParamKind::kSwitch,
                                  .def = 0.0,
                                  .unless = "flatten",
                                  .help = "without flatten: rows, not columns"}};
constexpr ParamDef kMultislerp[] = {
    weight(1.0),
    {.name = "normalize_weights",
     .kind = ParamKind::kSwitch,
     .def = 1.0,
     .help = "divide the weights by their sum"},
    {.name = "eps", .def = 1e-8, .min = 0, .help = "shorter mean directions are none"}};
constexpr ParamDef kKarcher[] = {
    weight(1.0),
    {.name = "max_iter",
     .kind = ParamKind::kWhole,
     .def = 10.0,
     .min = 0,
     .max = 1000,
     .help = "steps at most"},
    {.name = "tol", .def = 1e-5, .min = 0, .help = "length of the step that ends the search"}};
constexpr ParamDef kTaskArithmetic[] = {weight(std::nullopt), kLambda, normalize(0), kInt8Mask};
constexpr ParamDef kTies[] = {weight(std::nullopt), kDensity, normalize(1), kLambda, kElect,
                              rescale(kNoRescale),  kInt8Mask};
constexpr ParamDef kDareLinear[] = {weight(std::nullopt), kDensity, rescale(kRescaleL1),
                                    normalize(0),         kLambda,  kInt8Mask};
constexpr ParamDef kDareTies[] = {
    weight(std::nullopt), kDensity, rescale(kRescaleL1), normalize(0), kLambda, kElect, kInt8Mask};
constexpr ParamDef kDella[] = {weight(std::nullopt), kDensity, kEpsilon, rescale(kRescaleL1),
                               normalize(1),         kLambda,  kElect,   kInt8Mask};
constexpr ParamDef kDellaLinear[] = {weight(std::nullopt), kDensity, kEpsilon, rescale(kRescaleL1),
                                     normalize(0),         kLambda,  kInt8Mask};
constexpr ParamDef kBreadcrumbs[] = {weight(std::nullopt), kDensity, kGamma,   normalize(0),
                                     rescale(kNoRescale),  kLambda,  kInt8Mask};
constexpr ParamDef kBreadcrumbsTies[] = {
    weight(std::nullopt), kDensity, kGamma,   normalize(0), kElect,
    rescale(kNoRescale),  kLambda,  kInt8Mask};
constexpr ParamDef kSce[] = {{.name = "select_topk",
                              .def = 1.0,
                              .min = 0,
                              .max = 1,
                              .help = "share of the varying elements that is kept"},
                             kInt8Mask};
constexpr ParamDef kRamEpsilon = {
    .name = "epsilon", .def = 1e-5, .min = 0, .help = "smaller changes are none"};
constexpr ParamDef kRam[] = {kRamEpsilon};
constexpr ParamDef kRamPlus[] = {
    kRamEpsilon,
    {.name = "r", .def = 0.1, .min = 0, .help = "how much unique changes are scaled up"},
    {.name = "alpha", .def = 0.2, .min = 0, .help = "limit of shared over unique"}};
constexpr ParamDef kModelStock[] = {{.name = "filter_wise",
                                     .kind = ParamKind::kSwitch,
                                     .def = 0.0,
                                     .help = "a ratio for each row, not for each tensor"}};
constexpr ParamDef kNearswap[] = {
    {.name = "t", .min = 0, .help = "distance up to which the model takes the base's place"}};
constexpr ParamDef kPassthrough[] = {
    {.name = "scale", .per_model = true, .def = 1.0, .help = "factor of the tensor"}};
constexpr ParamDef kEma[] = {{.name = "decay",
                              .def = 0.999,
                              .min = 0,
                              .max = 1,
                              .help = "share that each older checkpoint keeps"}};
constexpr ParamDef kLawa[] = {{.name = "last",
                               .kind = ParamKind::kWhole,
                               .def = 6.0,
                               .min = 1,
                               .help = "how many of the last checkpoints are averaged"}};
constexpr ParamDef kFisher[] = {
    weight(1.0),
    {.name = "fisher",
     .kind = ParamKind::kPath,
     .per_model = true,
     .help = "safetensors with the diagonal Fisher information under the tensors' names"}};
constexpr ParamDef kRegmean[] = {
    {.name = "gram",
     .kind = ParamKind::kPath,
     .per_model = true,
     .help = "safetensors with the Gram matrices of inputs under the weights' names"},
    {.name = "alpha",
     .def = 0.9,
     .min = 0,
     .max = 1,
     .help = "factor of the Gram matrices' off-diagonals"}};
constexpr ParamDef kConsensus[] = {
    weight(1.0),
    kLambda,
    {.name = "m",
     .kind = ParamKind::kWhole,
     .def = 2.0,
     .min = 1,
     .help = "models that must agree"},
    {.name = "lambda_t",
     .def = 0.4,
     .min = 0,
     .help = "how large a model's own part must be beside the others'"}};

// A model of weight 0 is not read: what is in it cannot matter.
void drop_weightless(Job& job) {
  const std::vector<f64>& weights = job.each("weight");
  std::vector<bool> keep;
  for (const f64 one : weights)
    keep.push_back(one != 0);
  job.keep_models(keep);
}

void prepare_linear(Job& job) {
  drop_weightless(job);
  if (job.models.empty())
    throw Error(ErrorKind::kConfig,
                cat("tensor ", quote(job.name, 200), ": every model has weight 0"));
  if (job.models.size() == 1 && (job.on("normalize") || job.each("weight")[0] == 1))
    job.copy = job.models[0];
}

void prepare_delta(Job& job) {
  drop_weightless(job);
  if (job.models.empty()) job.copy = Job::kCopyBase;
}

void prepare_mean(Job& job) {
  drop_weightless(job);
  if (job.models.empty())
    throw Error(ErrorKind::kConfig,
                cat("tensor ", quote(job.name, 200), ": every model has weight 0"));
  if (job.models.size() == 1) job.copy = job.models[0];
}

void prepare_slerp(Job& job) {
  const f64 t = job.value("t");
  if (t == 0 || t == 1) job.copy = job.models[t == 0 ? 0 : 1];
}

void prepare_passthrough(Job& job) {
  if (job.each("scale")[0] == 1) job.copy = job.models[0];
}

void prepare_ema(Job& job) {
  // Older checkpoints of weight 0: decay 0, or so many that the power vanishes.
  std::vector<bool> keep(job.models.size());
  f64 one = 1;
  for (std::size_t i = keep.size(); i-- > 0; one *= job.value("decay"))
    keep[i] = static_cast<f32>(one) != 0;
  job.keep_models(keep);
  if (job.models.size() == 1) job.copy = job.models[0];
}

void prepare_lawa(Job& job) {
  const std::size_t last = static_cast<std::size_t>(job.value("last"));
  std::vector<bool> keep(job.models.size(), true);
  for (std::size_t i = 0; i + last < keep.size(); ++i)
    keep[i] = false;
  job.keep_models(keep);
  if (job.models.size() == 1) job.copy = job.models[0];
}

#define LM_MAKERS(make) .make_f32 = make<f32>, .make_f64 = make<f64>

constexpr Method kMethods[] = {
    {.name = "linear",
     .summary = "weighted mean",
     .params = kLinear,
     .prepare = prepare_linear,
     LM_MAKERS(make_linear)},
    {.name = "slerp",
     .summary = "along the sphere from the base to the other model",
     .base = BaseUse::kFirst,
     .min_models = 2,
     .max_models = 2,
     .params = kSlerp,
     .prepare = prepare_slerp,
     LM_MAKERS(make_slerp)},
    {.name = "nuslerp",
     .summary = "slerp by weights, of two models or of their task vectors",
     .base = BaseUse::kOptional,
     .min_models = 2,
     .max_models = 2,
     .params = kNuslerp,
     .prepare = prepare_mean,
     LM_MAKERS(make_nuslerp)},
    {.name = "multislerp",
     .summary = "mean direction and mean norm of several models or task vectors",
     .base = BaseUse::kOptional,
     .min_models = 2,
     .params = kMultislerp,
     .prepare = prepare_mean,
     LM_MAKERS(make_multislerp)},
    {.name = "karcher",
     .summary = "mean on the sphere, by iteration",
     .min_models = 2,
     .params = kKarcher,
     .prepare = prepare_mean,
     LM_MAKERS(make_karcher)},
    {.name = "task_arithmetic",
     .summary = "base plus the weighted sum of task vectors",
     .base = BaseUse::kRequired,
     .params = kTaskArithmetic,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "ties",
     .summary = "large elements of the task vectors, after an election of signs",
     .base = BaseUse::kRequired,
     .min_models = 2,
     .params = kTies,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "dare_linear",
     .summary = "random elements of the task vectors, scaled up",
     .base = BaseUse::kRequired,
     .params = kDareLinear,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "dare_ties",
     .summary = "dare with an election of signs",
     .base = BaseUse::kRequired,
     .params = kDareTies,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "della",
     .summary = "random elements, large ones more often, with an election of signs",
     .base = BaseUse::kRequired,
     .params = kDella,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "della_linear",
     .summary = "della without the election",
     .base = BaseUse::kRequired,
     .params = kDellaLinear,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "breadcrumbs",
     .summary = "task vectors without their largest and smallest elements",
     .base = BaseUse::kRequired,
     .params = kBreadcrumbs,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "breadcrumbs_ties",
     .summary = "breadcrumbs with an election of signs",
     .base = BaseUse::kRequired,
     .params = kBreadcrumbsTies,
     .prepare = prepare_delta,
     LM_MAKERS(make_delta)},
    {.name = "sce",
     .summary = "elements that vary between the models, weighted by energy",
     .base = BaseUse::kRequired,
     .min_models = 2,
     .params = kSce,
     LM_MAKERS(make_sce)},
    {.name = "ram",
     .summary = "changes of one model kept, changes of several averaged",
     .base = BaseUse::kRequired,
     .params = kRam,
     LM_MAKERS(make_ram)},
    {.name = "ramplus_tl",
     .summary = "ram with changes of one model scaled up",
     .base = BaseUse::kRequired,
     .params = kRamPlus,
     LM_MAKERS(make_ram)},
    {.name = "model_stock",
     .summary = "between base and mean, by the angle between task vectors",
     .base = BaseUse::kRequired,
     .min_models = 2,
     .params = kModelStock,
     LM_MAKERS(make_model_stock)},
    {.name = "nearswap",
     .summary = "the model where it is close to the base",
     .base = BaseUse::kRequired,
     .max_models = 1,
     .params = kNearswap,
     LM_MAKERS(make_nearswap)},
    {.name = "arcee_fusion",
     .summary = "changes whose importance stands out",
     .base = BaseUse::kRequired,
     .max_models = 1,
     LM_MAKERS(make_arcee)},
    {.name = "passthrough",
     .summary = "one model as it is; for putting layers together",
     .max_models = 1,
     .params = kPassthrough,
     .prepare = prepare_passthrough,
     LM_MAKERS(make_passthrough)},
    {.name = "ema",
     .summary = "exponential mean of checkpoints, the newest last",
     .params = kEma,
     .prepare = prepare_ema,
     LM_MAKERS(make_ema)},
    {.name = "lawa",
     .summary = "mean of the last checkpoints",
     .params = kLawa,
     .prepare = prepare_lawa,
     LM_MAKERS(make_mean)},
    {.name = "fisher",
     .summary = "mean weighted by Fisher information, element by element",
     .params = kFisher,
     .aux = AuxUse::kSameShape,
     .prepare = prepare_mean,
     LM_MAKERS(make_fisher)},
    {.name = "regmean",
     .summary = "linear layers closest to all models on their own inputs",
     .min_models = 2,
     .params = kRegmean,
     .aux = AuxUse::kGram,
     LM_MAKERS(make_regmean)},
    {.name = "consensus",
     .summary = "task vectors where several models agree with their sum",
     .base = BaseUse::kRequired,
     .min_models = 2,
     .params = kConsensus,
     .prepare = prepare_delta,
     LM_MAKERS(make_consensus)},
};

#undef LM_MAKERS

const ParamValues& find_values(const Job& job, std::string_view param) {
  for (const ParamValues& values : job.params) {
    if (values.def->name == param) return values;
  }
  throw Error(ErrorKind::kInternal, cat(job.method->name, " has no parameter ", param));
}

}  // namespace

f64 Job::value(std::string_view param) const {
  const ParamValues& found = find_values(*this, param);
  LM_CHECK(!found.def->per_model, "a parameter of the whole merge has one value");
  return found.values[0];
}

std::string_view Job::choice(std::string_view param) const {
  const ParamValues& found = find_values(*this, param);
  return split(found.def->choices, '|')[static_cast<std::size_t>(found.values[0])];
}

const std::vector<f64>& Job::each(std::string_view param) const {
  const ParamValues& found = find_values(*this, param);
  LM_CHECK(found.def->per_model, "a parameter of the models has a value for each");
  return found.values;
}

void Job::keep_models(const std::vector<bool>& keep) {
  const auto filter = [&](auto& values) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (keep[i]) values[to++] = values[i];
    }
    values.resize(to);
  };
  for (ParamValues& values : params) {
    if (values.def->per_model) filter(values.values);
  }
  filter(models);
}

const ParamDef* Method::find(std::string_view param) const {
  const auto at = std::find_if(params.begin(), params.end(), [&](const ParamDef& def) {
    return def.name == param || (!def.alias.empty() && def.alias == param);
  });
  return at != params.end() ? &*at : nullptr;
}

std::span<const Method> methods() {
  return kMethods;
}

const Method* find_method(std::string_view name) {
  const auto at = std::find_if(std::begin(kMethods), std::end(kMethods),
                               [&](const Method& method) { return method.name == name; });
  return at != std::end(kMethods) ? &*at : nullptr;
}

template <>
KernelPtr<f32> make_kernel(const Job& job) {
  return job.method->make_f32(job);
}
template <>
KernelPtr<f64> make_kernel(const Job& job) {
  return job.method->make_f64(job);
}

}  // namespace lm::merge
