// Options of lm-uq fit.

#include "uq.h"

namespace lm::uq_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> fit_flags() {
  const std::string fitting = "Fitting";
  Flag correct = correct_flag();
  correct.details =
      "The greedy answer, else the first sample, against refs; p_ik learns the value "
      "itself.";
  return {
      on_error_flag("Also to questions that nothing says the answer of."),
      correct,
      {.name = "right-only",
       .kind = FlagKind::kSwitch,
       .group = fitting,
       .help = "rde, ppl_md and huq compare with right answers alone",
       .main = true},
      {.name = "ridge",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = fitting,
       .def = "1",
       .help = "p_ik: X/2 times the squared weights is added to the loss of all questions",
       .min = 1e-9,
       .max = 1e9},
      {.name = "rde-states",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = fitting,
       .def = "500",
       .help = "rde: of more answers than these as many are drawn",
       .details = "The time grows with the cube.",
       .min = 10,
       .max = 20000},
  };
}

}  // namespace lm::uq_tool
