#include <algorithm>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "catch.h"
#include "core/context.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "io/file.h"
#include "io/frame.h"
#include "io/input.h"
#include "io/output.h"
#include "io/run.h"

using namespace lm;
using namespace lm::io;

namespace {

std::vector<std::string> sample_lines(i64 count, i64 width, u64 seed = 1) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<std::string> lines;
  for (i64 i = 0; i < count; ++i) {
    std::string text;
    const i64 n = static_cast<i64>(random.below(static_cast<u64>(i), static_cast<u64>(width)));
    for (i64 k = 0; k < n; ++k)
      text.push_back(static_cast<char>('a' + (i * 7 + k * k) % 26));
    lines.push_back(cat("{\"id\":", i, ",\"text\":\"", text, "\"}"));
  }
  return lines;
}

struct ReadBack {
  std::string text;
  i64 records = 0;
  std::vector<StreamTotals> inputs;
};

ReadBack read_all(InputOptions options, int threads = 1) {
  set_threads(threads);
  const LocalContext ctx(threads);
  InputStream in(std::move(options), ctx);
  RunCounters counters;
  RecordRun run(in, nullptr, nullptr, {}, ctx, counters);
  ReadBack out;
  JsonReader json({"text"});
  run.run({{StageMode::kSerial, [&](Batch& batch) {
              run.each_record(batch, json, [&](Record& record) -> std::optional<Fault> {
                append(out.text, record.line, '\n');
                return std::nullopt;
              });
            }}});
  set_threads(1);
  out.records = counters.records_in.load();
  out.inputs = run.input_totals();
  return out;
}

ReadBack read_file_back(const std::string& path, int threads = 1) {
  InputOptions options;
  options.files = {path};
  return read_all(options, threads);
}

// Writes lines in any form; `pipe` goes through a fifo and is collected as bytes.
std::string write_stream(const std::vector<std::string>& lines, const std::string& compression,
                         bool seekable, bool pipe, int threads = 1, i64 per_write = 100) {
  const test::TempDir dir;
  set_threads(threads);
  const LocalContext ctx(threads);
  StreamOutputOptions options;
  options.compression = *parse_compression(compression);
  options.seekable = seekable;
  options.path = dir.file("out.zst");
  std::string collected;
  std::jthread collector;
  if (pipe) {
    REQUIRE(mkfifo(options.path.c_str(), 0600) == 0);
    collector = std::jthread([&] { collected = read_file(options.path); });
  }
  {
    OutputStream out(options, ctx);
    StreamHeader header;
    header.tool = "lm-test";
    header.version = "1";
    out.begin(header);
    for (i64 i = 0; i < isize(lines); i += per_write) {
      std::string chunk;
      StreamTotals totals;
      for (i64 k = i; k < std::min(isize(lines), i + per_write); ++k) {
        append(chunk, lines[usize(k)], '\n');
        totals.add_line(lines[usize(k)]);
      }
      out.write(chunk, totals);
    }
    out.finish({});
    out.commit();
  }
  set_threads(1);
  if (pipe) {
    collector.join();
    return collected;
  }
  return read_file(options.path);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines)
    append(out, line, '\n');
  return out;
}

struct Form {
  const char* compression;
  bool seekable;
  bool pipe;
};
const std::vector<Form> kForms = {{"stored", false, true}, {"zstd:1", false, true},
                                  {"zstd", false, false},  {"stored", false, false},
                                  {"zstd", true, false},   {"stored", true, false}};

}  // namespace

TEST_CASE("every form reads back whole, with any thread count", "[io]") {
  const test::TempDir dir;
  for (const i64 count : {i64{0}, i64{1}, i64{30000}}) {
    const std::vector<std::string> lines = sample_lines(count, 900);
    for (const Form& form : kForms) {
      CAPTURE(count, form.compression, form.seekable, form.pipe);
      const std::string bytes = write_stream(lines, form.compression, form.seekable, form.pipe);
      write_file(dir.file("x"), bytes);
      for (const int threads : {1, 2, 7}) {
        const ReadBack back = read_file_back(dir.file("x"), threads);
        CHECK(back.text == joined(lines));
        CHECK(back.records == count);
      }
    }
  }
}

