#include "io/convert.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <zlib.h>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/cat.h"
#include "io/file.h"
#include "io/frame.h"
#include "io/input.h"

using namespace lm;
using namespace lm::io;

namespace {

std::string gzip_member(const std::string& text) {
  std::string out(text.size() + 200, '\0');
  std::string in = text;
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string frames(const std::string& a, const std::string& b) {
  std::string out;
  append_compressed_frame(out, a, 3);
  append_skippable(out, kSkippableBase, "skipped");
  append_stored_frame(out, b);
  return out;
}

struct All {
  std::string text;
  std::string error;
};

// Through a file, taking `step` bytes at a time.
All read_bytes(const std::string& bytes, i64 step) {
  const test::TempDir dir;
  write_file(dir.file("in"), bytes);
  const LocalContext ctx;
  const std::unique_ptr<ByteSource> source = open_bytes(dir.file("in"), *ctx);
  All out;
  try {
    while (source->fill(1)) {
      CHECK(source->offset() == isize(out.text));
      const i64 n = std::min(step, source->available());
      out.text += source->view().substr(0, usize(n));
      source->consume(n);
    }
    CHECK(source->bytes_read() == isize(bytes));
  } catch (const Error& error) {
    out.error = error.message().substr(dir.file("in").size());
  }
  return out;
}

// Lines of numbers, some a call, and an error or the end.
class Numbers final : public Converter {
 public:
  Numbers(i64 count, bool fails) : count_(count), fails_(fails) {}
  bool next(std::string& out) override {
    const i64 until = std::min(count_, at_ + 1000);
    const bool any = at_ < until;
    for (; at_ < until; ++at_)
      append(out, "{\"n\":", at_, "}\n");
    if (fails_ && at_ == count_) throw Error(ErrorKind::kData, "in: torn");
    return any;
  }

 private:
  i64 count_;
  bool fails_;
  i64 at_ = 0;
};

struct Lines {
  i64 records = 0;
  std::string error;
};

Lines run_numbers(std::vector<std::string> files, i64 count, bool fails, Shard shard) {
  const LocalContext ctx;
  InputOptions options;
  options.files = std::move(files);
  options.shard = shard;
  options.convert = [&](const std::string& file) -> std::unique_ptr<Converter> {
    if (file.ends_with("lines")) return nullptr;
    return std::make_unique<Numbers>(count, fails);
  };
  InputStream in(std::move(options), ctx);
  in.headers();
  RunCounters counters;
  RecordRun run(in, nullptr, nullptr, {}, ctx, counters);
  Lines out;
  JsonReader json({"n"});
  try {
    run.run({{StageMode::kSerial, [&](Batch& batch) {
                run.each_record(batch, json, [&](Record&) -> std::optional<Fault> {
                  ++out.records;
                  return std::nullopt;
                });
              }}});
  } catch (const Error& error) {
    out.error = error.message();
  }
  return out;
}

}  // namespace

TEST_CASE("bytes come unpacked whatever packs them", "[io]") {
  std::string text = "one\n";
  while (text.size() < std::size_t{3} << 20)
    append(text, text.size(), " lines that repeat themselves\n");
  const std::string half = text.substr(0, text.size() / 2);
  const std::string rest = text.substr(half.size());
  for (const i64 step : {i64{1000}, i64{1} << 22}) {
    CHECK(read_bytes(text, step).text == text);
    CHECK(read_bytes(gzip_member(half) + gzip_member(rest), step).text == text);
    CHECK(read_bytes(frames(half, rest), step).text == text);
  }
  CHECK(read_bytes("", 1).text.empty());
  CHECK(read_bytes("ab", 1).text == "ab");
}

TEST_CASE("packed bytes that are cut, changed or of another form are refused", "[io]") {
  const std::string member = gzip_member("some text, some text");
  const std::string frame = frames("some text, some text", "more");
  for (std::size_t size = 2; size < member.size(); ++size)
    CHECK(
        read_bytes(member.substr(0, size), 100).error.starts_with(": ended inside a gzip member"));
  for (std::size_t size = 4; size < frame.size(); ++size) {
    const All cut = read_bytes(frame.substr(0, size), 100);
    const bool between = cut.text == "some text, some text" && cut.error.empty();
    CAPTURE(size, cut.error);
    CHECK((between || cut.error.starts_with(": ended inside a zstd frame")));
  }
  std::string changed = member;
  changed[changed.size() - 6] ^= 1;
  CHECK(read_bytes(changed, 100).error.starts_with(": corrupt gzip near byte"));
  CHECK(read_bytes(member + "x", 100).error.starts_with(": corrupt gzip near byte"));
  CHECK(read_bytes(frame + "xxxx", 100).error.starts_with(": corrupt zstd frame near byte"));
  CHECK(read_bytes("BZh9", 100).error == ": is bzip2, expected plain, gzip or zstd");
  CHECK(read_bytes("\xfd"
                   "7zXZ",
                   100)
            .error == ": is xz, expected plain, gzip or zstd");
}

TEST_CASE("converted inputs are read like lines", "[io]") {
  const test::TempDir dir;
  for (const char* const name : {"a", "b", "lines"})
    write_file(dir.file(name), "{\"n\":1}\n{\"n\":2}\n");
  const std::vector<std::string> files = {dir.file("a"), dir.file("lines"), dir.file("b")};
  CHECK(run_numbers(files, 2500, false, {}).records == 5002);
  // One shard unit each.
  CHECK(run_numbers(files, 2500, false, {.index = 0, .count = 2}).records == 5000);
  CHECK(run_numbers(files, 2500, false, {.index = 1, .count = 2}).records == 2);
  CHECK(run_numbers(files, 2500, false, {.index = 1, .count = 2, .by_file = true}).records == 2);
  // Lines before an error count.
  const Lines torn = run_numbers(files, 2500, true, {});
  CHECK(torn.records == 2500);
  CHECK(torn.error == "in: torn");
}
