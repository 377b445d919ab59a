#include "tensor/safetensors.h"

#include <algorithm>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/str.h"

namespace lm {

namespace {

using nlohmann::json;

constexpr i64 kMaxHeaderBytes = 100000000;
constexpr int kMaxDepth = 8;  // a header has three levels, an index two

// Names in files, by DType.
constexpr std::array<std::string_view, kDTypeCount> kFileTypes = {
    "F32", "BF16", "F16", "I32", "U8",  "F64",     "I64",     "I16",
    "I8",  "BOOL", "U16", "U32", "U64", "F8_E4M3", "F8_E5M2", "F8_E8M0"};

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kData, cat(path, ": ", what));
}

[[noreturn]] void bad_tensor(const std::string& path, std::string_view name,
                             const std::string& what) {
  bad(path, cat("tensor ", quote(name), ": ", what));
}

// Parses one JSON object and refuses repeated keys of its outermost level, which the parser would
// otherwise drop silently.
json parse_object(const std::string& path, std::string_view text, std::string_view what) {
  std::set<std::string> seen;
  std::string repeated;
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth) bad(path, cat(what, " is nested more than ", kMaxDepth, " levels deep"));
    if (event == json::parse_event_t::key && depth == 1) {
      const std::string& key = value.get_ref<const std::string&>();
      if (!seen.insert(key).second && repeated.empty()) repeated = key;
    }
    return true;
  };
  json out;
  try {
    out = json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception& e) {
    bad(path, cat(what, " is not JSON (byte ", text.size(), " limit): ", quote(e.what(), 120)));
  }
  if (!repeated.empty()) bad(path, cat("duplicate name ", quote(repeated), " in the ", what));
  if (!out.is_object()) bad(path, cat(what, " is not a JSON object"));
  return out;
}

std::optional<i64> whole_number(const json& value) {
  if (!value.is_number_unsigned() || value.get<u64>() > u64{1} << 62) return std::nullopt;
  return static_cast<i64>(value.get<u64>());
}

DType parse_dtype(const std::string& path, std::string_view name, const json& item) {
  const auto found = item.find("dtype");
  if (found == item.end() || !found->is_string()) bad_tensor(path, name, "no dtype");
  const std::string& text = found->get_ref<const std::string&>();
  const auto at = std::find(kFileTypes.begin(), kFileTypes.end(), text);
  if (at != kFileTypes.end()) return static_cast<DType>(at - kFileTypes.begin());
  bad_tensor(path, name, cat("unknown dtype ", quote(text)));
}

Shape parse_shape(const std::string& path, std::string_view name, const json& item) {
  const auto found = item.find("shape");
  if (found == item.end() || !found->is_array()) bad_tensor(path, name, "no shape");
  if (found->size() > kMaxRank) {
    bad_tensor(path, name, cat(found->size(), " dimensions, at most ", kMaxRank));
  }
  Shape shape;
  for (const json& value : *found) {
    const std::optional<i64> d = whole_number(value);
    if (!d) bad_tensor(path, name, "a dimension is not a whole number");
    shape.dim[shape.rank++] = *d;
  }
  return shape;
}