TEST_CASE("compressed bytes do not depend on threads or on how lines were handed over", "[io]") {
  const std::vector<std::string> lines = sample_lines(30000, 900);
  for (const Form& form : kForms) {
    CAPTURE(form.compression, form.seekable, form.pipe);
    const std::string bytes =
        write_stream(lines, form.compression, form.seekable, form.pipe, 1, 100);
    CHECK(bytes == write_stream(lines, form.compression, form.seekable, form.pipe, 3, 100));
    CHECK(bytes == write_stream(lines, form.compression, form.seekable, form.pipe, 2, 9999));
  }
}

TEST_CASE("any flipped bit of a framed stream is noticed", "[io]") {
  const test::TempDir dir;
  const std::vector<std::string> lines = sample_lines(3, 20);
  for (const Form& form : kForms) {
    const std::string bytes = write_stream(lines, form.compression, form.seekable, form.pipe);
    i64 missed = 0;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string bad = bytes;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      write_file(dir.file("x"), bad, {.sync = false});
      try {
        const ReadBack back = read_file_back(dir.file("x"));
        ++missed;
        UNSCOPED_INFO("missed: byte " << bit / 8 << " bit " << bit % 8);
      } catch (const Error& e) {
        if (e.kind() != ErrorKind::kData) UNSCOPED_INFO(e.message());
        CHECK(e.kind() == ErrorKind::kData);
      }
    }
    CAPTURE(form.compression, form.seekable, form.pipe);
    CHECK(missed == 0);
  }
}

TEST_CASE("any cut of a framed pipe stream is noticed", "[io]") {
  const test::TempDir dir;
  const std::vector<std::string> lines = sample_lines(3, 20);
  const std::string bytes = write_stream(lines, "stored", false, true);
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    CAPTURE(n, bytes.size());
    write_file(dir.file("x"), bytes.substr(0, n), {.sync = false});
    CHECK_THROWS_AS(read_file_back(dir.file("x")), Error);
  }
}

TEST_CASE("a file cut inside its data or its end frame is noticed", "[io]") {
  const test::TempDir dir;
  const std::vector<std::string> lines = sample_lines(3, 20);
  const std::string bytes = write_stream(lines, "zstd", false, false);
  i64 whole = 0;
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    write_file(dir.file("x"), bytes.substr(0, n), {.sync = false});
    try {
      // Cut exactly between the data frame and the end frame: all data is there, as in any foreign
      // zstd file; --expect-end refuses it.
      const ReadBack back = read_file_back(dir.file("x"));
      CHECK(back.text == joined(lines));
      ++whole;
      InputOptions strict;
      strict.files = {dir.file("x")};
      strict.expect_end = true;
      CHECK_THROWS_AS(read_all(strict), Error);
    } catch (const Error&) {
    }
  }
  CHECK(whole == 1);
}

TEST_CASE("concatenated streams are one stream", "[io]") {
  const test::TempDir dir;
  const std::vector<std::string> a = sample_lines(100, 50, 1);
  const std::vector<std::string> b = sample_lines(50, 50, 2);
  std::string all;
  for (const Form& form : kForms)
    all += write_stream(a, form.compression, form.seekable, form.pipe);
  std::string foreign;
  append_compressed_frame(foreign, joined(b), 3);
  write_file(dir.file("x"), foreign + all + foreign);
  std::string expected = joined(b);
  for (std::size_t i = 0; i < kForms.size(); ++i)
    expected += joined(a);
  CHECK(read_file_back(dir.file("x")).text == expected + joined(b));
}

