// What the verbs share.

#include "core/str.h"
#include "io/json.h"
#include "transform.h"

namespace lm::transform_tool {

std::unique_ptr<text::Tokenizer> open_tokenizer(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (!options.given("tokenizer")) return nullptr;
  text::LoadOptions load;
  load.special = text::SpecialPolicy::kText;
  load.add_specials = false;
  if (options.find("eos-token") != nullptr) load.eos_token = options.text("eos-token");
  std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(options.text("tokenizer"), load);
  tool.set_param("tokenizer", io::json_string(cat("sha256:", tokenizer->digest())));
  return tokenizer;
}

std::string meta_field(const cli::Options& options) {
  const std::string& name = options.text("meta-field");
  if (name.empty() || name.find('.') != std::string::npos)
    throw Error(ErrorKind::kUsage,
                cat("--meta-field ", quote(name), ": expected a name without dots"),
                "the field stands in the record itself, from where --inverse removes it");
  return name;
}

void append_list(std::string& out, std::span<const i32> values) {
  out.push_back('[');
  for (std::size_t i = 0; i < values.size(); ++i)
    append(out, i > 0 ? "," : "", values[i]);
  out.push_back(']');
}

}  // namespace lm::transform_tool
