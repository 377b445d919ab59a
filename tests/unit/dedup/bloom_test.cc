#include "dedup/bloom.h"

#include <cstring>
#include <fstream>
#include <set>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"

using namespace lm;
using namespace lm::dedup;

namespace {

std::vector<Hash128> make_keys(i64 n, u64 from, u64 seed = 0) {
  std::vector<Hash128> keys;
  for (i64 i = 0; i < n; ++i) {
    const u64 value = from + static_cast<u64>(i);
    keys.push_back(bloom_key({reinterpret_cast<const char*>(&value), sizeof value}, seed));
  }
  return keys;
}

BloomInfo info_of(const BloomShape& shape, i64 n, f64 p) {
  BloomInfo info;
  info.shape = shape;
  info.n_target = n;
  info.p_target = p;
  info.key_kind = "paragraph";
  info.created_by = "test 1";
  return info;
}

i64 count(const std::vector<u8>& seen) {
  i64 n = 0;
  for (const u8 s : seen)
    n += s;
  return n;
}

/// Share of n_probe absent keys that a filter with n keys reports.
f64 measured_rate(BloomScheme scheme, i64 n, f64 p, i64 n_probe) {
  LocalContext ctx;
  const BloomShape shape = bloom_shape(n, p, scheme);
  BloomFilter filter(info_of(shape, n, p), *ctx->memory);
  std::vector<u8> seen(usize(n));
  filter.test_and_insert(make_keys(n, 0), seen);
  std::vector<u8> probe(usize(n_probe));
  filter.test(make_keys(n_probe, 1u << 30), probe);
  return static_cast<f64>(count(probe)) / static_cast<f64>(n_probe);
}

void flip(const std::string& path, i64 at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace

TEST_CASE("a classic filter takes the optimal size and number of probes", "[dedup]") {
  // m = -n ln p / (ln 2)^2: for 1e9 keys at 1e-6, 28.755 bits a key and k = 20.
  const BloomShape shape = bloom_shape(1000000000, 1e-6, BloomScheme::kClassic);
  CHECK(shape.k == 20);
  CHECK(static_cast<f64>(shape.bits) / 1e9 == Approx(28.755).epsilon(0.002));
  CHECK(shape.bits % (256 * 512) == 0);
  CHECK(bloom_fpr(shape, 1000000000) <= 1e-6);
}

TEST_CASE("the blocked rate matches the table of the specification", "[dedup]") {
  // Best k: 12 bits a key 4.1e-3, 16 8.3e-4, 20 1.9e-4, 24 5.1e-5; two digits were given.
  const std::vector<std::pair<i64, f64>> rows = {
      {12, 4.1e-3}, {16, 8.3e-4}, {20, 1.9e-4}, {24, 5.1e-5}};
  for (const auto& [bits, rate] : rows) {
    const i64 n = 131072 * 64;
    const BloomShape shape = bloom_shape_in(n * bits / 8, n, BloomScheme::kBlocked);
    INFO(bits << " bits per key, k " << shape.k);
    CHECK(bloom_fpr(shape, n) == Approx(rate).epsilon(0.06));
  }
}

TEST_CASE("the scheme follows the wanted rate", "[dedup]") {
  CHECK(bloom_shape(100000, 1e-3).scheme == BloomScheme::kBlocked);
  CHECK(bloom_shape(100000, 1e-4).scheme == BloomScheme::kBlocked);
  CHECK(bloom_shape(100000, 1e-6).scheme == BloomScheme::kClassic);
}

TEST_CASE("impossible filters are usage errors", "[dedup]") {
  CHECK_THROWS_AS(bloom_shape(0, 0.01), Error);
  CHECK_THROWS_AS(bloom_shape(10, 0), Error);
  CHECK_THROWS_AS(bloom_shape(10, 1.0), Error);
  CHECK_THROWS_AS(bloom_shape_in(100, 10), Error);
  CHECK_THROWS_AS(bloom_shape_in(1 << 20, 0), Error);
}

TEST_CASE("the measured false-positive rate is within 1.2 times the target", "[dedup]") {
  // 2e6 probes at 1e-3 give 2000 expected hits: 1.2 is 9 standard errors above.
  const f64 blocked = measured_rate(BloomScheme::kBlocked, 1000000, 1e-3, 2000000);
  CHECK(blocked < 1.2e-3);
  CHECK(blocked > 0.8e-3);
  const f64 classic = measured_rate(BloomScheme::kClassic, 1000000, 1e-3, 2000000);
  CHECK(classic < 1.2e-3);
  CHECK(classic > 0.8e-3);
}

TEST_CASE("a small filter keeps its rate although sub-filters fill unevenly", "[dedup]") {
  // 2000 keys are 7.8 a sub-filter; the Poisson mixture must be part of the size.
  CHECK(measured_rate(BloomScheme::kClassic, 2000, 0.01, 400000) < 0.012);
  CHECK(measured_rate(BloomScheme::kBlocked, 2000, 0.01, 400000) < 0.012);
}

TEST_CASE("batched parallel insertion answers like one key at a time", "[dedup]") {
  for (const BloomScheme scheme : {BloomScheme::kClassic, BloomScheme::kBlocked}) {
    // 30000 keys drawn from 10000 values into a filter for 5000: repeats and false positives both.
    const RandomStream random(3, RandomPurpose::kOther);
    std::vector<Hash128> keys;
    for (u64 i = 0; i < 30000; ++i) {
      const u64 value = random.below(i, 10000);
      keys.push_back(bloom_key({reinterpret_cast<const char*>(&value), sizeof value}, 0));
    }
    const BloomInfo info = info_of(bloom_shape(5000, 0.05, scheme), 5000, 0.05);
    LocalContext ctx;
    BloomFilter slow(info, *ctx->memory);
    std::vector<u8> expected(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      slow.test_and_insert({&keys[i], 1}, {&expected[i], 1});
    }
    for (const int threads : {1, 2, 7}) {
      set_threads(threads);
      BloomFilter fast(info, *ctx->memory);
      std::vector<u8> seen(keys.size());
      fast.test_and_insert(keys, seen);
      CHECK(seen == expected);
      CHECK(std::equal(fast.words().begin(), fast.words().end(), slow.words().begin()));
      CHECK(fast.info().n_inserted == slow.info().n_inserted);
    }
    set_threads(1);
  }
}

TEST_CASE("the merge of two filters is the filter of the union", "[dedup]") {
  for (const BloomScheme scheme : {BloomScheme::kClassic, BloomScheme::kBlocked}) {
    LocalContext ctx;
    const BloomInfo info = info_of(bloom_shape(20000, 1e-3, scheme), 20000, 1e-3);
    BloomFilter a(info, *ctx->memory);
    BloomFilter b(info, *ctx->memory);
    BloomFilter both(info, *ctx->memory);
    const std::vector<Hash128> first = make_keys(8000, 0);
    const std::vector<Hash128> second = make_keys(8000, 5000);
    std::vector<u8> seen(8000);
    a.test_and_insert(first, seen);
    both.test_and_insert(first, seen);
    b.test_and_insert(second, seen);
    both.test_and_insert(second, seen);
    a.merge(b);
    CHECK(std::equal(a.words().begin(), a.words().end(), both.words().begin()));
    CHECK(a.info().n_inserted >= both.info().n_inserted);
  }
}

TEST_CASE("the intersection keeps every common key", "[dedup]") {
  LocalContext ctx;
  const BloomInfo info = info_of(bloom_shape(20000, 1e-3), 20000, 1e-3);
  BloomFilter a(info, *ctx->memory);
  BloomFilter b(info, *ctx->memory);
  std::vector<u8> seen(8000);
  a.test_and_insert(make_keys(8000, 0), seen);
  b.test_and_insert(make_keys(8000, 5000), seen);
  a.intersect(b);
  std::vector<u8> common(3000);
  a.test(make_keys(3000, 5000), common);
  CHECK(count(common) == 3000);
  std::vector<u8> others(5000);
  a.test(make_keys(5000, 0), others);
  CHECK(count(others) < 50);
}

TEST_CASE("filters of different making do not combine", "[dedup]") {
  LocalContext ctx;
  const BloomInfo info = info_of(bloom_shape(1000, 1e-3), 1000, 1e-3);
  BloomFilter a(info, *ctx->memory);
  BloomInfo other = info;
  other.seed = 1;
  const BloomFilter seeded(other, *ctx->memory);
  CHECK_THROWS_WITH(a.merge(seeded), Catch::Matchers::ContainsSubstring("seed"));
  other = info;
  other.normaliser = "alnum";
  const BloomFilter normalised(other, *ctx->memory);
  CHECK_THROWS_WITH(a.merge(normalised), Catch::Matchers::ContainsSubstring("normaliser"));
  other = info;
  other.shape.k += 1;
  const BloomFilter probes(other, *ctx->memory);
  CHECK_THROWS_WITH(a.intersect(probes), Catch::Matchers::ContainsSubstring("probes"));
}

TEST_CASE("the estimates of load follow the inserted keys", "[dedup]") {
  for (const BloomScheme scheme : {BloomScheme::kClassic, BloomScheme::kBlocked}) {
    LocalContext ctx;
    const i64 n = 200000;
    BloomFilter filter(info_of(bloom_shape(n, 1e-3, scheme), n, 1e-3), *ctx->memory);
    CHECK(filter.estimate().keys == 0);
    CHECK(filter.estimate().fpr == 0);
    std::vector<u8> seen(usize(n / 2));
    filter.test_and_insert(make_keys(n / 2, 0), seen);
    CHECK(filter.estimate().keys == Approx(static_cast<f64>(n / 2)).epsilon(0.03));
    filter.test_and_insert(make_keys(n / 2, u64{1} << 40), seen);
    CHECK(filter.estimate().keys == Approx(static_cast<f64>(n)).epsilon(0.03));
    // Below the target: sizes are multiples of 16 KiB.
    CHECK(filter.estimate().fpr == Approx(bloom_fpr(filter.info().shape, n)).epsilon(0.05));
  }
}

TEST_CASE("a saved filter comes back, mapped or loaded", "[dedup]") {
  test::TempDir dir;
  LocalContext ctx;
  BloomInfo info = info_of(bloom_shape(1000, 1e-3), 1000, 1e-3);
  info.seed = 77;
  BloomFilter filter(info, *ctx->memory);
  std::vector<u8> seen(1000);
  filter.test_and_insert(make_keys(1000, 0, 77), seen);
  filter.save(dir.file("a.bloom"));
  const BloomFilter mapped = BloomFilter::open(dir.file("a.bloom"));
  CHECK(mapped.info().n_inserted == filter.info().n_inserted);
  CHECK(mapped.info().seed == 77);
  CHECK(mapped.info().p_target == 1e-3);
  CHECK(mapped.info().key_kind == "paragraph");
  CHECK(mapped.info().created_by == "test 1");
  mapped.test(make_keys(1000, 0, 77), seen);
  CHECK(count(seen) == 1000);
  BloomFilter loaded = BloomFilter::load(dir.file("a.bloom"), *ctx->memory);
  loaded.test_and_insert(make_keys(1000, 0, 77), seen);
  CHECK(count(seen) == 1000);
  loaded.save(dir.file("b.bloom"));
  CHECK(io::read_file(dir.file("a.bloom")) == io::read_file(dir.file("b.bloom")));
}

TEST_CASE("a damaged filter file is a data error", "[dedup]") {
  test::TempDir dir;
  LocalContext ctx;
  const std::string path = dir.file("a.bloom");
  const BloomFilter filter(info_of(bloom_shape(1000, 1e-3), 1000, 1e-3), *ctx->memory);
  const auto refused = [&](const std::string& part) {
    try {
      BloomFilter::open(path);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      CHECK_THAT(e.message(), Catch::Matchers::ContainsSubstring(part));
      return;
    }
    FAIL("opened a damaged filter: " << part);
  };
  const std::vector<std::pair<i64, std::string>> flips = {
      {0, "LMBF"}, {4, "version"}, {8, "header"}, {16, "header"}, {25, "header"}, {5000, "digest"}};
  for (const auto& [at, message] : flips) {
    filter.save(path);
    flip(path, at);
    refused(message);
  }
  filter.save(path);
  std::filesystem::resize_file(path, 6000);
  refused("cut");
  std::filesystem::resize_file(path, 100);
  refused("header");
  std::filesystem::resize_file(path, 0);
  refused("header");
}

TEST_CASE("a header that lies about its size is refused before memory is taken", "[dedup]") {
  test::TempDir dir;
  LocalContext ctx;
  const std::string path = dir.file("a.bloom");
  BloomFilter(info_of(bloom_shape(1000, 1e-3), 1000, 1e-3), *ctx->memory).save(path);
  std::string bytes = io::read_file(path);
  for (const u64 bits : {u64{0}, u64{1} << 50, ~u64{0}, u64{131072} * 9, u64{512}}) {
    std::memcpy(bytes.data() + 24, &bits, sizeof bits);
    const u64 sealed = xxh3_64(std::string_view(bytes).substr(0, 200));
    std::memcpy(bytes.data() + 200, &sealed, sizeof sealed);
    std::ofstream(path, std::ios::binary) << bytes;
    CHECK_THROWS_AS(BloomFilter::load(path, *ctx->memory), Error);
  }
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("a filter beyond the memory budget is refused and nothing stays charged", "[dedup]") {
  LocalContext ctx(1, 1 << 20);
  const BloomInfo info = info_of(bloom_shape(10000000, 1e-3), 10000000, 1e-3);
  CHECK_THROWS_AS(BloomFilter(info, *ctx->memory), Error);
  CHECK(ctx->memory->used() == 0);
}
