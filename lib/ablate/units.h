#pragma once
// What lies in the folders of an ablation. UNITS/units.json lists units and held-out sets, each
// with its files; POOL/NAME is a model folder whose ablate.json says on which units it was trained.

#include <string>
#include <vector>

#include "core/types.h"

namespace lm::ablate {

inline constexpr const char* kUnitsFile = "units.json";
inline constexpr const char* kModelFile = "ablate.json";

struct Unit {
  std::string name;  // "web" or "web.0": a file name
  std::string key;   // what its records have in common: "web"
  i64 records = 0;
  i64 tokens = 0;
  i64 bytes = 0;       // of its records
  std::string digest;  // of lines and tokens, in order
  std::string shards;  // path of the token shards' manifest
  std::string records_file;
};

/// Records that no unit has.
struct HeldOutFile {
  std::string part;  // "valid" or "test"
  std::string key;
  i64 records = 0;
  i64 tokens = 0;
  std::string file;
};

struct UnitList {
  std::string tokenizer;  // digest
  std::vector<Unit> units;
  std::vector<HeldOutFile> held_out;
};

/// A key as part of a file name: letters, digits, '.', '-' and '_' stay, other bytes become '-';
/// "unit" where nothing else is left.
std::string file_name_of(std::string_view key);

/// units.json, of paths below its folder. more: further fields as JSON, each with a comma before.
std::string units_json(const UnitList& list, const std::string& more);
/// Reads a folder's units.json; paths get the folder before them. Throws Error{kNoInput} for a
/// folder without one, Error{kData} for what does not fit.
UnitList read_units(const std::string& folder);

/// A model of a pool.
struct PoolModel {
  std::string name;  // of its folder
  std::string folder;
  std::vector<std::string> units;  // names, ascending
  std::string group;               // the key of its unit, for a model of one
  i64 unit_tokens = 0;             // of the units' data
  i64 trained_tokens = 0;          // that training saw, repeated ones too
  std::string made_with;           // key of data, start and settings
};

std::string model_json(const PoolModel& model);
/// Nothing for a folder without ablate.json; Error{kData} for one that cannot be read.
std::vector<PoolModel> read_pool(const std::string& folder);

}  // namespace lm::ablate
