// infill: documents to rows that teach a model to fill holes, and back.

#include "infill.h"

#include <algorithm>

#include "common/infill_options.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "transform.h"

namespace lm::transform_tool {

namespace {

void read_rules(const cli::Options& options, tf::InfillRules& rules) {
  rules.rate = options.real("infill-rate");
  rules.prefix_rate = options.real("prefix-rate");
  if (rules.rate + rules.prefix_rate > 1)
    throw Error(ErrorKind::kUsage,
                "--infill-rate and --prefix-rate are shares of all documents: "
                "together at most 1");
  tool_options::read_spans(options, rules);
  rules.least = options.integer("min-tokens");
}

InfillSetup read_setup(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  InfillSetup setup;
  read_rules(options, setup.rules);
  setup.loss_on_fillings = options.text("variant") == "b";
  setup.loss_mask = options.on("loss-mask");
  setup.meta = options.on("meta");
  setup.drop_text = options.on("drop-text");
  setup.most = options.maybe_integer("max-tokens").value_or(0);
  setup.epoch = options.integer("epoch");
  setup.seed = tool.seed();
  setup.paths = {"id", options.text("field"), meta_field(options)};
  if (!options.given("tokenizer")) {
    if (setup.rules.prefix_rate > 0)
      throw Error(ErrorKind::kUsage, "--prefix-rate marks tokens: it needs a tokenizer",
                  "-m FILE names it");
    return setup;
  }
  setup.paths.push_back(options.text("ids-field"));
  setup.paths.emplace_back("loss_mask");
  setup.paths.emplace_back("prefix_len");
  return setup;
}

/// What stands for the format in records: its name, or "file". The stream's parameters have the
/// content of a file, not its path.
std::string name_format(cli::Tool& tool) {
  const std::string& name = tool.options().text("format");
  const std::span<const std::string_view> known = text::infill_format_names();
  const bool built_in = std::find(known.begin(), known.end(), name) != known.end();
  tool.set_param(
      "format", io::json_string(built_in ? name : cat("sha256:", sha256_hex(io::read_file(name)))));
  if (!built_in) tool.add_input(name);
  return built_in ? name : "file";
}

void report(cli::Tool& tool, const InfillSetup& setup, const InfillTotals& totals) {
  tool.add_metric("causal", cat(totals.causal.load()));
  tool.add_metric("prefix", cat(totals.prefix.load()));
  tool.add_metric("infill", cat(totals.infill.load()));
  tool.add_metric("documents_cut", cat(totals.cut.load()));
  tool.add_metric("bytes_cut", cat(totals.bytes_cut.load()));
  if (setup.masks()) {
    const auto ratio = [](i64 over, i64 under) {
      return under == 0 ? std::string("null")
                        : format_fixed(static_cast<f64>(over) / static_cast<f64>(under), 6);
    };
    tool.add_metric("masked_share", ratio(totals.masked.load(), totals.tokens.load()));
    tool.add_metric("mean_span_tokens", ratio(totals.masked.load(), totals.holes.load()));
    tool.add_metric("mask_limited", cat(totals.few_masks.load()));
  }
  if (totals.cut.load() > 0)
    tool.console().message(LogLevel::kWarning,
                           cat(totals.cut.load(), " documents were cut at a line end to fit ",
                               setup.most, " tokens: ", totals.bytes_cut.load(), " bytes lost"));
  if (totals.few_masks.load() > 0)
    tool.console().message(
        LogLevel::kWarning,
        cat(totals.few_masks.load(), " documents have as many holes as the tokenizer has masks (",
            setup.tokens.masks.size(), "): their spans may be longer than --span-len says"));
}

}  // namespace

void run_infill(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  InfillSetup setup = read_setup(tool);
  io::check_apart(setup.paths);
  text::InfillFormat format = text::infill_format(options.text("format"));
  tool.input();
  const std::unique_ptr<text::Tokenizer> tokenizer = open_tokenizer(tool);
  setup.format = name_format(tool);
  setup.tokenizer = tokenizer.get();
  if (tokenizer)
    setup.tokens = text::infill_tokens(format, *tokenizer);
  else
    setup.as_text.emplace(std::move(format));
  if (options.on("inverse")) {
    tool.records().map(setup.paths, [&] { return make_infill_restorer(setup); });
    return;
  }
  InfillTotals totals;
  tool.records().map(setup.paths, [&] { return make_infiller(setup, totals); });
  report(tool, setup, totals);
}

}  // namespace lm::transform_tool