SafeEntry parse_entry(const std::string& path, const std::string& name, const json& item,
                      const u8* data, i64 data_bytes, i64* begin_out) {
  if (!item.is_object()) bad_tensor(path, name, "its header entry is not an object");
  SafeEntry entry;
  entry.name = name;
  entry.dtype = parse_dtype(path, name, item);
  entry.shape = parse_shape(path, name, item);
  const auto offsets = item.find("data_offsets");
  if (offsets == item.end() || !offsets->is_array() || offsets->size() != 2) {
    bad_tensor(path, name, "no data_offsets pair");
  }
  const std::optional<i64> begin = whole_number((*offsets)[0]);
  const std::optional<i64> end = whole_number((*offsets)[1]);
  if (!begin || !end || *begin > *end) bad_tensor(path, name, "data_offsets are not an interval");
  if (*end > data_bytes) {
    bad_tensor(
        path, name,
        cat("data ends at byte ", *end, " but the file holds ", data_bytes, " (truncated file?)"));
  }
  i64 expected = item_bytes(entry.dtype);
  for (int i = 0; i < entry.shape.rank; ++i) {
    if (__builtin_mul_overflow(expected, entry.shape[i], &expected)) {
      bad_tensor(path, name, cat("shape ", to_string(entry.shape), " overflows"));
    }
  }
  if (expected != *end - *begin) {
    bad_tensor(path, name,
               cat("shape ", to_string(entry.shape), " of ", dtype_name(entry.dtype), " needs ",
                   expected, " bytes, data_offsets give ", *end - *begin));
  }
  entry.data = data + *begin;
  entry.bytes = expected;
  *begin_out = *begin;
  return entry;
}

// Data must be the tensors and nothing else: sorted by offset they follow one another.
void check_layout(const std::string& path, std::vector<std::pair<i64, const SafeEntry*>> order,
                  i64 data_bytes) {
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->bytes < b.second->bytes;
  });
  i64 at = 0;
  for (const auto& [begin, entry] : order) {
    if (begin < at)
      bad_tensor(path, entry->name, cat("data overlaps another tensor at byte ", begin));
    if (begin > at) {
      bad_tensor(path, entry->name, cat("gap of ", begin - at, " bytes before its data"));
    }
    at = begin + entry->bytes;
  }
  if (at != data_bytes) bad(path, cat(data_bytes - at, " bytes after the last tensor"));
}

u64 read_le64(const u8* p) {
  u64 value = 0;
  for (int i = 7; i >= 0; --i)
    value = value << 8 | p[i];
  return value;
}

}  // namespace

std::string_view safetensors_type(DType dtype) {
  return kFileTypes[static_cast<std::size_t>(dtype)];
}

SafeFile::SafeFile(const std::string& path) : path_(path), map_(path) {
  if (map_.size() < 8) bad(path, cat("file of ", map_.size(), " bytes has no safetensors header"));
  const u64 length = read_le64(map_.data());
  if (length > static_cast<u64>(kMaxHeaderBytes)) {
    bad(path, cat("header of ", length, " bytes, at most ", kMaxHeaderBytes,
                  " (is it a safetensors file?)"));
  }
  const i64 header_bytes = static_cast<i64>(length);
  if (header_bytes > map_.size() - 8) {
    bad(path, cat("header of ", header_bytes, " bytes in a file of ", map_.size(),
                  " bytes (truncated file?)"));
  }
  const json header = parse_object(path, map_.bytes().substr(8, length), "header");
  const u8* data = map_.data() + 8 + header_bytes;
  const i64 data_bytes = map_.size() - 8 - header_bytes;
  std::vector<i64> begins;
  entries_.reserve(header.size());
  for (const auto& [name, item] : header.items()) {  // sorted by name
    if (name == "__metadata__") {
      if (!item.is_object()) bad(path, "__metadata__ is not an object");
      for (const auto& [key, value] : item.items()) {
        if (!value.is_string()) bad(path, "a __metadata__ value is not a string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    i64 begin = 0;
    entries_.push_back(parse_entry(path, name, item, data, data_bytes, &begin));
    begins.push_back(begin);
  }
  std::vector<std::pair<i64, const SafeEntry*>> order;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    order.emplace_back(begins[i], &entries_[i]);
  check_layout(path, std::move(order), data_bytes);
}

const SafeEntry* SafeFile::find(std::string_view name) const {
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const SafeEntry& entry, std::string_view key) { return entry.name < key; });
  return at != entries_.end() && at->name == name ? &*at : nullptr;
}

Tensor entry_tensor(const SafeEntry& entry) {
  if (reinterpret_cast<std::uintptr_t>(entry.data) % usize(item_bytes(entry.dtype)) != 0) {
    throw Error(ErrorKind::kData, cat("tensor ", quote(entry.name), ": data is not aligned for ",
                                      dtype_name(entry.dtype)));
  }
  // The mapping is read-only; Tensor has no const form because kernels bind inputs and outputs
  // alike.
  return make_tensor(const_cast<u8*>(entry.data), entry.shape, entry.dtype);
}

void load_entry(const SafeEntry& entry, const Tensor& to) {
  if (!(entry.shape == to.shape)) {
    throw ShapeError(cat("tensor ", quote(entry.name), ": file has ", to_string(entry.shape),
                         ", the model needs ", to_string(to.shape)));
  }
  const Tensor from = make_tensor(const_cast<u8*>(entry.data), entry.shape, entry.dtype);
  try {
    copy_convert(from, to);  // reads through memcpy: alignment does not matter
  } catch (const Error& e) {
    throw e.with_prefix(cat("tensor ", quote(entry.name)));
  }
}

namespace {

// The folder part of path with its slash, or "".
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// weight_map of an index: tensor name to shard file name.
std::map<std::string, std::string> read_index(const std::string& path) {
  const std::string text = io::read_file(path, kMaxHeaderBytes);
  const json index = parse_object(path, text, "index");
  const auto found = index.find("weight_map");
  if (found == index.end() || !found->is_object()) bad(path, "no weight_map object");
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) bad_tensor(path, name, "its shard is not a string");
    const std::string shard = value.get<std::string>();
    if (shard.empty() || shard.find('/') != std::string::npos) {
      bad_tensor(path, name, cat("shard ", quote(shard), " is not a file of the folder"));
    }
    out[name] = shard;
  }
  return out;
}

}  // namespace

