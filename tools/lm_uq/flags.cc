// Option tables of lm-uq.

#include <algorithm>

#include "core/str.h"
#include "io/file.h"
#include "uq.h"
#include "uq/correctness.h"
#include "uq/evaluate.h"
#include "uq/record.h"
#include "uq/similarity.h"

namespace lm::uq_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

std::vector<std::string> choices(std::span<const std::string> names) {
  return {names.begin(), names.end()};
}

// A name of lib/uq's, as an identifier of options may be.
Flag field_flag(const std::string& group) {
  return {.name = "field",
          .kind = FlagKind::kString,
          .value_name = "NAME",
          .group = group,
          .def = "uq",
          .help = "the root field that holds what score adds"};
}

Flag estimators_flag(const std::string& group, const std::string& help,
                     const std::string& details) {
  return {.name = "estimators",
          .letter = 'e',
          .kind = FlagKind::kString,
          .value_name = "NAME,...",
          .group = group,
          .help = help,
          .details = details,
          .main = true};
}

}  // namespace

std::string score_field(const cli::Options& options) {
  const std::string& field = options.text("field");
  const std::string root = field.substr(0, field.find('.'));
  const std::span<const std::string> read = uq::record_fields();
  if (std::find(read.begin(), read.end(), root) != read.end() || root == "lm")
    throw Error(ErrorKind::kUsage, cat("--field: records have ", quote(root), " already"));
  return field;
}

std::vector<Flag> score_flags() {
  const std::string scores = "Scores";
  const std::string same = "Same meaning";
  const std::string inverse = "Reworded prompts";
  std::vector<std::string> prompt_sims = choices(uq::sim_names());
  prompt_sims.resize(static_cast<std::size_t>(uq::kTextSims));
  prompt_sims.emplace_back("embed");
  std::string with_threshold = "sim=";
  for (const std::string& name : uq::sim_names())
    if (name != "nli") append(with_threshold, with_threshold.ends_with('=') ? "" : ",", name);
  return {
      estimators_flag(scores, "which scores to add; default: all that the record allows",
                      "A score whose ingredients a record lacks is absent from it."),
      {.name = "list",
       .kind = FlagKind::kSwitch,
       .group = scores,
       .help = "print every estimator with what it needs and what that costs, and exit",
       .semantic = false,
       .main = true},
      field_flag(scores),
      {.name = "sim",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = same,
       .def = "exact",
       .help = "how answers are compared",
       .details = "exact: but for case, punctuation and articles; numeric: the last number. embed, "
                  "nli and given use what stands in the record.",
       .choices = choices(uq::sim_names()),
       .main = true},
      {.name = "threshold",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = same,
       .def = "0.5",
       .help = "answers at least this similar mean the same",
       .details = "Not used by nli, where two answers must entail each other.",
       .min = 0,
       .max = 1,
       .main = true,
       .needs = {with_threshold}},
      {.name = "sim-map",
       .kind = FlagKind::kChoice,
       .value_name = "MAP",
       .group = same,
       .def = "half",
       .help = "cosine c to similarity: (1+c)/2, |c| or max(0,c)",
       .choices = choices(uq::sim_map_names()),
       .needs = {"sim=embed|prompt-sim=embed"}},
      {.name = "cluster",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = same,
       .def = "greedy",
       .help = "greedy: join the first cluster whose first member means the same; or components",
       .choices = {"greedy", "components"}},
      {.name = "equivalence",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = same,
       .def = "strict",
       .help = "nli: both entail each other; or loose: no contradiction, not both neutral",
       .choices = {"strict", "loose"},
       .needs = {"sim=nli"}},
      {.name = "reference",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = scores,
       .help = "states of answers that can be trusted, for mahalanobis: a file of lm-embed "
               "--whiten-fit",
       .details = "Of the model, layer and pooling (last) that emb was made with.",
       .semantic = false},
      {.name = "background",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = scores,
       .help = "states of any texts, for relative_mahalanobis: another such file",
       .semantic = false,
       .needs = {"reference"}},
      {.name = "fitted",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = scores,
       .help = "what lm-uq fit learned, for p_ik, rde, ppl_md and huq",
       .details = "Of the model and layer that emb was made with.",
       .semantic = false,
       .main = true},
      {.name = "draws",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = inverse,
       .def = "30",
       .help = "draws of one answer per wording",
       .min = 1,
       .max = 1e6,
       .main = true},
      {.name = "prompt-sim",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = inverse,
       .def = "jaccard",
       .help = "how wordings are compared",
       .choices = prompt_sims,
       .main = true},
      {.name = "perturbations",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = inverse,
       .def = "0",
       .help = "use N rewordings of each prompt, drawn or repeated at random; 0: those there are",
       .min = 0,
       .max = 1000},
  };
}

