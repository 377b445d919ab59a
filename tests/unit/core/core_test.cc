#include <atomic>
#include <limits>
#include <vector>

#include <time.h>

#include "catch.h"
#include "core/context.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/result.h"
#include "core/stages.h"
#include "core/str.h"

using namespace lm;

TEST_CASE("philox gives the published known answers", "[core]") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Philox4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const u32 ones = 0xffffffffu;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Philox4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Philox4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random streams are functions of seed, purpose, stream and index", "[core]") {
  const RandomStream a(1, RandomPurpose::kInit, 7);
  const RandomStream b(1, RandomPurpose::kInit, 8);
  const RandomStream c(1, RandomPurpose::kDropout, 7);
  CHECK(a.bits(5) == RandomStream(1, RandomPurpose::kInit, 7).bits(5));
  CHECK(a.bits(5) != b.bits(5));
  CHECK(a.bits(5) != c.bits(5));
  CHECK(a.bits(4) != a.bits(5));
  f64 sum = 0;
  f64 squares = 0;
  const i64 n = 20000;
  for (i64 i = 0; i < n; ++i) {
    const f64 x = a.normal(static_cast<u64>(i));
    sum += x;
    squares += x * x;
    CHECK_FALSE(a.below(static_cast<u64>(i), 10) >= 10);
  }
  CHECK(std::abs(sum / n) < 0.03);  // 4 standard errors of the mean are 0.028
  CHECK(std::abs(squares / n - 1) < 0.05);
}

TEST_CASE("sha256 matches FIPS 180-4 examples", "[core]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1000000, 'a');
  Sha256 sha;
  for (std::size_t at = 0; at < million.size(); at += 777) {
    sha.update(std::string_view(million).substr(at, 777));
  }
  CHECK(sha.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("xxh64 matches the reference vector and the stream form", "[core]") {
  CHECK(xxh64("") == 0xef46db3751d8e999ULL);
  Xxh64Stream stream;
  stream.update("abc");
  stream.update("def");
  CHECK(stream.digest() == xxh64("abcdef"));
}

TEST_CASE("numbers parse whole strings only", "[core]") {
  CHECK(parse_int("010") == 10);
  CHECK(parse_int("-3") == -3);
  CHECK_FALSE(parse_int(" 3"));
  CHECK_FALSE(parse_int("3x"));
  CHECK_FALSE(parse_int(""));
  CHECK(parse_count("1e6") == 1000000);
  CHECK(parse_count("2.5e3") == 2500);
  CHECK_FALSE(parse_count("1.5"));
  CHECK_FALSE(parse_count("1e30"));
  CHECK(parse_size("2G") == i64{2} << 30);
  CHECK(parse_size("64k") == 65536);
  CHECK(parse_size("1.5M") == 3 << 19);
  CHECK(parse_size("10MiB") == 10 << 20);
  CHECK(parse_size("512B") == 512);
  CHECK_FALSE(parse_size("-1"));
  CHECK_FALSE(parse_size("9999999999T"));
  CHECK_FALSE(parse_size("K"));
  CHECK(parse_float("1e-3") == 0.001);
}

TEST_CASE("floats print in shortest round-trip form", "[core]") {
  CHECK(cat(0.1) == "0.1");
  CHECK(cat(0.1f) == "0.1");
  CHECK(cat(1.0) == "1");
  CHECK(cat(1e300) == "1e+300");
  CHECK(cat("a", 'b', 3, true, -7L) == "ab3true-7");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_count(1234567) == "1.23M");
}

TEST_CASE("the nearest option name is found within two edits", "[core]") {
  const std::vector<std::string> names = {"--threads", "--report", "--seed"};
  CHECK(nearest_name("--thread", names) == "--threads");
  CHECK(nearest_name("--sede", names) == "--seed");
  CHECK(nearest_name("--unknown", names).empty());
}

TEST_CASE("bytes are counted up to enough", "[core]") {
  CHECK(count_byte("", 'a') == 0);
  CHECK(count_byte("banana", 'a') == 3);
  CHECK(count_byte("banana", 'a', 2) == 2);
  CHECK(count_byte(std::string_view("a\0a", 3), '\0') == 1);
}

TEST_CASE("quoting shows control bytes and cuts long text", "[core]") {
  CHECK(quote("a\n\"\x01") == "\"a\\n\\\"\\x01\"");
  CHECK(quote("abcdef", 3) == "\"abc...\"");
}

TEST_CASE("a memory budget refuses what does not fit and names what would do", "[core]") {
  MemoryBudget budget(100);
  CHECK(budget.try_charge(60));
  CHECK_FALSE(budget.try_charge(50));
  CHECK(budget.available() == 40);
  try {
    budget.charge(50, "a table");
    FAIL("charge should throw");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
    CHECK(e.message().find("a table") != std::string::npos);
    CHECK(e.hint().find("--memory") != std::string::npos);
  }
  f64 done = 0.25;
  MemoryBudget half(4 << 20);
  half.watch_input([&done] { return done; });
  REQUIRE(half.try_charge(3 << 20));
  const auto hint = [&half] {
    try {
      half.charge_growing(1 << 20, 2 << 20, "a table");
    } catch (const Error& e) {
      return e.hint();
    }
    return std::string("accepted");
  };
  CHECK(hint() == "--memory 14M would do, as 25% of the input took 3M");
  done = 1;
  CHECK(hint() == "--memory 5M would do");
  done = -1;
  CHECK(hint() == "more than --memory 5M is needed: the input goes on");
  budget.release(60);
  CHECK(budget.used() == 0);
}

TEST_CASE("parallel_for covers each index once for any thread count", "[core]") {
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const i64 n : {i64{0}, i64{1}, i64{5}, i64{1000}}) {
      std::vector<std::atomic<int>> seen(usize(n));
      parallel_for(n, 3, [&](i64 begin, i64 end) {
        for (i64 i = begin; i < end; ++i)
          seen[usize(i)].fetch_add(1);
      });
      for (const std::atomic<int>& count : seen)
        CHECK(count.load() == 1);
    }
  }
  set_threads(1);
}

