#include "feasible.h"

#include <algorithm>

#include "accord/extent.h"
#include "core/str.h"

namespace lm::decode_tool {

using accord::Format;
using accord::Instance;
using cli::Flag;
using cli::FlagKind;
using decode::SampleParams;

namespace {

/// What a token's draw needs and an alternative's has none of.
const char* of_tokens_alone(const SampleParams& p) {
  if (!p.logit_bias.empty()) return "logit_bias";
  if (p.repetition_penalty != 1) return "repetition_penalty";
  if (p.frequency_penalty != 0) return "frequency_penalty";
  if (p.presence_penalty != 0) return "presence_penalty";
  if (p.no_repeat_ngram > 0) return "no_repeat_ngram";
  if (p.dry_multiplier > 0) return "dry_multiplier";
  return nullptr;
}

}  // namespace

std::vector<Flag> feasible_flags() {
  const std::string group = "Feasible solutions";
  std::vector<std::string> problems = accord::problem_names();
  problems.emplace_back("record");
  return {
      {.name = "feasible",
       .kind = FlagKind::kChoice,
       .value_name = "PROBLEM",
       .group = group,
       .help = "texts are feasible solutions of each record's instance",
       .details = "instance is what lm-synth's tasks write; record: any problem. The model "
                  "chooses among steps after which a completion is left; totals are computed. "
                  "Completions have solution, objective, feasible and decisions. A text is as "
                  "long as its solution unless --max-tokens is given.",
       .choices = problems,
       .needs = {"model"},
       .excludes = {"grammar", "json-schema", "json", "regex", "choice", "small-model",
                    "grammar-mode", "dump-prompt", "top-logprobs", "stop", "stop-id", "loop-size",
                    "min-tokens", "ignore-eos", "jrt"}},
      {.name = "feasible-format",
       .kind = FlagKind::kChoice,
       .value_name = "FORM",
       .group = group,
       .def = "accord",
       .help = "with running totals, or as lists",
       .choices = {"accord", "lists"},
       .needs = {"feasible"}},
      {.name = "feasible-draw",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "exact",
       .help =
           "draw whole steps, mask tokens (gcd), or draw texts in their true proportions (asap)",
       .details =
           "exact: a step has the product of its tokens' probabilities; temperature and "
           "truncations work on steps as they do on tokens, penalties and biases are refused. "
           "asap: as with --grammar-mode.",
       .choices = {"exact", "gcd", "asap"},
       .needs = {"feasible"}},
  };
}

Feasible::Feasible(const cli::Tool& tool, const decode::Session& session) {
  const cli::Options& options = tool.options();
  if (!options.given("feasible")) return;
  on_ = true;
  length_given_ = options.asked("max-tokens");
  problem_ = accord::problem_of(options.text("feasible"));
  if (options.text("feasible-format") == "lists") format_ = Format::kLists;
  const std::string& draw = options.text("feasible-draw");
  draw_ = draw == "exact" ? Draw::kExact : draw == "gcd" ? Draw::kGcd : Draw::kAsap;
  if (draw_ == Draw::kExact && options.text("logprobs-from") == "processed")
    throw Error(
        ErrorKind::kUsage,
        "--logprobs-from processed does not go with --feasible-draw exact: steps are drawn, "
        "not tokens");
  positions_ = session.engine().positions();
  memory_ = tool.ctx().memory;
  ends_ = session.generate_options().end_ids;
  if (draw_ == Draw::kAsap && ends_.empty())
    throw Error(ErrorKind::kData, "--feasible-draw asap: the model has no token that ends a text");
  spelling_ = std::make_shared<const decode::Spelling>(session.tokenizer(), session.cfg().vocab);
  charge_.emplace(*memory_, spelling_->trie().bytes(), "the vocabulary's texts");
}

SampleParams Feasible::with_length(SampleParams defaults) const {
  if (on_ && !length_given_) defaults.max_tokens = positions_;
  return defaults;
}

std::optional<Fault> Feasible::check(const SampleParams& params) const {
  const auto refuse = [](std::string_view what) {
    return Fault{"params", cat(what, " (--no-model-defaults leaves the folder's out)"), -1};
  };
  if (!params.stop.empty() || !params.stop_ids.empty() || params.loop_size > 0 ||
      params.min_tokens > 0 || params.ignore_eos)
    return refuse("stop, stop_ids, loop_size, min_tokens and ignore_eos do not go with --feasible");
  const char* const of_tokens = of_tokens_alone(params);
  if (draw_ == Draw::kExact && of_tokens != nullptr)
    return refuse(cat(of_tokens, " is for tokens, --feasible-draw exact draws steps"));
  if (draw_ == Draw::kAsap && !decode::is_own_distribution(params))
    return refuse(
        "asap draws from the model's own distribution: temperature 1, no penalties, no "
        "truncations");
  return std::nullopt;
}

std::optional<Fault> Feasible::set(io::JsonReader& json, i64 field, GenerateWork& work) const {
  if (!on_) return std::nullopt;
  decode::GenerateRequest& r = work.request;
  if (std::optional<Fault> fault = check(r.params)) return fault;
  if (work.language)
    return Fault{"grammar",
                 "the record has a language of its own, which --feasible leaves no room for", -1};
  const std::string name = quote(json.path(field));
  if (!json.has(field))
    return Fault{"missing", cat("field ", name, " is missing, expected a problem's instance"), -1};
  const Result<Instance> instance = accord::read_instance(json.raw(field));
  if (!instance) return instance.fault();
  const accord::Problem problem = accord::problem_of(*instance);
  const auto named = [](accord::Problem one) {
    return accord::problem_names()[static_cast<std::size_t>(one)];
  };
  if (problem_ && problem != *problem_)
    return Fault{"problem",
                 cat("field ", name, " is of ", named(problem), ", expected ", named(*problem_)),
                 -1};
  if (std::optional<Fault> fault = spelling_->check(accord::bytes_of(problem, format_)))
    return fault;
  Result<std::unique_ptr<accord::Automaton>> start = accord::make_automaton(*instance, format_);
  if (!start) return start.fault();
  // An end token may follow; a token has a byte at least.
  r.params.max_tokens = std::min(r.params.max_tokens, accord::most_bytes(*instance, format_) + 1);
  if (draw_ == Draw::kExact) {
    r.choices = std::make_shared<const decode::FeasibleChoices>(spelling_, std::move(*start));
    return std::nullopt;
  }
  const bool gcd = draw_ == Draw::kGcd;
  std::unique_ptr<decode::FeasibleConstraint> mask =
      std::make_unique<decode::FeasibleConstraint>(spelling_, std::move(*start), ends_, gcd);
  if (gcd) {
    r.constraint = std::move(mask);
    return std::nullopt;
  }
  r.constraint = std::make_shared<const decode::AsapConstraint>(
      std::move(mask), std::make_shared<decode::PermittedMass>(memory_));
  r.serial = true;
  return std::nullopt;
}

}  // namespace lm::decode_tool
