// Documents that get holes on their way into training: --infill.

#include "infill.h"

#include "common/infill_options.h"
#include "core/str.h"
#include "lm_train/flags.h"

namespace lm::train_tool {

namespace {

using cli::FlagKind;

/// FORMAT:P.
std::pair<std::string, f64> format_and_share(const std::string& given) {
  const std::size_t colon = given.rfind(':');
  const std::optional<f64> share = colon == std::string::npos
                                       ? std::nullopt
                                       : parse_float(std::string_view(given).substr(colon + 1));
  if (colon == 0 || !share || !(*share >= 0 && *share <= 1))
    throw Error(ErrorKind::kUsage,
                cat("--infill ", quote(given), ": expected FORMAT:P with a share P from 0 to 1"));
  return {given.substr(0, colon), *share};
}

}  // namespace

std::vector<cli::Flag> infill_flags() {
  const std::string g = "Data";
  cli::Flag ratio = tool_options::span_ratio_flag(g);
  cli::Flag length = tool_options::span_length_flag(g);
  for (cli::Flag* const flag : {&ratio, &length}) {
    flag->main = false;
    flag->needs = {"infill"};
  }
  return {
      {.name = "infill",
       .kind = FlagKind::kString,
       .value_name = "FORMAT:P",
       .group = g,
       .help = "give a share P of the documents holes, drawn anew every epoch: codegen2:0.5",
       .details = "Formats and rows are those of lm-transform infill, whose first epoch a stream "
                  "sees; of shards, --order documents is needed. Documents of fewer than 32 tokens "
                  "stay causal. The tokenizer must have the format's tokens.",
       .needs = {"objective=next-token,prefix-lm"}},
      ratio,
      length,
  };
}

Infilling::Infilling(const cli::Options& o, const std::string& tokenizer_path, u64 seed) {
  const auto [format, share] = format_and_share(o.text("infill"));
  if (tokenizer_path.empty())
    throw Error(ErrorKind::kUsage, "--infill needs the tokenizer, for the tokens of its format",
                "--tokenizer FILE names it");
  transform::InfillRules rules;
  rules.rate = share;
  tool_options::read_spans(o, rules);
  text::LoadOptions load;
  load.special = text::SpecialPolicy::kText;
  load.add_specials = false;
  tokenizer_ = text::load_tokenizer(tokenizer_path, load);
  const text::InfillFormat layout = text::infill_format(format);
  try {
    infiller_.emplace(rules, layout, *tokenizer_, seed);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kUsage) throw;
    throw Error(e.kind(), cat("--infill ", quote(format), ": ", e.message()),
                "lm-tokenize train --special-token makes a vocabulary with a format's tokens; "
                "--infill FILE.json:P names others");
  }
}

void Infilling::change(i64 number, i64 epoch, std::vector<i32>& ids) {
  if (!state_) state_ = tokenizer_->new_state();
  if (const std::optional<Fault> fault = infiller_->apply(cat("#", number), epoch, *state_, ids))
    throw Error(ErrorKind::kData, cat("document ", number, " of the shards: ", fault->detail),
                fault->code == "special" ? "--infill moves documents without such tokens" : "");
}

}  // namespace lm::train_tool