TEST_CASE("a pipeline keeps order and propagates the first exception", "[core]") {
  static std::atomic<i64> alive;
  struct Item final : PipelineItem {
    i64 value = 0;
    Item() { ++alive; }
    ~Item() override { --alive; }
  };
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    i64 next = 0;
    std::vector<i64> out;
    ordered_pipeline(
        8,
        [&]() -> std::unique_ptr<PipelineItem> {
          if (next == 500) return nullptr;
          auto item = std::make_unique<Item>();
          item->value = next++;
          return item;
        },
        {{StageMode::kParallel, [](PipelineItem& item) { static_cast<Item&>(item).value *= 2; }},
         {StageMode::kSerial,
          [&](PipelineItem& item) { out.push_back(static_cast<Item&>(item).value); }}});
    REQUIRE(out.size() == 500);
    for (i64 i = 0; i < 500; ++i)
      CHECK(out[usize(i)] == 2 * i);
    next = 0;
    CHECK_THROWS_AS(ordered_pipeline(8,
                                     [&]() -> std::unique_ptr<PipelineItem> {
                                       if (next == 500) return nullptr;
                                       auto item = std::make_unique<Item>();
                                       item->value = next++;
                                       return item;
                                     },
                                     {{StageMode::kParallel,
                                       [](PipelineItem& item) {
                                         if (static_cast<Item&>(item).value == 77) {
                                           throw Error(ErrorKind::kData, "seventy-seven");
                                         }
                                       }}}),
                    Error);
    CHECK(alive == 0);  // also those that were in flight
  }
  set_threads(1);
}

template <class T>
concept Splits = requires(T&& text) {
  split(std::forward<T>(text), ',');
};
static_assert(Splits<const std::string&> && Splits<std::string_view> && Splits<const char*>);
static_assert(!Splits<std::string>, "views of a temporary dangle");

TEST_CASE("stages keep their order, sum by name and tell work from waiting", "[core]") {
  Stages stages;
  CHECK(stages.json() == "[]");
  Stage& read = stages.stage("read");
  Stage& work = stages.stage("work");
  CHECK(&stages.stage("read") == &read);
  {
    const StageTimer timer(work);
    volatile f64 sum = 0;
    while (sum < 3e6)
      sum = sum + 1;
  }
  CHECK(work.busy_ns.load() > 0);
  CHECK(read.busy_ns.load() == 0);
  read.records = 3;
  read.busy_ns = 1'500'000'000;
  read.wait_ns = 250'400'000;
  work.busy_ns = work.wait_ns = 0;
  CHECK(stages.json() == R"([{"name":"read","busy_s":1.500,"wait_s":0.250,"records":3},)"
                         R"({"name":"work","busy_s":0.000,"wait_s":0.000,"records":0}])");
}

TEST_CASE("a thread that is blocked waits and does not work", "[core]") {
  Stage stage("blocked");
  {
    const StageTimer timer(stage);
    const timespec nap{0, 30'000'000};  // the time spent asleep is what is tested
    REQUIRE(nanosleep(&nap, nullptr) == 0);
  }
  CHECK(stage.wait_ns.load() >= 29'000'000);
  CHECK(stage.busy_ns.load() < stage.wait_ns.load());
}

TEST_CASE("durations are told in two units at most", "[core]") {
  CHECK(format_duration(0.04) == "0.0 s");
  CHECK(format_duration(9.94) == "9.9 s");
  CHECK(format_duration(9.96) == "10 s");
  CHECK(format_duration(59.6) == "1m 00s");
  CHECK(format_duration(200) == "3m 20s");
  CHECK(format_duration(7500) == "2h 05m");
  CHECK(format_duration(277200) == "3d 05h");
  CHECK(format_duration(std::numeric_limits<f64>::infinity()) == "very long");
  CHECK(format_duration(std::numeric_limits<f64>::quiet_NaN()) == "very long");
}

TEST_CASE("an error knows where in the source it arose, a prefix does not change that", "[core]") {
  const Error error(ErrorKind::kData, "x");
  const u32 line = __LINE__ - 1;
  CHECK(source_place(error.where()) == cat("tests/unit/core/core_test.cc:", line));
  CHECK(source_place(error.with_prefix("file").where()) == source_place(error.where()));
}
