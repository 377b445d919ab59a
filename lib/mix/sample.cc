#include "mix/sample.h"

#include <cmath>

#include "core/hash.h"
#include "core/str.h"

namespace lm::mix {

u64 keyed_bits(u64 seed, std::string_view salt, std::string_view source, std::string_view id,
               std::string& key) {
  key.assign(salt);
  key.push_back('\0');
  key.append(source);
  key.push_back('\0');
  key.append(id);
  return xxh3_64(key, seed);
}

f64 keyed_uniform(u64 seed, std::string_view salt, std::string_view source, std::string_view id,
                  std::string& key) {
  return static_cast<f64>(keyed_bits(seed, salt, source, id, key) >> 11) *
         (1.0 / 9007199254740992.0);
}

i64 copies_of(f64 p, f64 u) {
  const f64 whole = std::floor(p);
  return static_cast<i64>(whole) + (u < p - whole ? 1 : 0);
}

Result<std::string_view> id_text(io::JsonReader& json, i64 field) {
  const io::JsonType type = json.field(field).type;
  if (type == io::JsonType::kNumber) return json.raw(field);
  if (type == io::JsonType::kString || type == io::JsonType::kMissing) return json.string(field);
  return Fault{"type",
               cat("field ", quote(json.path(field)), " is ", io::json_type_name(type),
                   ", expected a string or a number"),
               json.field(field).begin};
}

Result<std::string_view> source_text(io::JsonReader& json, i64 field) {
  if (!json.has(field)) return std::string_view();
  return id_text(json, field);
}

}  // namespace lm::mix
