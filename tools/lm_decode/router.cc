#include "router.h"

#include <algorithm>

#include "common/model_options.h"
#include "core/str.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

/// How many adapters are mixed.
i64 best_of(const std::string& route) {
  if (route == "hard") return 1;
  if (route.starts_with("soft:"))
    if (const std::optional<i64> k = parse_int(route.substr(5)); k && *k >= 1) return *k;
  throw Error(ErrorKind::kUsage, cat("--route ", quote(route), ", expected hard or soft:K"));
}

}  // namespace

std::vector<Flag> router_flags() {
  return {{.name = "adapter-router",
           .kind = FlagKind::kPath,
           .value_name = "FOLDER",
           .group = "Model",
           .help = "a classifier that chooses the adapter of each record which chooses none",
           .details = "From lm-train --objective classify; its labels are names of --adapter. It "
                      "reads the prompt, and --adapter-field says what it chose.",
           .needs = {"adapter"}},
          {.name = "route",
           .kind = FlagKind::kString,
           .value_name = "hard|soft:K",
           .group = "Model",
           .def = "hard",
           .help = "the likeliest adapter, or the K likeliest weighed by the classifier",
           .needs = {"adapter-router"}}};
}

Router::Router(cli::Tool& tool, const Adapters& adapters) : adapters_(adapters) {
  const cli::Options& options = tool.options();
  if (!options.given("adapter-router")) return;
  best_ = best_of(options.text("route"));
  const std::string& folder = options.text("adapter-router");
  tool.add_input_folder(folder);
  decode::SessionOptions session = tool_options::session_options(tool, folder);
  session.tokenizer.clear();
  session.later = 1;
  classifier_ = std::make_unique<decode::TextClassifier>(std::move(session));
  for (const std::string& label : classifier_->labels())
    if (!adapters.has(label))
      throw Error(ErrorKind::kUsage, cat("--adapter-router ", folder, " chooses ", quote(label),
                                         ", which no --adapter is named"));
}

std::optional<Fault> Router::choose(io::JsonReader& json, i64 prompt, i64 adapter,
                                    const decode::Session& session, GenerateWork& work) const {
  if (!on() || json.has(adapter))
    return adapters_.choose(json, adapter, session, work.request.adapters);
  const Result<std::string_view> text = json.string(prompt);
  if (!text) return text.fault();
  Result<std::string> chosen = routed(*text);
  if (!chosen) return chosen.fault();
  work.routed = std::move(*chosen);
  return adapters_.weigh(work.routed, session, work.request.adapters);
}

/// Adapters by name as JSON: a name, or an object of names and weights.
Result<std::string> Router::routed(std::string_view prompt) const {
  const Result<std::vector<f64>> probabilities = classifier_->classify(prompt);
  if (!probabilities) return probabilities.fault();
  const std::vector<f32> shares = decode::likeliest_shares(*probabilities, best_);
  const std::vector<std::string>& labels = classifier_->labels();
  if (best_ == 1)
    return io::json_string(
        labels[usize(std::max_element(shares.begin(), shares.end()) - shares.begin())]);
  std::string out;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == 0) continue;
    append(out, out.empty() ? "{" : ",", io::json_string(labels[i]), ":");
    io::append_json_number(out, shares[i]);
  }
  return out + "}";
}

}  // namespace lm::decode_tool
