// bits and inverse: what formulas say of small systems, and what training them shows.

#include "exact.h"

#include "common/text_output.h"
#include "core/str.h"
#include "exact/inverse_permutation.h"
#include "exact/permute_bits.h"
#include "io/json.h"

namespace lm::train_tool {

namespace {

using cli::Options;

std::string number(f64 value) {
  std::string out;
  io::append_json_number(out, value);
  return out;
}

void refuse_inputs(const cli::Tool& tool) {
  if (!tool.files().empty())
    throw Error(ErrorKind::kUsage, cat("the verb ", tool.verb(), " reads no files, ",
                                       quote(tool.files()[0]), " was given"));
}

exact::BitsTask bits_task(const Options& o) {
  exact::BitsTask task;
  task.k = o.integer("k");
  task.ones = o.integer("ones");
  task.width = o.integer("width");
  if (o.text("scaling") == "standard") task.scaling = exact::Scaling::kStandard;
  if (task.ones > task.k)
    throw Error(ErrorKind::kUsage, cat("--ones ", task.ones, " of --k ", task.k, " bits"));
  return task;
}

std::string point_json(const exact::EnsemblePoint& at) {
  return cat("{\"networks\":", at.networks, ",\"accuracy\":", number(at.accuracy),
             ",\"mse\":", number(at.mse), ",\"mean_on\":", number(at.on),
             ",\"mean_off\":", number(at.off), "}\n");
}

/// Of the formulas, and of an ensemble where there is one.
std::string summary_json(const exact::BitsTask& task, const Options& o,
                         const exact::EnsembleResult* ensemble) {
  const exact::BitMoments m = exact::moments(task);
  const f64 share = o.real("share");
  std::string out =
      cat("{\"k\":", task.k, ",\"ones\":", task.ones, ",\"scaling\":\"", o.text("scaling"),
          "\",\"width\":", task.width, ",\"share\":", number(share), ",\"mean_on\":", number(m.on),
          ",\"mean_off\":", number(m.off), ",\"variance\":", number(m.variance),
          ",\"needed\":", exact::ensemble_size(task, share));
  if (ensemble != nullptr) {
    append(out, ",\"method\":\"", o.text("method"),
           "\",\"seen\":{\"mean_on\":", number(ensemble->points.back().on),
           ",\"mean_on_error\":", number(ensemble->on_error),
           ",\"mean_off\":", number(ensemble->points.back().off),
           ",\"mean_off_error\":", number(ensemble->off_error),
           ",\"variance\":", number(ensemble->variance), ",\"needed\":");
    const i64 enough = ensemble->enough(share);
    append(out, enough > 0 ? cat(enough) : "null");
    if (o.text("method") == "train")
      append(out, ",\"steps\":", ensemble->steps,
             ",\"training_mse\":", number(ensemble->training_mse));
    out += "}";
  }
  return out + "}\n";
}

exact::InverseTask inverse_task(const Options& o) {
  exact::InverseTask task;
  task.d = o.integer("d");
  task.scratch = o.integer("scratch");
  task.causal = o.text("mask") == "causal";
  const std::string& rows = o.text("readout");
  task.readout = rows == "first"    ? exact::Readout::kPermutation
                 : rows == "second" ? exact::Readout::kText
                                    : exact::Readout::kScratch;
  return task;
}

}  // namespace

void run_bits(cli::Tool& tool) {
  refuse_inputs(tool);
  const Options& o = tool.options();
  const exact::BitsTask task = bits_task(o);
  tool_options::TextOutput out(tool);
  if (o.text("method") == "formula") return out.write(summary_json(task, o, nullptr));
  const exact::EnsembleOptions options{o.integer("networks"), o.integer("inputs"), tool.seed()};
  const exact::EnsembleResult result = o.text("method") == "draw"
                                           ? exact::draw_ensemble(task, options)
                                           : exact::train_ensemble(task, options);
  for (const exact::EnsemblePoint& at : result.points)
    out.write(point_json(at));
  out.write(summary_json(task, o, &result));
}

void run_inverse(cli::Tool& tool) {
  refuse_inputs(tool);
  const Options& o = tool.options();
  exact::InverseModel model(inverse_task(o));
  if (o.given("save")) tool.claim_output(o.text("save"));
  tool_options::TextOutput out(tool);
  if (o.on("construct")) {
    model.construct();
  } else {
    model.train({o.integer("batch"), o.integer("steps"), o.real("lr"), tool.seed()},
                o.integer("log-every"), [&](i64 step, f64 mse) {
                  out.write(cat("{\"step\":", step, ",\"mse\":", number(mse), "}\n"));
                });
  }
  const exact::InverseScore score = model.score(o.integer("texts"), tool.seed(), o.on("noise"));
  if (o.given("save")) model.save(o.text("save"));
  const exact::InverseTask& task = model.task();
  out.write(cat("{\"d\":", task.d, ",\"mask\":\"", o.text("mask"), "\",\"scratch\":", task.scratch,
                ",\"readout\":\"", o.text("readout"), "\",\"weights\":\"",
                o.on("construct") ? "built" : "trained", "\",\"texts\":", score.texts,
                ",\"mse\":", number(score.mse), ",\"mse_floor\":", number(exact::floor_of(task)),
                ",\"bits_right\":", number(score.bits), ",\"bits_ceiling\":",
                number(exact::ceiling_of(task)), ",\"texts_right\":", number(score.exact), "}\n"));
}

}  // namespace lm::train_tool
