#pragma once
// --adapter: adapters beside the model, which records choose by name.

#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/session.h"
#include "io/json.h"

namespace lm::decode_tool {

class Adapters {
 public:
  /// Reads --adapter NAME=FOLDER of the options. Throws Error{kUsage} naming a word that is none,
  /// or a name that stands twice.
  explicit Adapters(cli::Tool& tool);

  const std::vector<std::string>& folders() const { return folders_; }
  bool any() const { return !folders_.empty(); }
  /// The field in which records choose.
  const std::string& field() const { return field_; }
  /// What a record chooses: a name, an object of names and weights, or nothing (an empty list: the
  /// model as it is), as Engine::adapt wants it. Nothing without adapters, whatever the field's
  /// number. Fault "adapter".
  std::optional<Fault> choose(const io::JsonReader& json, i64 field, const decode::Session& session,
                              std::vector<f32>& out) const;
  /// The same of a choice as JSON.
  std::optional<Fault> weigh(std::string_view choice, const decode::Session& session,
                             std::vector<f32>& out) const;
  bool has(std::string_view name) const { return find(name).has_value(); }

 private:
  std::optional<i64> find(std::string_view name) const;
  Fault unknown(std::string_view name) const;

  std::vector<std::string> names_;
  std::vector<std::string> folders_;
  std::string field_;
};

}  // namespace lm::decode_tool
