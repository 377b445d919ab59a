#include "tensor/safetensors.h"

#include <cstring>
#include <fstream>

#include "catch.h"
#include "core/str.h"
#include "tensor/safe_writer.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string le64(u64 n) {
  std::string out;
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(n >> (8 * i) & 0xff);
  return out;
}

// A file of the given header text and data bytes.
std::string write_raw(const lm::test::TempDir& dir, const std::string& header, std::size_t data) {
  const std::string path = dir.file("raw.safetensors");
  std::ofstream out(path, std::ios::binary);
  out << le64(header.size()) << header << std::string(data, '\1');
  return path;
}

std::string slurp(const std::string& path) {
  return io::read_file(path);
}

OwnedTensor numbered(const Shape& shape, DType dtype = DType::kF32, f32 start = 0) {
  OwnedTensor wide(shape);
  for (i64 i = 0; i < shape.count(); ++i)
    wide.view.f32_data()[i] = start + static_cast<f32>(i);
  OwnedTensor t(shape, dtype);
  copy_convert(wide.view, t.view);
  return t;
}

// Tensors in memory as the weights of a folder.
void write_folder(const std::string& folder, std::span<const SafeWrite> tensors,
                  i64 max_shard_bytes = kMaxShardBytes) {
  SafeWriter writer = SafeWriter::to_folder(folder, max_shard_bytes);
  for (const SafeWrite& one : tensors)
    writer.declare(one.name, one.tensor.dtype, one.tensor.shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write(tensors[usize(number)].name, tensors[usize(number)].tensor);
  writer.commit();
}

}  // namespace

TEST_CASE("a written file has the documented bytes", "[tensor]") {
  const lm::test::TempDir dir;
  const OwnedTensor b = numbered({2}, DType::kBf16, 1);
  const OwnedTensor a = numbered({1, 2});
  const SafeWrite tensors[] = {{"b", b.view}, {"a", a.view}};
  write_safetensors(dir.file("x.safetensors"), tensors);
  std::string header = R"({"__metadata__":{"format":"pt"},)"
                       R"("a":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]},)"
                       R"("b":{"data_offsets":[8,12],"dtype":"BF16","shape":[2]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  // f32 0, 1; then bf16 1 = 3f80 and 2 = 4000.
  const std::string data("\0\0\0\0\0\0\x80\x3f\x80\x3f\0\x40", 12);
  CHECK(slurp(dir.file("x.safetensors")) == le64(header.size()) + header + data);
}

TEST_CASE("what is written is read back, strided rows and odd shapes too", "[tensor]") {
  const lm::test::TempDir dir;
  const OwnedTensor big = numbered({5, 8});
  const OwnedTensor scalar = numbered(Shape{});
  const OwnedTensor none = numbered({0, 3});
  const OwnedTensor half = numbered({3, 4}, DType::kF16);
  const SafeWrite tensors[] = {{"part", columns(big.view, 2, 3)},
                               {"scalar", scalar.view},
                               {"none", none.view},
                               {"half \"quoted\" \xc3\xa9", half.view}};
  const std::string path = dir.file("x.safetensors");
  write_safetensors(path, tensors, {{"note", "kept"}});
  const SafeFile file(path);
  CHECK(file.entries().size() == 4);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("note") == "kept");
  OwnedTensor part({5, 3});
  load_entry(*file.find("part"), part.view);
  for (i64 r = 0; r < 5; ++r) {
    for (i64 c = 0; c < 3; ++c)
      CHECK(part.view.f32_data()[r * 3 + c] == static_cast<f32>(r * 8 + c + 2));
  }
  OwnedTensor wide({3, 4});
  load_entry(*file.find("half \"quoted\" \xc3\xa9"), wide.view);
  CHECK(wide.view.f32_data()[11] == 11.0f);
  CHECK(file.find("scalar")->shape.rank == 0);
  CHECK(file.find("none")->bytes == 0);
  CHECK(file.find("absent") == nullptr);
  CHECK_THROWS_WITH(load_entry(*file.find("part"), wide.view),
                    ContainsSubstring("\"part\": file has [5, 3], the model needs [3, 4]"));
  // Writing what was read gives the same bytes.
  std::vector<SafeWrite> again;
  for (const SafeEntry& e : file.entries()) {
    again.push_back({e.name, make_tensor(const_cast<u8*>(e.data), e.shape, e.dtype)});
  }
  write_safetensors(dir.file("y.safetensors"), again, {{"note", "kept"}});
  CHECK(slurp(dir.file("y.safetensors")) == slurp(path));
}