TEST_CASE("foreign frames may cut lines anywhere, and shards still read each line once", "[io]") {
  const test::TempDir dir;
  const std::string text = joined(sample_lines(500, 60)) + "{\"id\":\"no newline at the end\"}";
  const RandomStream random(3, RandomPurpose::kOther);
  for (u64 round = 0; round < 20; ++round) {
    std::string bytes;
    std::size_t at = 0;
    for (u64 k = 0; at < text.size(); ++k) {
      const std::size_t n = 1 + random.below(round * 1000 + k, 4000) * (k % 3) / 2;
      const std::string piece = text.substr(at, n);
      at += piece.size();
      if (k % 2) {
        append_stored_frame(bytes, piece);
      } else {
        append_compressed_frame(bytes, piece, 1);
      }
      if (k % 5 == 0) append_skippable(bytes, kSkippableBase + 1, "foreign");
    }
    write_file(dir.file("x"), bytes, {.sync = false});
    CHECK(read_file_back(dir.file("x"), 2).text == text + "\n");
    i64 records = 0;
    std::vector<std::string> seen;
    for (i64 shard = 0; shard < 3; ++shard) {
      InputOptions options;
      options.files = {dir.file("x")};
      options.shard = {shard, 3, false};
      const ReadBack part = read_all(options);
      records += part.records;
      for (const std::string_view line : split(part.text, '\n'))
        seen.emplace_back(line);
    }
    CHECK(records == 501);
    std::vector<std::string> expected;
    for (const std::string_view line : split(text, '\n'))
      expected.emplace_back(line);
    std::erase(seen, "");
    std::sort(seen.begin(), seen.end());
    std::sort(expected.begin(), expected.end());
    CHECK(seen == expected);
  }
}

TEST_CASE("shards of a seekable file partition it", "[io]") {
  const test::TempDir dir;
  const std::vector<std::string> lines = sample_lines(60000, 900);
  write_file(dir.file("x"), write_stream(lines, "zstd:1", true, false));
  i64 records = 0;
  for (i64 shard = 0; shard < 3; ++shard) {
    InputOptions options;
    options.files = {dir.file("x")};
    options.shard = {shard, 3, false};
    const i64 part = read_all(options, 2).records;
    CHECK(part > 0);
    records += part;
  }
  CHECK(records == 60000);
}

TEST_CASE("plain text forms: BOM, CRLF, blank lines, no last newline", "[io]") {
  const test::TempDir dir;
  write_file(dir.file("x"), "\xEF\xBB\xBF{\"a\":1}\r\n\n  \r\n{\"a\":2}");
  const ReadBack back = read_file_back(dir.file("x"));
  CHECK(back.text == "{\"a\":1}\n{\"a\":2}\n");
  CHECK(back.records == 2);
  write_file(dir.file("x"), "");
  CHECK(read_file_back(dir.file("x")).records == 0);
}

