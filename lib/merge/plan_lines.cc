// The plan as text.

#include "core/str.h"
#include "io/json.h"
#include "merge/plan.h"

namespace lm::merge {

namespace {

std::string shape_json(const Shape& shape) {
  std::string out = "[";
  for (int axis = 0; axis < shape.rank; ++axis)
    append(out, axis > 0 ? "," : "", shape[axis]);
  return out + "]";
}

std::string input_json(const Plan& plan, const InputTensor& input, ModelNames names) {
  const std::string model = names == ModelNames::kPaths
                                ? io::json_string(plan.inputs[input.model].path)
                                : cat(input.model);
  return cat("{\"model\":", model, ",\"tensor\":", io::json_string(input.source->name()),
             ",\"dtype\":\"", dtype_name(input.source->dtype()), "\"}");
}

std::string params_json(const Job& job) {
  std::string out = "{";
  for (const ParamValues& values : job.params) {
    append(out, out.size() > 1 ? "," : "", io::json_string(values.def->name), ":");
    const auto one = [&](f64 value) {
      if (values.def->kind == ParamKind::kSwitch) return std::string(value != 0 ? "true" : "false");
      if (values.def->kind == ParamKind::kChoice)
        return io::json_string(job.choice(values.def->name));
      return format_float(value);
    };
    if (!values.def->per_model) {
      out += one(values.values[0]);
      continue;
    }
    std::string list;
    for (const f64 value : values.values)
      append(list, list.empty() ? "" : ",", one(value));
    append(out, "[", list, "]");
  }
  return out + "}";
}

}  // namespace

std::string plan_json_lines(const Plan& plan, ModelNames names) {
  std::string out;
  for (const PlannedTensor& tensor : plan.tensors) {
    const Job& job = tensor.job;
    const bool copied = tensor.must_be_equal || job.copy.has_value();
    append(out, "{\"tensor\":", io::json_string(job.name), ",\"dtype\":\"",
           dtype_name(tensor.dtype), "\",\"shape\":", shape_json(job.shape), ",\"method\":\"",
           copied ? std::string_view("copy") : job.method->name, "\",\"inputs\":[");
    bool first = true;
    for (const InputTensor& input : tensor.inputs) {
      append(out, first ? "" : ",", input_json(plan, input, names));
      first = false;
    }
    append(out, "]");
    if (tensor.base.source) append(out, ",\"base\":", input_json(plan, tensor.base, names));
    append(out, ",\"params\":", copied ? std::string("{}") : params_json(job), "}\n");
  }
  return out;
}

}  // namespace lm::merge