TEST_CASE("broken files are refused with the reason", "[tensor]") {
  const lm::test::TempDir dir;
  const auto refused = [&](const std::string& header, std::size_t data, const std::string& why) {
    INFO(header);
    CHECK_THROWS_WITH(SafeFile(write_raw(dir, header, data)), ContainsSubstring(why));
  };
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  CHECK_NOTHROW(SafeFile(write_raw(dir, "{" + a + "}", 8)));
  refused("{" + a + "}", 7, "tensor \"a\": data ends at byte 8 but the file holds 7");
  refused("{" + a + "}", 9, "1 bytes after the last tensor");
  refused("{" + a + "," + a + "}", 8, "duplicate name \"a\"");
  refused("{" + a, 8, "not JSON");
  refused("[1]", 0, "not a JSON object");
  refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "needs 12 bytes");
  refused(R"({"a":{"dtype":"Q9","shape":[2],"data_offsets":[0,8]}})", 8, "unknown dtype \"Q9\"");
  refused(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "no dtype");
  refused(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "no shape");
  refused(R"({"a":{"dtype":"F32","shape":[2]}})", 8, "no data_offsets");
  refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "whole number");
  refused(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,2],"data_offsets":[0,8]}})", 8, "6 dimensions");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "not an interval");
  refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}})", 8,
          "overflows");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
          12, "overlaps");
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
          12, "gap of 4 bytes");
  refused(R"({"__metadata__":{"k":3}})", 0, "__metadata__");
  refused(R"({"a":7})", 0, "not an object");

  const std::string path = dir.file("short");
  std::ofstream(path) << "abc";
  CHECK_THROWS_WITH(SafeFile(path), ContainsSubstring("file of 3 bytes"));
  std::ofstream(path) << le64(200000001) << "{}";
  CHECK_THROWS_WITH(SafeFile(path), ContainsSubstring("header of 200000001 bytes, at most"));
  std::ofstream(path) << le64(50) << "{}";
  CHECK_THROWS_WITH(SafeFile(path), ContainsSubstring("truncated"));
  CHECK_THROWS_AS(SafeFile(dir.file("absent")), Error);
}

TEST_CASE("a header of odd length is read, though its data is not aligned", "[tensor]") {
  const lm::test::TempDir dir;
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string odd = header + std::string(header.size() % 2 == 0 ? 1 : 2, ' ');
  const SafeFile file(write_raw(dir, odd, 8));
  CHECK_THROWS_WITH(entry_tensor(*file.find("a")), ContainsSubstring("not aligned for f32"));
  OwnedTensor read({2});
  load_entry(*file.find("a"), read.view);
  u32 bits = 0;
  std::memcpy(&bits, read.view.data, 4);
  CHECK(bits == 0x01010101u);
}

