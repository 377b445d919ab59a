#include "adapters.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "io/json_node.h"

namespace lm::decode_tool {

Adapters::Adapters(cli::Tool& tool) : field_(tool.options().text("adapter-field")) {
  for (const std::string& word : tool.options().list("adapter")) {
    const std::size_t equal = word.find('=');
    if (equal == 0 || equal == std::string::npos || equal + 1 == word.size())
      throw Error(ErrorKind::kUsage, cat("--adapter ", quote(word), ", expected NAME=FOLDER"));
    const std::string name = word.substr(0, equal);
    if (find(name))
      throw Error(ErrorKind::kUsage, cat("--adapter ", quote(name), " stands there twice"));
    names_.push_back(name);
    folders_.push_back(word.substr(equal + 1));
    tool.add_input_folder(folders_.back());
  }
}

std::optional<i64> Adapters::find(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) return std::nullopt;
  return at - names_.begin();
}

Fault Adapters::unknown(std::string_view name) const {
  return {"adapter",
          cat("field ", quote(field_), " names ", quote(name, 100), ", expected one of ",
              join(names_, ", ")),
          -1};
}

std::optional<Fault> Adapters::choose(const io::JsonReader& json, i64 field,
                                      const decode::Session& session, std::vector<f32>& out) const {
  if (!any() || !json.has(field)) return std::nullopt;
  return weigh(json.raw(field), session, out);
}

std::optional<Fault> Adapters::weigh(std::string_view choice, const decode::Session& session,
                                     std::vector<f32>& out) const {
  const io::Json value = io::Json::parse(choice, nullptr, false);
  if (value.is_null()) return std::nullopt;
  io::Json shares = value;
  if (value.is_string()) shares = {{value.get<std::string>(), 1}};
  if (!shares.is_object())
    return Fault{"adapter",
                 cat("field ", quote(field_),
                     " chooses an adapter, expected a name or an object of names and weights"),
                 -1};
  std::vector<f32> weights(names_.size(), 0);
  for (const auto& [name, weight] : shares.items()) {
    const std::optional<i64> number = find(name);
    if (!number) return unknown(name);
    const f32 share = weight.is_number() ? weight.get<f32>() : NAN;
    if (!std::isfinite(share))
      return Fault{
          "adapter",
          cat("field ", quote(field_), ": the weight of ", quote(name, 100), " is not a number"),
          -1};
    weights[usize(*number)] = share;
  }
  out = session.adapter_weights(weights);
  return std::nullopt;
}

}  // namespace lm::decode_tool
