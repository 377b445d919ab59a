#include "tensor/safe_writer.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/str.h"
#include "tensor/safetensors.h"

namespace lm {

namespace {

using nlohmann::json;

constexpr i64 kBufferBytes = i64{1} << 20;
constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

std::string five_digits(i64 value) {
  std::string out = std::to_string(value);
  return std::string(out.size() < 5 ? 5 - out.size() : 0, '0') + out;
}

// Removes a file of the layout that was replaced; absence is fine.
void remove_if_there(const std::string& path) {
  if (io::path_exists(path)) ::unlink(path.c_str());
}

// Files an older index names, before it is replaced; empty without a readable one.
std::vector<std::string> files_of_old_index(const std::string& path) {
  std::vector<std::string> names;
  if (!io::path_exists(path)) return names;
  const json index = json::parse(io::read_file(path), nullptr, false);
  if (!index.is_object() || !index.contains("weight_map")) return names;
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (file.is_string() && file.get<std::string>().find('/') == std::string::npos) {
      names.push_back(file.get<std::string>());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

SafeWriter::SafeWriter(std::string path, bool folder, i64 max_shard_bytes, Metadata metadata,
                       const io::OutputOptions& options)
    : path_(std::move(path)),
      folder_(folder),
      max_shard_bytes_(max_shard_bytes),
      metadata_(std::move(metadata)),
      options_(options) {}

SafeWriter SafeWriter::to_file(const std::string& path, Metadata metadata) {
  return {path, false, std::numeric_limits<i64>::max(), std::move(metadata), {}};
}

SafeWriter SafeWriter::to_folder(const std::string& folder, i64 max_shard_bytes, Metadata metadata,
                                 const io::OutputOptions& options) {
  return {folder, true, max_shard_bytes, std::move(metadata), options};
}

SafeWriter SafeWriter::into(io::AtomicFile& file, Metadata metadata) {
  SafeWriter writer = to_file(file.path(), std::move(metadata));
  writer.callers_ = &file;
  return writer;
}

void SafeWriter::misuse(std::string_view name, std::string_view what) const {
  throw Error(ErrorKind::kInternal, cat(path_, ": tensor ", quote(name, 200), " ", what));
}

void SafeWriter::declare(std::string name, DType dtype, const Shape& shape) {
  if (phase_ != Phase::kDeclaring) misuse(name, "is declared after begin()");
  i64 bytes = 0;
  if (__builtin_mul_overflow(shape.count(), item_bytes(dtype), &bytes))
    misuse(name, cat("of shape ", to_string(shape), " overflows"));
  declared_.push_back({std::move(name), dtype, shape, bytes});
}

// Consecutive names fill files up to the limit: a layer's tensors stay together.
void SafeWriter::cut_files() {
  i64 used = 0;
  i64 begin = 0;
  for (i64 i = 0; i < isize(order_); ++i) {
    const i64 bytes = declared_[usize(order_[usize(i)])].bytes;
    if (i > begin && bytes > max_shard_bytes_ - used) {
      file_ends_.push_back(i);
      begin = i;
      used = 0;
    }
    used += bytes;
  }
  file_ends_.push_back(isize(order_));
  begin = 0;
  for (const i64 end : file_ends_) {
    std::stable_sort(order_.begin() + begin, order_.begin() + end, [&](i64 a, i64 b) {
      return item_bytes(declared_[usize(a)].dtype) > item_bytes(declared_[usize(b)].dtype);
    });
    begin = end;
  }
}

std::string SafeWriter::file_name(i64 file) const {
  const i64 count = isize(file_ends_);
  if (count == 1) return kWhole;
  return cat("model-", five_digits(file + 1), "-of-", five_digits(count), ".safetensors");
}

// Length prefix and JSON, padded so that the data starts at a multiple of 8.
std::string SafeWriter::make_header(i64 file) const {
  json header = json::object();
  json meta = json::object();
  meta["format"] = "pt";
  for (const auto& [key, value] : metadata_)
    meta[key] = value;
  header["__metadata__"] = std::move(meta);
  i64 at = 0;
  for (i64 i = file == 0 ? 0 : file_ends_[usize(file - 1)]; i < file_ends_[usize(file)]; ++i) {
    const Declared& one = declared_[usize(order_[usize(i)])];
    json shape = json::array();
    for (int axis = 0; axis < one.shape.rank; ++axis)
      shape.push_back(one.shape[axis]);
    header[one.name] = {{"dtype", safetensors_type(one.dtype)},
                        {"shape", std::move(shape)},
                        {"data_offsets", {at, at + one.bytes}}};
    at += one.bytes;
  }
  std::string text = header.dump();
  text.append(usize((8 - isize(text) % 8) % 8), ' ');
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    out[i] = static_cast<char>(u64{text.size()} >> (8 * i) & 0xff);
  return out + text;
}

void SafeWriter::open_file() {
  if (callers_ == nullptr) {
    files_.push_back(std::make_unique<io::AtomicFile>(
        folder_ ? cat(path_, "/", file_name(opened_)) : path_, options_));
  }
  file_ = callers_ != nullptr ? callers_ : files_.back().get();
  if (folder_) {
    digest_ = std::make_unique<Xxh3Stream>();
    written_.push_back({file_name(opened_), 0, 0});
  }
  buffer_ = make_header(opened_);
  ++opened_;
}

void SafeWriter::put(std::string_view bytes) {
  file_->write(bytes);
  if (digest_ == nullptr) return;
  digest_->update(bytes);
  written_.back().bytes += isize(bytes);
}

void SafeWriter::end_file() {
  flush();
  if (digest_ != nullptr) written_.back().xxh3 = digest_->digest();
  if (callers_ == nullptr) file_->finish();
}

void SafeWriter::begin() {
  LM_CHECK(phase_ == Phase::kDeclaring, "begin() is called once");
  for (i64 i = 0; i < isize(declared_); ++i)
    order_.push_back(i);
  std::sort(order_.begin(), order_.end(),
            [&](i64 a, i64 b) { return declared_[usize(a)].name < declared_[usize(b)].name; });
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::string& name = declared_[usize(order_[i])].name;
    if (i > 0 && declared_[usize(order_[i - 1])].name == name) misuse(name, "is declared twice");
    if (name == "__metadata__") misuse(name, "has the name of the metadata");
  }
  cut_files();
  phase_ = Phase::kWriting;
  open_file();
  next_tensor();
}

// Moves on to the next tensor that has elements, through the ends of files.
void SafeWriter::next_tensor() {
  for (left_ = 0; left_ == 0;) {
    if (at_ == file_ends_[usize(opened_ - 1)]) {
      end_file();
      if (at_ == isize(order_) && opened_ == isize(file_ends_)) return;
      open_file();
      continue;
    }
    left_ = declared_[usize(order_[usize(at_)])].shape.count();
    if (left_ == 0) ++at_;
  }
}

// The declaration of `name`, if its next `count` elements may be written now.
const SafeWriter::Declared& SafeWriter::due(std::string_view name, i64 count) const {
  if (phase_ != Phase::kWriting) misuse(name, "is written outside of begin() and commit()");
  const Declared* next = at_ < isize(order_) ? &declared_[usize(order_[usize(at_)])] : nullptr;
  if (next == nullptr || next->name != name) {
    const auto found = std::find_if(order_.begin(), order_.end(), [&](i64 number) {
      return declared_[usize(number)].name == name;
    });
    if (found == order_.end()) misuse(name, "was not declared");
    if (count == 0) return declared_[usize(*found)];
    if (found - order_.begin() < at_)
      misuse(name, cat("is complete, ", count, " more elements are given"));
    misuse(name,
           cat("is not due: ", left_, " elements of ", quote(next->name, 200), " come first"));
  }
  if (count > left_) misuse(name, cat("takes ", left_, " more elements, ", count, " are given"));
  return *next;
}

void SafeWriter::flush() {
  put(buffer_);
  buffer_.clear();
}

// Neighbouring elements, through the buffer unless they fill one and stay as they are.
void SafeWriter::append(const Declared& to, const u8* from, DType dtype, i64 count) {
  const i64 item = item_bytes(to.dtype);
  if (dtype == to.dtype && count * item >= kBufferBytes) {
    flush();
    put({reinterpret_cast<const char*>(from), usize(count * item)});
    return;
  }
  while (count > 0) {
    if (isize(buffer_) >= kBufferBytes) flush();
    const i64 now = std::min(count, std::max<i64>(1, (kBufferBytes - isize(buffer_)) / item));
    const std::size_t before = buffer_.size();
    buffer_.resize(before + usize(now * item));
    copy_convert(make_tensor(const_cast<u8*>(from), {now}, dtype),
                 make_tensor(buffer_.data() + before, {now}, to.dtype));
    from += now * item_bytes(dtype);
    count -= now;
  }
}

void SafeWriter::advance(i64 count) {
  left_ -= count;
  if (count == 0 || left_ > 0) return;
  ++at_;
  next_tensor();
}

void SafeWriter::write(std::string_view name, const Tensor& rows) {
  const i64 count = rows.count();
  const Declared& to = due(name, count);
  if (rows.dtype != to.dtype && !(rows.dtype == DType::kF32 && is_weight(to.dtype)))
    misuse(name, cat("of type ", dtype_name(to.dtype), " is given ", dtype_name(rows.dtype)));
  const i64 run = rows.contiguous() ? count : rows.cols();
  const i64 step = rows.ld * item_bytes(rows.dtype);
  for (i64 r = 0; r * run < count; ++r)
    append(to, rows.bytes() + r * step, rows.dtype, run);
  advance(count);
}

// A Tensor has no const form; in the next two it is only read.
void SafeWriter::write(std::string_view name, std::span<const f32> elements) {
  write(name, make_tensor(const_cast<f32*>(elements.data()), {isize(elements)}));
}

void SafeWriter::write_bytes(std::string_view name, std::string_view bytes) {
  if (bytes.empty()) {
    due(name, 0);
    return;
  }
  // Of another tensor than the one that is due, write() refuses any count.
  const DType dtype = at_ < isize(order_) ? declared_[usize(order_[usize(at_)])].dtype : DType::kU8;
  const i64 count = isize(bytes) / item_bytes(dtype);
  if (count * item_bytes(dtype) != isize(bytes))
    misuse(name, cat("is given ", bytes.size(), " bytes, no whole elements"));
  write(name, make_tensor(const_cast<char*>(bytes.data()), {count}, dtype));
}

std::string SafeWriter::make_index() const {
  json weight_map = json::object();
  i64 total = 0;
  i64 at = 0;
  for (i64 file = 0; file < isize(file_ends_); ++file) {
    for (; at < file_ends_[usize(file)]; ++at) {
      const Declared& one = declared_[usize(order_[usize(at)])];
      weight_map[one.name] = file_name(file);
      total += one.bytes;
    }
  }
  const json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  return index.dump(2) + "\n";
}

// At no moment do old and new files together look like a model: the old index goes before the first
// file that it may name is replaced, the new one comes last.
void SafeWriter::commit_folder() {
  const std::string index_path = cat(path_, "/", kIndex);
  std::vector<std::string> stale = files_of_old_index(index_path);
  if (files_.size() == 1) {
    files_[0]->commit();
    remove_if_there(index_path);
  } else {
    io::AtomicFile index(index_path, options_);
    index.write(make_index());
    index.finish();
    remove_if_there(index_path);
    for (const std::unique_ptr<io::AtomicFile>& file : files_)
      file->commit();
    index.commit();
    remove_if_there(cat(path_, "/", kWhole));
  }
  for (i64 file = 0; file < isize(files_); ++file)
    std::erase(stale, file_name(file));
  for (const std::string& name : stale)
    remove_if_there(cat(path_, "/", name));
}

void SafeWriter::commit() {
  LM_CHECK(phase_ == Phase::kWriting, "commit() follows begin(), once");
  if (at_ < isize(order_)) {
    const Declared& next = declared_[usize(order_[usize(at_)])];
    misuse(next.name, cat("lacks ", left_, " of ", next.shape.count(), " elements"));
  }
  phase_ = Phase::kDone;
  if (folder_) {
    commit_folder();
  } else if (callers_ == nullptr) {
    files_[0]->commit();
  }
}

namespace {

void write_all(SafeWriter writer, std::span<const SafeWrite> tensors) {
  for (const SafeWrite& one : tensors)
    writer.declare(one.name, one.tensor.dtype, one.tensor.shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write(tensors[usize(number)].name, tensors[usize(number)].tensor);
  writer.commit();
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_all(SafeWriter::to_file(path, metadata), tensors);
}

void write_safetensors(io::AtomicFile& file, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_all(SafeWriter::into(file, metadata), tensors);
}

}  // namespace lm