TEST_CASE("every prefix of a file is refused", "[tensor]") {
  const lm::test::TempDir dir;
  const OwnedTensor a = numbered({3, 2});
  const OwnedTensor b = numbered({4}, DType::kF16);
  const SafeWrite tensors[] = {{"a", a.view}, {"b", b.view}};
  write_safetensors(dir.file("x"), tensors);
  const std::string whole = slurp(dir.file("x"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::ofstream(dir.file("cut"), std::ios::binary) << whole.substr(0, n);
    CHECK_THROWS_AS(SafeFile(dir.file("cut")), Error);
  }
}

TEST_CASE("large models are cut into shards with an index", "[tensor]") {
  const lm::test::TempDir dir;
  const std::string folder = dir.path().string();
  std::vector<OwnedTensor> data;
  for (int i = 0; i < 5; ++i)
    data.push_back(numbered({4}, DType::kF32, static_cast<f32>(10 * i)));
  std::vector<SafeWrite> tensors;
  for (int i = 0; i < 5; ++i)
    tensors.push_back({cat("t", i), data[static_cast<std::size_t>(i)].view});
  write_folder(folder, tensors, 32);  // two tensors of 16 bytes a shard
  CHECK(io::path_exists(dir.file("model-00003-of-00003.safetensors")));
  const SafeModel model = SafeModel::open(folder);
  CHECK(model.entries().size() == 5);
  OwnedTensor t({4});
  load_entry(model.require("t3"), t.view);
  CHECK(t.view.f32_data()[1] == 31.0f);
  CHECK_THROWS_WITH(model.require("t9"), ContainsSubstring("tensor \"t9\": missing"));
  CHECK(SafeModel::open(dir.file("model.safetensors.index.json")).entries().size() == 5);

  write_folder(folder, tensors);  // the single file replaces shards and index
  CHECK_FALSE(io::path_exists(dir.file("model.safetensors.index.json")));
  CHECK_FALSE(io::path_exists(dir.file("model-00001-of-00003.safetensors")));
  CHECK(SafeModel::open(folder).files().size() == 1);
}

TEST_CASE("an index that lies is refused", "[tensor]") {
  const lm::test::TempDir dir;
  const std::string folder = dir.path().string();
  const OwnedTensor a = numbered({4});
  const OwnedTensor b = numbered({4});
  const SafeWrite tensors[] = {{"a", a.view}, {"b", b.view}};
  write_folder(folder, tensors, 16);
  const auto index = [&](const std::string& map) {
    std::ofstream(dir.file("model.safetensors.index.json")) << "{\"weight_map\":" << map << "}";
  };
  const std::string one = "model-00001-of-00002.safetensors";
  const std::string two = "model-00002-of-00002.safetensors";
  index(cat(R"({"a":")", one, R"(","b":")", two, R"(","c":")", two, R"("})"));
  CHECK_THROWS_WITH(SafeModel::open(folder),
                    ContainsSubstring("tensor \"c\": missing, but listed"));
  index(cat(R"({"a":")", one, R"("})"));
  CHECK(SafeModel::open(folder).entries().size() == 1);
  index(cat(R"({"b":")", one, R"("})"));
  CHECK_THROWS_WITH(SafeModel::open(folder), ContainsSubstring("tensor \"a\": not listed there"));
  index(R"({"a":"../x.safetensors"})");
  CHECK_THROWS_WITH(SafeModel::open(folder), ContainsSubstring("not a file of the folder"));
  index(R"({"a":"absent.safetensors"})");
  CHECK_THROWS_WITH(SafeModel::open(folder), ContainsSubstring("absent.safetensors"));
  index(cat(R"({"a":")", one, R"(","a":")", one, R"("})"));
  CHECK_THROWS_WITH(SafeModel::open(folder), ContainsSubstring("\"a\": stands in the index twice"));
  index("[]");
  CHECK_THROWS_WITH(SafeModel::open(folder),
                    ContainsSubstring("index.json") && ContainsSubstring("weight_map"));
  index("{");
  CHECK_THROWS_WITH(SafeModel::open(folder), ContainsSubstring("index.json: index is not JSON"));
  index(cat(R"({"a":")", one, R"(","b":")", two, R"("})"));
  const std::string whole = slurp(dir.file(two));
  std::ofstream(dir.file(two), std::ios::binary) << whole.substr(0, whole.size() - 1);
  CHECK_THROWS_WITH(SafeModel::open(folder),
                    ContainsSubstring(two) && ContainsSubstring("truncated"));
  CHECK_THROWS_AS(SafeModel::open(dir.file("nowhere")), Error);
}

TEST_CASE("published files are readable", "[tensor]") {
  const std::filesystem::path data = lm::test::data_dir();
  if (data.empty()) LM_SKIP("no test data");
  int seen = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator(data)) {
    if (item.path().extension() != ".safetensors") continue;
    const SafeFile file(item.path().string());
    CHECK_FALSE(file.entries().empty());
    ++seen;
  }
  if (seen == 0) LM_SKIP("no safetensors among the test data");
}
