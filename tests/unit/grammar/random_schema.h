#pragma once
// JSON Schemas for tests and measurements, made at random of everything that is honoured.

#include <string>

#include "io/json_node.h"
#include "unit/grammar/slow_grammar.h"

namespace lm::test {

class RandomSchema {
 public:
  explicit RandomSchema(u64 seed) : dice_(seed ^ 0x5c4e3aULL) {}

  /// A whole schema; some are recursive. A few are refused, as having no finite text.
  io::Json make() {
    recursive_ = dice_.one_in(5);
    io::Json out = object(3);
    if (dice_.one_in(6)) out = any(3);
    if (recursive_)
      out["$defs"] = {{"node", record({"label"}, {{"label", any(1)}, {"next", ref()}})}};
    return out;
  }

 private:
  using Json = io::Json;

  static Json ref() { return {{"$ref", "#/$defs/node"}}; }
  static Json record(const Json& required, const Json& fields) {
    return {{"type", "object"},
            {"properties", fields},
            {"required", required},
            {"additionalProperties", false}};
  }
  template <std::size_t N>
  const char* one_of(const char* const (&names)[N]) {
    return names[dice_.below(static_cast<int>(N))];
  }
  std::string name() {
    return one_of({"name", "id", "kind", "a", "b", "first name", "größe", "x_1", "tag\"s", "note"});
  }

  Json text() {
    Json out = {{"type", "string"}};
    switch (dice_.below(6)) {
      case 0:
        out["pattern"] = one_of({"^[A-Z]{2}-[0-9]+$", "^(ab|cd)*$", "^[a-zé]{1,8}$", "[0-9]{3}",
                                 "^\\S+@\\S+$", "^.{2,5}$", "^x", "\\.txt$"});
        break;
      case 1:
        out["format"] = one_of({"date", "time", "date-time", "uuid", "ipv4", "email", "hostname"});
        break;
      case 2:
        out["maxLength"] = dice_.below(40) + 1;
        if (dice_.one_in(2)) out["minLength"] = dice_.below(out["maxLength"].get<int>() + 1);
        break;
      case 3:
        out["minLength"] = dice_.below(20);
        break;
      default:
        break;
    }
    return out;
  }
  Json number() {
    const bool whole = dice_.one_in(2);
    Json out = {{"type", whole ? "integer" : "number"}};
    const int low = dice_.below(2000) - 1000;
    if (dice_.one_in(2)) out[dice_.one_in(2) ? "minimum" : "exclusiveMinimum"] = low;
    if (dice_.one_in(2))
      out[dice_.one_in(2) ? "maximum" : "exclusiveMaximum"] = low + 20 + dice_.below(5000);
    if (whole && dice_.one_in(4)) out["multipleOf"] = dice_.below(7) + 2;
    return out;
  }
  Json constant() {
    switch (dice_.below(5)) {
      case 0:
        return dice_.below(1000) - 500;
      case 1:
        return dice_.one_in(2);
      case 2:
        return nullptr;
      case 3:
        return Json::array({dice_.below(9), "b"});
      default:
        return one_of({"red", "green", "blue", "dark blue", "ä\n", "", "\\", "item-17"});
    }
  }
  Json list(int depth) {
    Json out = {{"type", "array"}};
    const bool tuple = dice_.one_in(4);
    if (tuple) out["prefixItems"] = Json::array({any(depth - 1), any(depth - 1)});
    if (dice_.one_in(5)) {
      out["items"] = false;
      if (!tuple) out["items"] = any(depth - 1);
    } else {
      out["items"] = any(depth - 1);
    }
    if (!tuple && dice_.one_in(2)) out["minItems"] = dice_.below(3);
    if (!tuple && dice_.one_in(2)) out["maxItems"] = dice_.below(5) + 3;
    return out;
  }
  Json object(int depth) {
    Json fields = Json::object();
    Json required = Json::array();
    for (int i = dice_.below(5); i >= 0; --i) {
      const std::string field = name();
      fields[field] = recursive_ && dice_.one_in(4) ? ref() : any(depth - 1);
      if (dice_.one_in(2)) required.push_back(field);
    }
    Json out = {{"type", "object"}, {"properties", fields}};
    std::sort(required.begin(), required.end());
    required.erase(std::unique(required.begin(), required.end()), required.end());
    out["required"] = required;
    switch (dice_.below(5)) {
      case 0:
        out["additionalProperties"] = any(depth - 1);
        break;
      case 1:
        out["patternProperties"] = {{"^p_", any(depth - 1)}};
        out["additionalProperties"] = false;
        break;
      case 2:
        break;
      default:
        out["additionalProperties"] = false;
    }
    return out;
  }
  Json any(int depth) {
    switch (dice_.below(depth > 0 ? 12 : 7)) {
      case 0:
      case 1:
        return text();
      case 2:
      case 3:
        return number();
      case 4:
        return {{"type", dice_.one_in(2) ? Json("boolean") : Json({"null", "integer"})}};
      case 5:
        return {{"const", constant()}};
      case 6: {
        Json values = Json::array();
        for (int i = dice_.below(6); i >= 0; --i)
          values.push_back(constant());
        return {{"enum", values}};
      }
      case 7:
        return {{"anyOf", {any(depth - 1), any(depth - 1)}}};
      case 8:
        return {{"oneOf", {text(), number(), {{"type", "null"}}}}};
      case 9:
        return list(depth);
      case 10:
        return {{"allOf", {text(), {{"maxLength", 30 + dice_.below(9)}}}}};
      default:
        return object(depth);
    }
  }

  Dice dice_;
  bool recursive_ = false;
};

}  // namespace lm::test
