#include <algorithm>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/str.h"
#include "io/atomic_file.h"
#include "tensor/safetensors.h"

namespace lm {

namespace {

using nlohmann::json;

constexpr i64 kWriteBufferBytes = i64{1} << 20;

std::string_view file_dtype(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kBf16:
      return "BF16";
    case DType::kF16:
      return "F16";
    case DType::kI32:
      return "I32";
    case DType::kU8:
      return "U8";
    case DType::kF64:
      return "F64";
    case DType::kI64:
      return "I64";
    case DType::kI16:
      return "I16";
    case DType::kI8:
      return "I8";
    case DType::kBool:
      return "BOOL";
  }
  return "F32";
}

i64 data_bytes(const SafeWrite& one) {
  return one.tensor.count() * item_bytes(one.tensor.dtype);
}

std::vector<const SafeWrite*> sorted(std::span<const SafeWrite> tensors) {
  std::vector<const SafeWrite*> order;
  for (const SafeWrite& one : tensors)
    order.push_back(&one);
  std::sort(order.begin(), order.end(),
            [](const SafeWrite* a, const SafeWrite* b) { return a->name < b->name; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    LM_CHECK(order[i - 1]->name != order[i]->name, "tensor names written to one file are unique");
  }
  return order;
}

// Length prefix and JSON, padded so that the data starts at a multiple of 8.
std::string make_header(std::span<const SafeWrite* const> order,
                        const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  json meta = json::object();
  meta["format"] = "pt";
  for (const auto& [key, value] : metadata)
    meta[key] = value;
  header["__metadata__"] = std::move(meta);
  i64 at = 0;
  for (const SafeWrite* one : order) {
    json shape = json::array();
    for (int i = 0; i < one->tensor.shape.rank; ++i)
      shape.push_back(one->tensor.shape[i]);
    const i64 end = at + data_bytes(*one);
    header[one->name] = {{"dtype", file_dtype(one->tensor.dtype)},
                         {"shape", std::move(shape)},
                         {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append(usize((8 - ssize(text) % 8) % 8), ' ');
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    out[i] = static_cast<char>(u64{text.size()} >> (8 * i) & 0xff);
  return out + text;
}

void write_tensor(io::AtomicFile& file, const Tensor& t) {
  const i64 row_bytes = t.cols() * item_bytes(t.dtype);
  const char* base = reinterpret_cast<const char*>(t.bytes());
  if (t.contiguous()) {
    file.write({base, usize(t.rows() * row_bytes)});
    return;
  }
  std::string buf;
  for (i64 r = 0; r < t.rows(); ++r) {
    buf.append(base + r * t.ld * item_bytes(t.dtype), usize(row_bytes));
    if (ssize(buf) >= kWriteBufferBytes) {
      file.write(buf);
      buf.clear();
    }
  }
  file.write(buf);
}

void write_into(io::AtomicFile& file, std::span<const SafeWrite* const> order,
                const std::map<std::string, std::string>& metadata) {
  file.write(make_header(order, metadata));
  for (const SafeWrite* one : order)
    write_tensor(file, one->tensor);
}

// Consecutive names fill shards up to the limit: deterministic, and a layer's tensors stay
// together.
std::vector<std::vector<const SafeWrite*>> cut_shards(const std::vector<const SafeWrite*>& order,
                                                      i64 max_bytes) {
  std::vector<std::vector<const SafeWrite*>> shards(1);
  i64 used = 0;
  for (const SafeWrite* one : order) {
    const i64 bytes = data_bytes(*one);
    if (!shards.back().empty() && used + bytes > max_bytes) {
      shards.emplace_back();
      used = 0;
    }
    shards.back().push_back(one);
    used += bytes;
  }
  return shards;
}

std::string five_digits(std::size_t value) {
  std::string out = std::to_string(value);
  return std::string(out.size() < 5 ? 5 - out.size() : 0, '0') + out;
}

std::string shard_name(std::size_t index, std::size_t count) {
  return cat("model-", five_digits(index + 1), "-of-", five_digits(count), ".safetensors");
}

// Removes a file of the layout that was replaced; absence is fine.
void remove_if_there(const std::string& path) {
  if (io::path_exists(path)) ::unlink(path.c_str());
}

// Shards an older index names, before it is replaced; empty without a readable one.
std::vector<std::string> shards_of_old_index(const std::string& path) {
  std::vector<std::string> names;
  if (!io::path_exists(path)) return names;
  const json index = json::parse(io::read_file(path), nullptr, false);
  if (!index.is_object() || !index.contains("weight_map")) return names;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    if (shard.is_string() && shard.get<std::string>().find('/') == std::string::npos) {
      names.push_back(shard.get<std::string>());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  io::AtomicFile file(path);
  write_safetensors(file, tensors, metadata);
  file.commit();
}

void write_safetensors(io::AtomicFile& file, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_into(file, sorted(tensors), metadata);
}

std::string safetensors_header(std::span<const SafeWrite> tensors,
                               const std::map<std::string, std::string>& metadata) {
  return make_header(sorted(tensors), metadata);
}

void write_safetensors_folder(const std::string& folder, std::span<const SafeWrite> tensors,
                              i64 max_shard_bytes) {
  const std::vector<const SafeWrite*> order = sorted(tensors);
  const std::vector<std::vector<const SafeWrite*>> shards = cut_shards(order, max_shard_bytes);
  const std::string index_path = folder + "/model.safetensors.index.json";
  std::vector<std::string> stale = shards_of_old_index(index_path);
  if (shards.size() == 1) {
    io::AtomicFile file(folder + "/model.safetensors");
    write_into(file, order, {});
    file.commit();
    remove_if_there(index_path);
  } else {
    json weight_map = json::object();
    i64 total = 0;
    std::vector<std::unique_ptr<io::AtomicFile>> files;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const std::string name = shard_name(i, shards.size());
      files.push_back(std::make_unique<io::AtomicFile>(folder + "/" + name));
      write_into(*files.back(), shards[i], {});
      files.back()->finish();
      for (const SafeWrite* one : shards[i]) {
        weight_map[one->name] = name;
        total += data_bytes(*one);
      }
      std::erase(stale, name);
    }
    for (const std::unique_ptr<io::AtomicFile>& file : files)
      file->commit();
    const json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
    io::write_file(index_path, index.dump(2) + "\n");
    remove_if_there(folder + "/model.safetensors");
  }
  for (const std::string& name : stale)
    remove_if_there(folder + "/" + name);
}

}  // namespace lm
