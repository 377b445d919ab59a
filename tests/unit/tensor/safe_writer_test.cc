#include "tensor/safe_writer.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "catch.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "tensor/safetensors.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<f32> numbered(i64 count, f32 step = 1) {
  std::vector<f32> out;
  for (i64 i = 0; i < count; ++i)
    out.push_back(step * static_cast<f32>(i));
  return out;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  for (const auto& item : std::filesystem::directory_iterator(folder))
    out.push_back(item.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string_view bytes_of(const SafeEntry& entry) {
  return {reinterpret_cast<const char*>(entry.data), usize(entry.bytes)};
}

std::string misuse_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kInternal);
    return e.message();
  }
  return "no error";
}

// Two tensors of four and two elements, begun: "a", then "b".
SafeWriter begun(const std::string& path) {
  SafeWriter writer = SafeWriter::to_file(path);
  writer.declare("b", DType::kF32, {2});
  writer.declare("a", DType::kF32, {2, 2});
  writer.begin();
  return writer;
}

}  // namespace

TEST_CASE("blocks of any size give the bytes of one piece", "[tensor]") {
  const test::TempDir dir;
  const i64 count = 3 * 100'003;  // more than one buffer
  const std::vector<f32> values = numbered(count, 0.37f);
  for (const DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
    CAPTURE(dtype_name(dtype));
    OwnedTensor stored({3, 100'003}, dtype);
    copy_convert(make_tensor(const_cast<f32*>(values.data()), {3, 100'003}), stored.view);
    const f32 one = 7;
    OwnedTensor scalar(Shape{}, dtype);
    copy_convert(make_tensor(const_cast<f32*>(&one), {}), scalar.view);
    const SafeWrite whole[] = {{"m", stored.view}, {"s", scalar.view}};
    write_safetensors(dir.file("whole"), whole, {{"note", "kept"}});
    for (const i64 block : {i64{1}, i64{977}, i64{262'144}, count}) {
      SafeWriter writer = SafeWriter::to_file(dir.file("blocks"), {{"note", "kept"}});
      writer.declare("s", dtype, Shape{});
      writer.declare("m", dtype, {3, 100'003});
      writer.begin();
      CHECK(std::vector<i64>(writer.order().begin(), writer.order().end()) ==
            std::vector<i64>{1, 0});
      for (i64 at = 0; at < count; at += block)
        writer.write("m", std::span<const f32>(values).subspan(usize(at),
                                                               usize(std::min(block, count - at))));
      writer.write("s", std::span<const f32>(&one, 1));
      writer.commit();
      CHECK(io::read_file(dir.file("blocks")) == io::read_file(dir.file("whole")));
    }
  }
}

TEST_CASE("rows of a view are written in their order", "[tensor]") {
  const test::TempDir dir;
  std::vector<f32> values = numbered(5 * 8);
  const Tensor view = columns(make_tensor(values.data(), {5, 8}), 2, 3);
  SafeWriter writer = SafeWriter::to_file(dir.file("x"));
  writer.declare("v", DType::kBf16, {5, 3});
  writer.begin();
  writer.write("v", slice(view, 0, 2));
  writer.write("v", slice(view, 2, 3));
  writer.commit();
  OwnedTensor read({5, 3});
  load_entry(*SafeFile(dir.file("x")).find("v"), read.view);
  for (i64 i = 0; i < 15; ++i)
    CHECK(read.view.f32_data()[i] == static_cast<f32>(i / 3 * 8 + i % 3 + 2));
}

TEST_CASE("every type of the format passes as bytes, aligned, empty tensors and scalars too",
          "[tensor]") {
  const test::TempDir dir;
  SafeWriter writer = SafeWriter::to_file(dir.file("x"));
  std::vector<std::string> contents;
  for (i64 i = 0; i < kDTypeCount; ++i) {
    const DType dtype = static_cast<DType>(i);
    const i64 count = i % 3 * 3;  // 0, 3 or 6
    std::string bytes;
    for (i64 k = 0; k < count * item_bytes(dtype); ++k)
      bytes += static_cast<char>(0xf0 + i + 7 * k);
    contents.push_back(bytes);
    writer.declare(cat("t", 10 + i), dtype, {count});
  }
  writer.declare("scalar", DType::kI64, Shape{});
  contents.push_back("\1\2\3\4\5\6\7\x80");
  writer.begin();
  for (const i64 number : writer.order()) {
    const std::string name = number < kDTypeCount ? cat("t", 10 + number) : "scalar";
    writer.write_bytes(name, contents[usize(number)]);  // of no bytes for an empty one
  }
  writer.commit();
  const SafeFile file(dir.file("x"));
  REQUIRE(isize(file.entries()) == kDTypeCount + 1);
  for (i64 i = 0; i <= kDTypeCount; ++i) {
    const std::string name = i < kDTypeCount ? cat("t", 10 + i) : "scalar";
    CAPTURE(name);
    const SafeEntry& entry = *file.find(name);
    CHECK(entry.dtype == (i < kDTypeCount ? static_cast<DType>(i) : DType::kI64));
    CHECK(bytes_of(entry) == contents[usize(i)]);
    CHECK_NOTHROW(entry_tensor(entry));  // throws unless aligned
  }
  CHECK(file.find("scalar")->shape.rank == 0);
}

TEST_CASE("a file of no tensors, or of empty ones, is a file", "[tensor]") {
  const test::TempDir dir;
  SafeWriter none = SafeWriter::to_file(dir.file("none"));
  none.begin();
  none.commit();
  CHECK(SafeFile(dir.file("none")).entries().empty());
  SafeWriter empty = SafeWriter::to_file(dir.file("empty"));
  empty.declare("e", DType::kF32, {0, 3});
  empty.begin();
  empty.commit();
  CHECK(SafeFile(dir.file("empty")).find("e")->shape == Shape{0, 3});
}

TEST_CASE("tensors out of turn and elements too few or too many are refused by name", "[tensor]") {
  const test::TempDir dir;
  const std::string path = dir.file("x");
  io::write_file(path, "old");
  const std::vector<f32> four = numbered(4);
  const std::vector<f32> five = numbered(5);
  const std::string at = cat(path, ": tensor ");
  CHECK(misuse_of([&] { begun(path).write("b", four); }) ==
        cat(at, "\"b\" is not due: 4 elements of \"a\" come first"));
  CHECK(misuse_of([&] { begun(path).write("c", four); }) == cat(at, "\"c\" was not declared"));
  CHECK(misuse_of([&] { begun(path).write("a", five); }) ==
        cat(at, "\"a\" takes 4 more elements, 5 are given"));
  CHECK(misuse_of([&] {
          SafeWriter writer = begun(path);
          writer.write("a", four);
          writer.write("a", four);
        }) == cat(at, "\"a\" is complete, 4 more elements are given"));
  CHECK(misuse_of([&] { begun(path).write_bytes("a", "12345"); }) ==
        cat(at, "\"a\" is given 5 bytes, no whole elements"));
  CHECK(misuse_of([&] { begun(path).write("a", OwnedTensor({4}, DType::kBf16).view); }) ==
        cat(at, "\"a\" of type f32 is given bf16"));
  CHECK(misuse_of([&] {
          SafeWriter writer = begun(path);
          writer.write("a", std::span<const f32>(four).first(3));
          writer.commit();
        }) == cat(at, "\"a\" lacks 1 of 4 elements"));
  CHECK(misuse_of([&] { begun(path).declare("c", DType::kF32, {1}); }) ==
        cat(at, "\"c\" is declared after begin()"));
  CHECK(misuse_of([&] {
          SafeWriter writer = SafeWriter::to_file(path);
          writer.declare("a", DType::kF32, {4});
          writer.write("a", four);
        }) == cat(at, "\"a\" is written outside of begin() and commit()"));
  CHECK(misuse_of([&] {
          SafeWriter writer = SafeWriter::to_file(path);
          writer.declare("a", DType::kF32, {4});
          writer.declare("a", DType::kF32, {4});
          writer.begin();
        }) == cat(at, "\"a\" is declared twice"));
  CHECK(misuse_of([&] {
          SafeWriter writer = SafeWriter::to_file(path);
          writer.declare("__metadata__", DType::kF32, {4});
          writer.begin();
        }) == cat(at, "\"__metadata__\" has the name of the metadata"));
  // None of them touched the file that was there, or left another.
  CHECK(io::read_file(path) == "old");
  CHECK(names_in(dir.path()) == std::vector<std::string>{"x"});
}

TEST_CASE("shards and their index are laid out as transformers does", "[tensor]") {
  const test::TempDir dir;
  SafeWriter writer = SafeWriter::to_folder(dir.path().string(), 32, {{"note", "kept"}});
  const std::pair<const char*, Shape> tensors[] = {
      {"a", {4}}, {"b", {2, 2}}, {"c", {20}}, {"d", {0}}, {"e", {}}};
  for (const auto& [name, shape] : tensors)
    writer.declare(name, DType::kF32, shape);
  writer.begin();
  for (const auto& [name, shape] : tensors) {
    CHECK(names_in(dir.path()).front().front() == '.');  // nothing under its name yet
    writer.write(name, numbered(shape.count()));
  }
  writer.commit();
  // 32 bytes; 80, more than the limit, alone; the rest.
  CHECK(io::read_file(dir.file("model.safetensors.index.json")) == R"({
  "metadata": {
    "total_size": 116
  },
  "weight_map": {
    "a": "model-00001-of-00003.safetensors",
    "b": "model-00001-of-00003.safetensors",
    "c": "model-00002-of-00003.safetensors",
    "d": "model-00003-of-00003.safetensors",
    "e": "model-00003-of-00003.safetensors"
  }
}
)");
  const SafeModel model = SafeModel::open(dir.path().string());
  CHECK(model.entries().size() == 5);
  for (const SafeFile& file : model.files()) {
    CHECK(file.metadata() == SafeWriter::Metadata{{"format", "pt"}, {"note", "kept"}});
  }
  OwnedTensor c({20});
  load_entry(model.require("c"), c.view);
  CHECK(c.view.f32_data()[19] == 19.0f);
  CHECK(names_in(dir.path()).size() == 4);

  // Fewer files leave none of the others.
  SafeWriter two = SafeWriter::to_folder(dir.path().string(), 4);
  two.declare("a", DType::kF32, {1});
  two.declare("b", DType::kF32, {1});
  two.begin();
  two.write("a", numbered(1));
  two.write("b", numbered(1));
  two.commit();
  CHECK(names_in(dir.path()) == std::vector<std::string>{"model-00001-of-00002.safetensors",
                                                         "model-00002-of-00002.safetensors",
                                                         "model.safetensors.index.json"});
}

TEST_CASE("the digests of a folder's files are those of their bytes", "[tensor]") {
  const test::TempDir dir;
  SafeWriter writer = SafeWriter::to_folder(dir.path().string(), 3 << 20);
  const std::vector<f32> large = numbered(700'000);  // more than a buffer: written at once
  const std::vector<f32> small = numbered(5);
  writer.declare("a", DType::kF32, {700'000});
  writer.declare("b", DType::kBf16, {700'000});  // through the buffer, which is too small for it
  writer.declare("c", DType::kF32, {5});
  writer.declare("d", DType::kF32, {0});
  writer.begin();
  writer.write("a", large);
  writer.write("c", small);  // wider types stand first in a file
  writer.write("b", large);
  writer.commit();
  REQUIRE(writer.written().size() == 2);
  for (const WrittenFile& file : writer.written()) {
    const std::string bytes = io::read_file(dir.file(file.name));
    CHECK(file.bytes == isize(bytes));
    CHECK(file.xxh3 == xxh3_64(bytes));
  }
  CHECK(writer.written()[0].name == "model-00001-of-00002.safetensors");
  CHECK(writer.written()[0].bytes > 2'800'000);
}

TEST_CASE("a folder whose new weights are not complete keeps the old ones", "[tensor]") {
  const test::TempDir dir;
  const std::string folder = dir.path().string();
  const auto shards = [&](f32 value, bool all) {
    SafeWriter writer = SafeWriter::to_folder(folder, 4);
    writer.declare("a", DType::kF32, {1});
    writer.declare("b", DType::kF32, {1});
    writer.begin();
    writer.write("a", std::span<const f32>(&value, 1));
    if (!all) return;
    writer.write("b", std::span<const f32>(&value, 1));
    writer.commit();
  };
  const auto value_of = [&](const char* name) {
    OwnedTensor t({1});
    load_entry(SafeModel::open(folder).require(name), t.view);
    return t.view.f32_data()[0];
  };
  shards(1, true);
  const std::vector<std::string> before = names_in(folder);
  shards(2, false);
  CHECK(names_in(folder) == before);
  CHECK(value_of("a") == 1.0f);
  CHECK(value_of("b") == 1.0f);
  shards(3, true);
  CHECK(value_of("a") == 3.0f);

  // The renames fail half-way: no index is left that would make one model of old and new files.
  SafeWriter writer = SafeWriter::to_folder(folder, 4);
  writer.declare("a", DType::kF32, {1});
  writer.declare("b", DType::kF32, {1});
  writer.begin();
  writer.write("a", numbered(1));
  writer.write("b", numbered(1));
  const std::string last = folder + "/model-00002-of-00002.safetensors";
  std::filesystem::remove(last);
  std::filesystem::create_directory(last);
  CHECK_THROWS_AS(writer.commit(), Error);
  CHECK_THROWS_AS(SafeModel::open(folder), Error);
}

TEST_CASE("a full disk is an error of the file", "[tensor]") {
  SafeWriter writer = SafeWriter::to_file("/dev/full");
  writer.declare("a", DType::kF32, {1 << 20});
  writer.begin();
  try {
    writer.write("a", numbered(1 << 20));
    FAIL("written");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kIo);
    CHECK_THAT(e.message(), ContainsSubstring("/dev/full"));
  }
}
