#include "tensor/safetensors.h"

#include <algorithm>
#include <optional>

#include "core/str.h"
#include "io/json_node.h"

namespace lm {

namespace {

using io::JsonNode;

constexpr i64 kMaxHeaderBytes = 100000000;

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

// The object of a header or an index.
JsonNode object_of(const io::JsonDocument& document, const std::string& path,
                   std::string_view what) {
  if (!document.error().empty()) bad(path, cat(what, " is not JSON: ", document.error()));
  const JsonNode root = document.root(path);
  if (!root.is_object()) bad(path, cat(what, " is not a JSON object"));
  return root;
}

// An element of a shape or of offsets.
std::optional<i64> whole_number(const JsonNode& value) {
  const std::optional<i64> number = value.as_integer();
  return number && *number >= 0 && *number <= i64{1} << 62 ? number : std::nullopt;
}

DType parse_dtype(const std::string& path, std::string_view name, const JsonNode& item) {
  const std::optional<JsonNode> field = item.maybe("dtype");
  const std::optional<std::string_view> text = field ? field->as_string() : std::nullopt;
  if (!text) bad_tensor(path, name, "no dtype");
  const auto at = std::find(kFileTypes.begin(), kFileTypes.end(), *text);
  if (at == kFileTypes.end()) bad_tensor(path, name, cat("unknown dtype ", quote(*text)));
  return static_cast<DType>(at - kFileTypes.begin());
}

Shape parse_shape(const std::string& path, std::string_view name, const JsonNode& item) {
  const std::optional<JsonNode> field = item.maybe("shape");
  if (!field || !field->is_array()) bad_tensor(path, name, "no shape");
  if (field->size() > kMaxRank) {
    bad_tensor(path, name, cat(field->size(), " dimensions, at most ", kMaxRank));
  }
  Shape shape;
  field->each_item([&](const JsonNode& value) {
    const std::optional<i64> d = whole_number(value);
    if (!d) bad_tensor(path, name, "a dimension is not a whole number");
    shape.dim[shape.rank++] = *d;
  });
  return shape;
}

// Where the data lies: [begin, end).
std::pair<i64, i64> parse_offsets(const std::string& path, std::string_view name,
                                  const JsonNode& item, i64 data_bytes) {
  const std::optional<JsonNode> field = item.maybe("data_offsets");
  if (!field || !field->is_array() || field->size() != 2) {
    bad_tensor(path, name, "no data_offsets pair");
  }
  const std::optional<i64> begin = whole_number(field->item(0));
  const std::optional<i64> end = whole_number(field->item(1));
  if (!begin || !end || *begin > *end) bad_tensor(path, name, "data_offsets are not an interval");
  if (*end > data_bytes) {
    bad_tensor(
        path, name,
        cat("data ends at byte ", *end, " but the file holds ", data_bytes, " (truncated file?)"));
  }
  return {*begin, *end};
}

SafeEntry parse_entry(const std::string& path, std::string_view name, const JsonNode& item,
                      const u8* data, i64 data_bytes) {
  if (!item.is_object()) bad_tensor(path, name, "its header entry is not an object");
  SafeEntry entry;
  entry.name = name;
  entry.dtype = parse_dtype(path, name, item);
  entry.shape = parse_shape(path, name, item);
  const auto [begin, end] = parse_offsets(path, name, item, data_bytes);
  entry.bytes = item_bytes(entry.dtype);
  for (int i = 0; i < entry.shape.rank; ++i) {
    if (__builtin_mul_overflow(entry.bytes, entry.shape[i], &entry.bytes)) {
      bad_tensor(path, name, cat("shape ", to_string(entry.shape), " overflows"));
    }
  }
  if (entry.bytes != end - begin) {
    bad_tensor(path, name,
               cat("shape ", to_string(entry.shape), " of ", dtype_name(entry.dtype), " needs ",
                   entry.bytes, " bytes, data_offsets give ", end - begin));
  }
  entry.data = data + begin;
  return entry;
}

// Data must be the tensors and nothing else: sorted by place they follow one another.
void check_layout(const std::string& path, std::span<const SafeEntry> entries, const u8* data,
                  i64 data_bytes) {
  std::vector<const SafeEntry*> order;
  for (const SafeEntry& entry : entries)
    order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const SafeEntry* a, const SafeEntry* b) {
    return a->data != b->data ? a->data < b->data : a->bytes < b->bytes;
  });
  i64 at = 0;
  for (const SafeEntry* entry : order) {
    const i64 begin = entry->data - data;
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
  const io::JsonDocument document(map_.bytes().substr(8, length));
  const u8* data = map_.data() + 8 + header_bytes;
  const i64 data_bytes = map_.size() - 8 - header_bytes;
  bool described = false;
  object_of(document, path, "header").each_field([&](std::string_view name, const JsonNode& item) {
    if (name != "__metadata__") {
      entries_.push_back(parse_entry(path, name, item, data, data_bytes));
      return;
    }
    if (described) bad(path, cat("duplicate name ", quote(name), " in the header"));
    described = true;
    if (!item.is_object()) bad(path, "__metadata__ is not an object");
    item.each_field([&](std::string_view key, const JsonNode& value) {
      const std::optional<std::string_view> text = value.as_string();
      if (!text) bad(path, "a __metadata__ value is not a string");
      metadata_[std::string(key)] = *text;
    });
  });
  std::sort(entries_.begin(), entries_.end(),
            [](const SafeEntry& a, const SafeEntry& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i - 1].name == entries_[i].name)
      bad(path, cat("duplicate name ", quote(entries_[i].name), " in the header"));
  }
  check_layout(path, entries_, data, data_bytes);
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
std::map<std::string, std::string, std::less<>> read_index(const std::string& path) {
  const io::JsonDocument document(io::read_file(path, kMaxHeaderBytes));
  const std::optional<JsonNode> map = object_of(document, path, "index").maybe("weight_map");
  if (!map || !map->is_object()) bad(path, "no weight_map object");
  std::map<std::string, std::string, std::less<>> out;
  map->each_field([&](std::string_view name, const JsonNode& value) {
    const std::optional<std::string_view> shard = value.as_string();
    if (!shard) bad_tensor(path, name, "its shard is not a string");
    if (!io::is_plain_file_name(*shard)) {
      bad_tensor(path, name, cat("shard ", quote(*shard), " is not a file of the folder"));
    }
    if (!out.emplace(name, *shard).second) bad_tensor(path, name, "stands in the index twice");
  });
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
    const std::map<std::string, std::string, std::less<>> index = read_index(index_path);
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
