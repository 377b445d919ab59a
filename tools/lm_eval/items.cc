// What the verbs over records by language share.

#include "core/str.h"
#include "eval_tool.h"
#include "io/file.h"
#include "model/device.h"

namespace lm::eval_tool {

void check_device(const cli::Tool& tool) {
  static_cast<void>(
      model::compute_for(tool.options().text("device"), "auto",
                         tool.options().origin("device") == cli::Origin::kEnvironment));
}

Result<LanguageItem> language_item(io::Record& record) {
  io::JsonReader& json = record.json;
  const Result<std::string_view> language = json.string(ItemFields::kLanguage);
  if (!language) return language.fault();
  return LanguageItem{std::string(*language),
                      json.text_of(ItemFields::kId).value_or(cat("#", record.ordinal))};
}

std::optional<Fault> ItemsSeen::add(const LanguageItem& item) {
  std::set<std::string>& ids = languages_[item.language];
  if (!ids.insert(item.id).second)
    return Fault{
        "duplicate",
        cat("language ", quote(item.language), " has two records of item ", quote(item.id)), -1};
  held_.add(128 + isize(item.id));
  return std::nullopt;
}

eval::RatioOptions ratio_options(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  eval::RatioOptions out;
  out.pivot = options.text("pivot");
  out.draws = options.integer("bootstrap");
  out.seed = tool.seed();
  const std::string& path = options.text("weights");
  if (path.empty()) return out;
  const Result<text::Value> weights = text::parse_json_value(io::read_file(path));
  if (!weights) throw Error(ErrorKind::kData, cat(path, ": ", weights.fault().detail));
  if (!weights->is_map()) throw Error(ErrorKind::kData, cat(path, ": is no JSON object"));
  for (const auto& [language, weight] : weights->map()) {
    if (!weight.is_number() || weight.number() < 0)
      throw Error(ErrorKind::kData, cat(path, ": the weight of ", quote(language.to_text()),
                                        " is no number of at least 0"));
    out.weights[language.to_text()] = weight.number();
  }
  return out;
}

}  // namespace lm::eval_tool
