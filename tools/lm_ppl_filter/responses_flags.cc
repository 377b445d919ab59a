// Options of lm-ppl-filter responses.

#include "common/model_options.h"
#include "filter.h"

namespace lm::filter_tool {

std::vector<cli::Flag> responses_flags() {
  using cli::Flag;
  using cli::FlagKind;
  const std::string r = "Responses";
  const std::string e = "Examples";
  const std::vector<Flag> own = {
      {.name = "strategy",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = r,
       .def = "strategy",
       .help = "the field that says how an answer was made",
       .main = true},
      {.name = "prompt",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = r,
       .def = "prompt",
       .help = "the field of the question"},
      {.name = "answer",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = r,
       .def = "answer",
       .help = "the field of the answer, whose tokens alone are scored"},
      {.name = "metric",
       .kind = FlagKind::kString,
       .value_name = "NAME,...",
       .group = r,
       .help = "what to rank by: sppl, ppl, ifd, nll, length, reward, car",
       .details =
           "sppl (the default with --own): perplexity behind the model's own answers to other "
           "questions. ppl (the default without): behind the question alone. ifd: mean negative "
           "log-likelihood behind the question by that of the answer alone. nll: of all tokens, "
           "nats. length: tokens. reward: of the record's field reward, the higher the better; "
           "car: reward / (1 + 3 mean nll).",
       .main = true},
      {.name = "first",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = r,
       .def = "0",
       .help = "only the first N questions of the input; 0: all",
       .min = 0,
       .main = true},
      {.name = "allow-missing",
       .kind = FlagKind::kSwitch,
       .group = r,
       .help = "questions count that some strategy has no answer to",
       .details = "Among the best answers of --per-item. A ranking compares strategies over the "
                  "questions that all have answered."},
      {.name = "per-item",
       .kind = FlagKind::kSwitch,
       .group = r,
       .help = "write the records with the best answer to each question instead of a ranking",
       .details = "Of equal answers the one of fewer tokens, then of the strategy whose name comes "
                  "first. A question all of whose answers are impossible has none. The ranking is "
                  "in the report.",
       .main = true,
       .excludes = {"format"}},
      {.name = "format",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = r,
       .def = "table",
       .help = "a table, or JSON",
       .choices = {"table", "json"},
       .main = true},
      {.name = "boot",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = r,
       .def = "1000",
       .help = "resamples of the questions, for how often each strategy is best",
       .min = 0,
       .max = 1e6},
      {.name = "own",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = e,
       .help = "the model's own answers: id, prompt, answer, correct",
       .details = "Those with correct false or 0 are left out. An example never answers the "
                  "question that is asked.",
       .semantic = false,
       .main = true},
      {.name = "examples",
       .letter = 'k',
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = e,
       .def = "3",
       .help = "own answers before a question; the oldest go where the context is short",
       .min = 1,
       .max = 1000,
       .main = true,
       .needs = {"own"}},
      {.name = "layout",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = e,
       .help = "the whole prompt: {prompt} and {examples} are put in",
       .needs = {"own"}},
      {.name = "example-layout",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = e,
       .help = "an example: {prompt} and {answer} are put in",
       .needs = {"own"}},
      {.name = "boundary",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = r,
       .def = "separate",
       .help = "question and answer are tokenised apart, or jointly",
       .details = "jointly: as one text, blanks at the prompt's end with the answer.",
       .choices = {"separate", "joint"}},
  };
  return cli::joined(
      {tool_options::folder_flags("Model"), own,
       tool_options::model_flags({.group = "Model", .batch = "windows", .special_error = false})});
}

}  // namespace lm::filter_tool