namespace {
// One gzip member.
std::string gzip(std::string_view text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in(text);
  std::string out(deflateBound(&z, static_cast<uLong>(in.size())) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// The message and hint with which a file of these bytes is refused.
std::string refusal(const test::TempDir& dir, std::string_view bytes, std::string* text = nullptr) {
  write_file(dir.file("x"), std::string(bytes));
  InputOptions options;
  options.files = {dir.file("x")};
  const LocalContext ctx(1);
  InputStream in(options, ctx);
  RunCounters counters;
  RecordRun run(in, nullptr, nullptr, {}, ctx, counters);
  JsonReader json({"text"});
  try {
    run.run({{StageMode::kSerial, [&](Batch& batch) {
                run.each_record(batch, json, [&](Record& record) -> std::optional<Fault> {
                  if (text != nullptr) append(*text, record.line, '\n');
                  return std::nullopt;
                });
              }}});
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message() + "|" + e.hint();
  }
  return std::string();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("gzip is read as the text it holds, in members of any size", "[io]") {
  const test::TempDir dir;
  std::string text;
  for (const std::string& line : sample_lines(60000, 300))
    append(text, line, "\n");
  REQUIRE(isize(text) > 2 * kFrameBytes);  // several batches
  for (const i64 member : {isize(text), i64{1} << 20, i64{70001}}) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); at += usize(member))  // lines are cut anywhere
      bytes += gzip(std::string_view(text).substr(at, usize(member)));
    write_file(dir.file("x.gz"), bytes);
    for (const int threads : {1, 7}) {
      const ReadBack back = read_file_back(dir.file("x.gz"), threads);
      CHECK(back.text == text);
      CHECK(back.records == 60000);
    }
  }
  std::string merged;
  i64 holding = 0;
  for (i64 i = 0; i < 3; ++i) {  // all members are one shard unit
    InputOptions options;
    options.files = {dir.file("x.gz")};
    options.shard = {i, 3, false};
    const std::string part = read_all(options).text;
    merged += part;
    holding += !part.empty();
  }
  CHECK(merged == text);
  CHECK(holding == 1);
  const std::string forms =
      gzip("\xEF\xBB\xBF{\"a\":1}\r\n") + gzip("") + gzip("\n  \r\n{\"a\"") + gzip(":2}");
  write_file(dir.file("x"), forms);
  CHECK(read_file_back(dir.file("x")).text == "{\"a\":1}\n{\"a\":2}\n");
  write_file(dir.file("x"), gzip(""));
  CHECK(read_file_back(dir.file("x")).records == 0);
}

TEST_CASE("a cut, changed or continued gzip file is refused after its whole lines", "[io]") {
  const test::TempDir dir;
  const std::string lines = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n";
  const std::string bytes = gzip(lines) + gzip(lines);
  const i64 second = isize(bytes) / 2;
  for (i64 cut = 2; cut < isize(bytes); ++cut) {
    CAPTURE(cut);
    const std::string message = refusal(dir, std::string_view(bytes).substr(0, usize(cut)));
    if (cut == second) {
      CHECK(message.empty());  // whole members are a whole file: gzip has no end of its own
    } else {
      CHECK(has(message, cat("ended inside a gzip member at byte ", cut)));
    }
  }
  std::string before;
  refusal(dir, std::string_view(bytes).substr(0, bytes.size() - 1), &before);
  CHECK(before == lines + lines);
  CHECK(has(refusal(dir, bytes + "junk"), "what follows the last member is no gzip"));
  CHECK(has(refusal(dir, bytes + std::string(4, '\0')), "what follows the last member is no gzip"));
  for (std::size_t at = 10; at < usize(second); ++at) {  // behind the header, which may name times
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    CAPTURE(at);
    CHECK_FALSE(refusal(dir, flipped).empty());
  }
  CHECK(has(refusal(dir, gzip("hello\n")), "starts with \"hello"));
  CHECK(has(refusal(dir, gzip(gzip(lines))), "expected JSON lines"));
}

TEST_CASE("an array or records over several lines are met with the command that converts", "[io]") {
  const test::TempDir dir;
  const std::string name = dir.file("x");
  const std::string array = cat("|jq -c '.[]' ", name, " makes JSON lines of an array");
  const std::string pretty = cat("|jq -c . ", name, " puts every record on one line");
  CHECK(has(refusal(dir, "[{\"a\":1}]"), array));
  CHECK(has(refusal(dir, "[\n{}\n]\n"), array));
  CHECK(has(refusal(dir, "\n [\n{}\n]\n"), array));
  CHECK(has(refusal(dir, "{\n  \"a\": 1\n}\n"), pretty));
  CHECK(has(refusal(dir, "\xEF\xBB\xBF\r\n{ \"a\": 1,\r\n  \"b\": 2 }"), pretty));
  CHECK(has(refusal(dir, gzip("{\"a\":[\n1]}")), cat("|zcat ", name, " | jq -c . puts")));
  CHECK(has(refusal(dir, gzip("[1]")), cat("|zcat ", name, " | jq -c '.[]' makes")));
  // A torn line among good ones is just that.
  CHECK(has(refusal(dir, "{}\n{\"a\":1,\n"), "|--on-error"));
  CHECK(has(refusal(dir, "{\"a\" 1}\n"), "|--on-error"));
}

TEST_CASE("other formats are refused by name", "[io]") {
  const test::TempDir dir;
  const auto message = [&](const std::string& bytes) {
    write_file(dir.file("x"), bytes);
    try {
      read_file_back(dir.file("x"));
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      return e.message() + "|" + e.hint();
    }
    return std::string();
  };
  CHECK(message("\xfd"
                "7zXZ..")
            .find("xzcat") != std::string::npos);
  CHECK(message("BZh91AY").find("bzcat") != std::string::npos);
  CHECK(message("PAR1....").find("Parquet") != std::string::npos);
  CHECK(message("hello").find("hello") != std::string::npos);
  CHECK(message("[1,2]").find("expected JSON lines") != std::string::npos);
}

TEST_CASE("records at and above the limit", "[io]") {
  const test::TempDir dir;
  const auto record = [](i64 size) {
    return cat("{\"t\":\"", std::string(usize(size - 8), 'x'), "\"}");
  };
  std::string compressed;
  for (const bool framed : {false, true}) {
    for (const i64 over : {i64{0}, i64{1}, i64{3000000}}) {
      CAPTURE(framed, over);
      const i64 limit = i64{5} << 20;
      const std::string text = "{\"a\":1}\n" + record(limit + over) + "\n{\"a\":2}\n" +
                               record(limit + over) + "\n{\"a\":3}\n";
      std::string bytes = text;
      if (framed) {
        bytes.clear();
        append_compressed_frame(bytes, text, 1);
      }
      write_file(dir.file("x"), bytes, {.sync = false});
      const LocalContext ctx(1);
      InputOptions options;
      options.files = {dir.file("x")};
      options.max_record_bytes = limit;
      InputStream in(options, ctx);
      RunCounters counters;
      RecordRun run(in, nullptr, nullptr, {.mode = OnError::kSkip}, ctx, counters);
      JsonReader json({"a"});
      std::vector<i64> lines;
      std::vector<i64> bytes_at;
      run.run({{StageMode::kSerial, [&](Batch& batch) {
                  run.each_record(batch, json, [&](Record& r) -> std::optional<Fault> {
                    lines.push_back(r.line_number);
                    bytes_at.push_back(r.byte);
                    return std::nullopt;
                  });
                }}});
      if (over == 0) {
        CHECK(lines == std::vector<i64>{1, 2, 3, 4, 5});
      } else {
        CHECK(lines == std::vector<i64>{1, 3, 5});
        CHECK(run.errors().at("too_long") == 2);
      }
      CHECK(bytes_at.back() == isize(text) - 8);
    }
  }
}

TEST_CASE("errors name the first bad line for any thread count", "[io]") {
  const test::TempDir dir;
  std::vector<std::string> lines = sample_lines(30000, 900);
  lines[20000] = "{\"id\":\"x\",\"text\":3";
  lines[29000] = "nonsense";
  write_file(dir.file("x"), joined(lines));
  for (const int threads : {1, 2, 7}) {
    try {
      read_file_back(dir.file("x"), threads);
      FAIL("a bad record must end the run");
    } catch (const Error& e) {
      CHECK(e.message().find(":20001:") != std::string::npos);
    }
  }
}

TEST_CASE("a folder of other things is not replaced", "[io]") {
  const test::TempDir dir;
  const auto refusal = [&](const std::string& name) {
    try {
      check_replaceable(dir.file(name), "model",
                        [](const std::string& entry) { return entry == "config.json"; });
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kCannotCreate);
      return error.message().substr(dir.path().string().size() + 1);
    }
    return std::string();
  };
  CHECK(refusal("absent").empty());
  std::filesystem::create_directory(dir.file("d"));
  CHECK(refusal("d").empty());
  write_file(dir.file("d/.left.lm-12-ab"), "of a dead process");
  CHECK(refusal("d").empty());
  write_file(dir.file("d/thesis.tex"), "x");
  write_file(dir.file("d/zebra"), "x");
  CHECK(refusal("d") == "d: holds \"thesis.tex\" and no model; nothing is written there");
  CHECK(refusal("d/zebra") == "d/zebra: exists and is not a folder");
  write_file(dir.file("d/config.json"), "{}");
  CHECK(refusal("d").empty());
}

