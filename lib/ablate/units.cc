#include "ablate/units.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"

namespace lm::ablate {

namespace {

namespace fs = std::filesystem;
using io::Json;
using io::JsonNode;

constexpr i64 kMaxJsonBytes = i64{256} << 20;
constexpr i64 kMost = i64{1} << 60;

std::string below(const std::string& folder, const std::string& file) {
  return (fs::path(folder) / file).string();
}

std::string file_below(const std::string& folder, const JsonNode& node, const char* key) {
  const std::string file = node.text(key);
  const fs::path path(file);
  if (path.is_absolute() || file.empty() ||
      std::find(path.begin(), path.end(), fs::path("..")) != path.end())
    node.fail(key, "a path below its folder");
  return below(folder, file);
}

}  // namespace

std::string file_name_of(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || (c == '.' && !out.empty());
    if (stays || (!out.empty() && out.back() != '-')) out.push_back(stays ? c : '-');
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.'))
    out.pop_back();
  constexpr std::size_t kLongest = 100;
  if (out.size() > kLongest) out.resize(kLongest);
  return out.empty() ? "unit" : out;
}

std::string units_json(const UnitList& list, const std::string& more) {
  Json json = Json::parse(cat("{\"tokenizer\":", Json(list.tokenizer).dump(), more, "}"));
  json["units"] = Json::array();
  for (const Unit& unit : list.units) {
    json["units"].push_back({{"name", unit.name},
                             {"key", unit.key},
                             {"records", unit.records},
                             {"tokens", unit.tokens},
                             {"bytes", unit.bytes},
                             {"digest", unit.digest},
                             {"token_shards", unit.shards},
                             {"records_file", unit.records_file}});
  }
  json["held_out"] = Json::array();
  for (const HeldOutFile& one : list.held_out) {
    json["held_out"].push_back({{"part", one.part},
                                {"key", one.key},
                                {"records", one.records},
                                {"tokens", one.tokens},
                                {"file", one.file}});
  }
  return json.dump(1) + "\n";
}

UnitList read_units(const std::string& folder) {
  const std::string path = below(folder, kUnitsFile);
  if (!io::path_exists(path)) {
    throw Error(ErrorKind::kNoInput, cat(folder, ": has no ", kUnitsFile),
                "lm-merge ablate init ... -o UNITS makes such a folder");
  }
  const Json json = io::parse_object(io::read_file(path, kMaxJsonBytes), path);
  const JsonNode root(json, path);
  UnitList list;
  list.tokenizer = root.text("tokenizer");
  root.array("units").each_item([&](const JsonNode& node) {
    Unit unit;
    unit.name = node.text("name");
    if (!io::is_plain_file_name(unit.name)) node.fail("name", "a plain file name");
    unit.key = node.text("key");
    unit.records = node.integer("records", 0, kMost);
    unit.tokens = node.integer("tokens", 0, kMost);
    unit.bytes = node.integer("bytes", 0, kMost);
    unit.digest = node.text("digest");
    unit.shards = file_below(folder, node, "token_shards");
    unit.records_file = file_below(folder, node, "records_file");
    list.units.push_back(std::move(unit));
  });
  root.array("held_out").each_item([&](const JsonNode& node) {
    list.held_out.push_back({node.text("part"), node.text("key"), node.integer("records", 0, kMost),
                             node.integer("tokens", 0, kMost), file_below(folder, node, "file")});
  });
  return list;
}

std::string model_json(const PoolModel& model) {
  return Json({{"units", model.units},
               {"key", model.group},
               {"unit_tokens", model.unit_tokens},
               {"trained_tokens", model.trained_tokens},
               {"made_with", model.made_with}})
             .dump(1) +
         "\n";
}

std::vector<PoolModel> read_pool(const std::string& folder) {
  std::vector<PoolModel> out;
  std::error_code code;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    const std::string path = below(at->path().string(), kModelFile);
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || !io::path_exists(path)) continue;
    const Json json = io::parse_object(io::read_file(path, kMaxJsonBytes), path);
    const JsonNode root(json, path);
    PoolModel model;
    model.name = name;
    model.folder = at->path().string();
    root.array("units").each_item(
        [&](const JsonNode& unit) { model.units.emplace_back(unit.str()); });
    std::sort(model.units.begin(), model.units.end());
    model.group = root.text("key");
    model.unit_tokens = root.integer("unit_tokens", 0, kMost);
    model.trained_tokens = root.integer("trained_tokens", 0, kMost);
    model.made_with = root.text("made_with");
    if (model.units.empty()) root.fail("units", "names of units");
    out.push_back(std::move(model));
  }
  std::sort(out.begin(), out.end(),
            [](const PoolModel& a, const PoolModel& b) { return a.name < b.name; });
  return out;
}

}  // namespace lm::ablate