SafeModel SafeModel::open(const std::string& path) {
  SafeModel model;
  model.path_ = path;
  std::string index_path;
  if (ends_with(path, ".index.json")) {
    index_path = path;
  } else if (io::path_exists(path + "/model.safetensors.index.json")) {
    index_path = path + "/model.safetensors.index.json";
  }
  if (index_path.empty()) {
    const bool is_file = ends_with(path, ".safetensors");
    model.files_.emplace_back(is_file ? path : path + "/model.safetensors");
  } else {
    const std::map<std::string, std::string> index = read_index(index_path);
    std::map<std::string, i64> shards;  // file name -> tensors the index gives it
    for (const auto& [name, shard] : index)
      ++shards[shard];
    model.files_.reserve(shards.size());
    for (const auto& [shard, expected] : shards) {
      model.files_.emplace_back(folder_of(index_path) + shard);
      const SafeFile& file = model.files_.back();
      for (const SafeEntry& entry : file.entries()) {
        const auto at = index.find(entry.name);
        if (at == index.end() || at->second != shard) {
          bad_tensor(file.path(), entry.name, cat("not listed there by ", index_path));
        }
      }
      if (ssize(file.entries()) != expected) {
        for (const auto& [name, where] : index) {
          if (where == shard && file.find(name) == nullptr) {
            bad_tensor(file.path(), name, cat("missing, but listed by ", index_path));
          }
        }
      }
    }
  }
  for (const SafeFile& file : model.files_) {
    for (const SafeEntry& entry : file.entries())
      model.entries_.push_back(&entry);
  }
  std::sort(model.entries_.begin(), model.entries_.end(),
            [](const SafeEntry* a, const SafeEntry* b) { return a->name < b->name; });
  return model;
}

const SafeEntry* SafeModel::find(std::string_view name) const {
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const SafeEntry* entry, std::string_view key) { return entry->name < key; });
  return at != entries_.end() && (*at)->name == name ? *at : nullptr;
}

const SafeEntry& SafeModel::require(std::string_view name) const {
  const SafeEntry* entry = find(name);
  if (entry == nullptr) bad_tensor(path_, name, "missing");
  return *entry;
}

}  // namespace lm