TEST_CASE("atomic outputs leave nothing behind when they are not committed", "[io]") {
  const test::TempDir dir;
  const std::string path = dir.file("out");
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  CHECK(read_file(path) == "old");
  {
    AtomicFile file(path);
    file.write("new");
    file.commit();
  }
  CHECK(read_file(path) == "new");
  REQUIRE(symlink(path.c_str(), dir.file("link").c_str()) == 0);
  write_file(dir.file("link"), "through");
  CHECK(read_file(path) == "through");
  CHECK(std::filesystem::is_symlink(dir.file("link")));
  // A dead writer's temporary is removed by the next writer of the same target.
  {
    AtomicDir folder(dir.file("d"));
    write_file(folder.file("a/b"), "x");
    folder.commit();
  }
  CHECK(read_file(dir.file("d/a/b")) == "x");
  CHECK_THROWS_AS(AtomicDir(dir.file("d")), Error);
  {
    AtomicDir folder(dir.file("d"), {}, true);
    write_file(folder.file("c"), "y");
    folder.commit();
  }
  CHECK_FALSE(path_exists(dir.file("d/a")));
  CHECK(read_file(dir.file("d/c")) == "y");
  {  // somebody else was faster
    AtomicDir folder(dir.file("late"));
    write_file(folder.file("c"), "ours");
    std::filesystem::create_directory(dir.file("late"));
    write_file(dir.file("late/c"), "theirs");
    std::optional<ErrorKind> kind;
    try {
      folder.commit();
    } catch (const Error& e) {
      kind = e.kind();
    }
    CHECK(kind == ErrorKind::kCannotCreate);
  }
  CHECK(read_file(dir.file("late/c")) == "theirs");
  i64 entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    (void)entry;
    ++entries;
  }
  CHECK(entries == 4);
  CHECK_THROWS_AS(AtomicFile("/nonexistent-folder/x"), Error);
}