Flag on_error_flag(const std::string& details) {
  return {.name = "on-error",
          .kind = FlagKind::kChoice,
          .value_name = "POLICY",
          .group = "Input and output",
          .def = "fail",
          .help = "what happens to bad records",
          .details = details,
          .choices = {"fail", "skip", "quarantine"}};
}

Flag correct_flag() {
  return {.name = "correct",
          .kind = FlagKind::kChoice,
          .value_name = "HOW",
          .group = "Right or wrong",
          .def = "auto",
          .help = "what makes an answer right; auto: the field correct, else exact",
          .details =
              "The greedy answer, else the first sample, against refs. f1 is right from 0.5, "
              "rougeL from 0.3; prr and aurc use the value itself.",
          .choices = choices(uq::correct_names()),
          .main = true};
}

std::vector<Flag> eval_flags() {
  const std::string measures = "Metrics";
  const std::string output = "Output of eval";
  std::string metric_names;
  for (const uq::Metric& metric : uq::metrics())
    append(metric_names, metric_names.empty() ? "" : ", ", metric.name);
  return {
      // No records leave, so there is none to annotate.
      on_error_flag("Also to questions without scores, or that nothing says the answer of."),
      estimators_flag(measures, "which scores to judge; default: all in the records", ""),
      {.name = "metrics",
       .kind = FlagKind::kString,
       .value_name = "NAME,...",
       .group = measures,
       .def = "auroc,prr,aurc",
       .help = "which metrics",
       .details =
           cat("Of ", metric_names, "; rcc is aurc; tsu asks for records of several temperatures."),
       .main = true},
      {.name = "boot",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = measures,
       .def = "1000",
       .help = "resamples of the questions for 95 % intervals; 0: none",
       .min = 0,
       .max = 1e6,
       .main = true},
      {.name = "differences",
       .kind = FlagKind::kSwitch,
       .group = measures,
       .help = "differences between estimators on the same resamples",
       .main = true},
      {.name = "bins",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = measures,
       .def = "15",
       .help = "bins of ece, mce and ece_mass",
       .min = 1,
       .max = 1e6},
      {.name = "folds",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = measures,
       .def = "5",
       .help = "folds of brier_iso",
       .min = 2,
       .max = 255},
      {.name = "at",
       .kind = FlagKind::kFloat,
       .value_name = "T",
       .group = measures,
       .help = "of several temperatures, the one whose answers are judged; default: the lowest"},
      {.name = "temperatures",
       .kind = FlagKind::kString,
       .value_name = "T,T,...",
       .group = measures,
       .help = "which temperatures tsu compares; default: all"},
      correct_flag(),
      {.name = "format",
       .kind = FlagKind::kChoice,
       .value_name = "FORM",
       .group = output,
       .def = "table",
       .help = "a table for people, or one JSON object",
       .choices = {"table", "json"},
       .main = true},
      {.name = "plot",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = output,
       .help = "quality over coverage as an SVG, of the six best estimators or of those of -e",
       .semantic = false,
       .main = true,
       .writes = true},
      field_flag(measures),
  };
}

std::vector<std::string> name_list(const cli::Options& options, const std::string& option) {
  std::vector<std::string> out;
  if (!options.given(option)) return out;
  for (const std::string_view part : split(options.text(option), ',')) {
    const std::string_view name = trim(part);
    if (name.empty()) throw Error(ErrorKind::kUsage, cat("--", option, " has an empty name"));
    if (std::find(out.begin(), out.end(), name) != out.end())
      throw Error(ErrorKind::kUsage, cat("--", option, " names ", quote(name), " twice"));
    out.emplace_back(name);
  }
  return out;
}

}  // namespace lm::uq_tool
