#pragma once
// The methods as a table: what each takes, which parameters it has and what makes its kernel. One
// rule is written once: what all methods share (reading, weights of zero, types, missing tensors)
// is the planner's and the engine's.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "merge/kernel.h"
#include "merge/source.h"
#include "tensor/tensor.h"

namespace lm::merge {

enum class ParamKind : u8 { kNumber, kWhole, kSwitch, kChoice, kPath };

/// One parameter. Values are numbers: a switch is 0 or 1, a choice the place of its word. A path
/// (of further files) is not a number; Job::aux follows from it.
struct ParamDef {
  std::string_view name;
  std::string_view alias = "";  // another name it has in recipes
  ParamKind kind = ParamKind::kNumber;
  bool per_model = false;
  std::optional<f64> def = std::nullopt;  // none: must be given
  f64 min = -1e30;
  f64 max = 1e30;
  std::string_view choices = "";    // of kChoice: "none|l1"
  std::string_view true_word = "";  // the choice that `true` stands for in recipes; false is none
  std::string_view unless = "";     // a switch of the merge that leaves this nothing to do
  std::string_view help = "";
};

enum class BaseUse : u8 {
  kNone,      // one of the models, if it is listed
  kOptional,  // task vectors are taken from it, if there is one
  kRequired,
  kFirst,  // one of the two models, and the first of them (slerp)
};

/// Further files of the models, named by the method's parameter of kind kPath: a tensor of the
/// same name and shape for each tensor, or a square one of the row length for some matrices.
enum class AuxUse : u8 { kNone, kSameShape, kGram };

/// A parameter's values for one tensor: one, or one for each model that takes part.
struct ParamValues {
  const ParamDef* def = nullptr;
  std::vector<f64> values;
};

struct Method;

/// One tensor to be merged. The planner fills it, Method::prepare drops models that do not count.
struct Job {
  const Method* method = nullptr;
  std::string name;
  Shape shape;
  std::vector<i64> models;  // numbers of those that take part, in the recipe's order
  bool has_base = false;
  std::vector<ParamValues> params;               // in the order of method->params
  std::vector<const TensorSource*> aux_sources;  // of the models that take part; or empty
  std::optional<i64> copy;  // the output is that model unchanged; kCopyBase: the base
  u64 seed = 0;
  MemoryBudget* memory = nullptr;

  static constexpr i64 kCopyBase = -1;
  i64 cols() const { return shape.cols(); }
  i64 rows() const { return shape.rows(); }
  /// The value of a parameter of the whole merge. LM_CHECKs that the method has it.
  f64 value(std::string_view param) const;
  bool on(std::string_view param) const { return value(param) != 0; }
  /// The word of a choice.
  std::string_view choice(std::string_view param) const;
  /// Values of the models that take part.
  const std::vector<f64>& each(std::string_view param) const;
  /// Takes the models at these places out, with their parameters.
  void keep_models(const std::vector<bool>& keep);
};

template <class A>
using KernelPtr = std::unique_ptr<Kernel<A>>;

struct Method {
  std::string_view name;
  std::string_view summary;
  BaseUse base = BaseUse::kNone;
  i64 min_models = 1;  // without the base
  i64 max_models = 1000;
  std::span<const ParamDef> params = {};
  AuxUse aux = AuxUse::kNone;
  void (*prepare)(Job&) = nullptr;  // null: every model counts
  KernelPtr<f32> (*make_f32)(const Job&) = nullptr;
  KernelPtr<f64> (*make_f64)(const Job&) = nullptr;

  const ParamDef* find(std::string_view param) const;
};

/// The table, in the order of the manual.
std::span<const Method> methods();
/// Null when there is none of that name.
const Method* find_method(std::string_view name);

/// The kernel of a job in the arithmetic of A.
template <class A>
KernelPtr<A> make_kernel(const Job& job);

}  // namespace lm::merge