TEST_CASE("damaged or newer tags are refused", "[io]") {
  StreamHeader header;
  header.tool = "a\"b";
  header.version = "1";
  header.params_json = "{\"x\":[1,{\"y\":\"}\"}]}";
  header.seed = ~u64{0};
  StreamHeader upper;
  upper.tool = "lm-up";
  upper.version = "2";
  header.add_input(upper);
  const Result<StreamHeader> back = parse_header(header_payload(header));
  REQUIRE(back);
  CHECK(back->json() == header.json());
  header.v = 2;
  CHECK(parse_header(header_payload(header)).fault().code == "version");
  StreamHeader deep;
  deep.tool = "t";
  deep.version = "1";
  for (int i = 0; i < 100; ++i) {
    StreamHeader one = deep;
    one.chain.clear();
    one.version = cat(i);
    deep.add_input(one);
  }
  CHECK(deep.chain.size() == 64);
  CHECK(parse_header(header_payload(deep)));
}

TEST_CASE("outputs that wait for their commit hold next to no memory", "[io]") {
  const test::TempDir dir;
  const LocalContext ctx(1);
  const std::string line = cat("{\"text\":\"", std::string(200 << 10, 'x'), "\"}\n");
  StreamTotals totals;
  totals.add_line(std::string_view(line).substr(0, line.size() - 1));
  std::vector<std::unique_ptr<OutputStream>> outputs;
  const auto in_use = [] {
    return static_cast<i64>(::mallinfo2().uordblks + ::mallinfo2().hblkhd);
  };
  for (const char* const name : {"plain.jsonl", "single.zst", "frames.zst"}) {
    i64 before = 0;
    for (i64 i = 0; i <= 20; ++i) {
      StreamOutputOptions options;
      options.path = dir.file(cat(i, name));
      options.seekable = std::string_view(name) == "frames.zst";
      options.file.sync = false;
      outputs.push_back(std::make_unique<OutputStream>(std::move(options), ctx));
      outputs.back()->begin({});
      outputs.back()->write(line, totals);
      outputs.back()->finish({});
      if (i == 0) before = in_use();  // what is made once is there
    }
    INFO(name);
    CHECK(in_use() - before < 20 * (16 << 10));
  }
}

TEST_CASE("headers of pipes are known after they were read", "[io]") {
  const std::string bytes = write_stream(sample_lines(5, 10), "zstd", false, true);
  const test::TempDir dir;
  for (const bool early : {false, true}) {
    INFO(early);
    REQUIRE(::mkfifo(dir.file(early ? "a" : "b").c_str(), 0600) == 0);
    InputOptions options;
    options.files = {dir.file(early ? "a" : "b")};
    const LocalContext ctx(1);
    InputStream in(std::move(options), ctx);
    std::jthread writer([&] {
      const Fd fd(::open(dir.file(early ? "a" : "b").c_str(), O_WRONLY));
      write_full(fd.get(), bytes.data(), isize(bytes), "fifo");
    });
    if (early) CHECK(in.headers().size() == 1);
    RunCounters counters;
    RecordRun run(in, nullptr, nullptr, {}, ctx, counters);
    JsonReader json({"text"});
    run.run({{StageMode::kSerial, [&](Batch& batch) {
                run.each_record(batch, json, [](Record&) { return std::nullopt; });
              }}});
    CHECK(counters.records_in.load() == 5);
    const std::vector<StreamHeader> headers = in.headers();
    REQUIRE(headers.size() == 1);
    CHECK(headers[0].tool == "lm-test");
  }
}
