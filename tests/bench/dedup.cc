// bench-dedup sign DOCUMENTS      text -> 112 minima (preset fineweb), one thread
// bench-dedup minima SHINGLES     shingle hashes -> 112 minima
// bench-dedup shingles DOCUMENTS  writes the shingle hashes: i64 documents, i64 offsets
// [documents + 1], u64 hashes; native order
// bench-dedup bloom SCHEME GIB K  test-and-insert of keys never seen, and of keys seen before
// DOCUMENTS: NUL-separated texts. sign and minima wait for a line on standard input before each
// round, so that a driver can alternate programs, and answer with a JSON line of processor seconds.

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <time.h>

#include "core/context.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "dedup/bloom.h"
#include "dedup/minhash.h"
#include "io/file.h"

namespace {

using namespace lm;

/// Processor time of this thread: a shared machine's wall time says little.
f64 seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<f64>(now.tv_sec) + 1e-9 * static_cast<f64>(now.tv_nsec);
}

bool next_round() {
  for (int c = getchar(); c != EOF; c = getchar()) {
    if (c == '\n') return true;
  }
  return false;
}

std::vector<std::string_view> documents_of(const std::string& all) {
  std::vector<std::string_view> documents;
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('\0'));
    documents.push_back(one);
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return documents;
}

/// A sum over all minima, so that no work can be left out and runs can be compared.
u64 fold(std::span<const u32> minima) {
  u64 sum = 0;
  for (const u32 m : minima)
    sum += m;
  return sum;
}

void sign(const std::string& path) {
  const std::string all = io::read_file(path);
  const std::vector<std::string_view> documents = documents_of(all);
  const dedup::MinhashParams params;
  const dedup::Shingler shingler(params);
  const dedup::Signer signer(params);
  dedup::Shingler::Scratch scratch;
  std::vector<u64> shingles;
  std::vector<u32> minima(usize(params.minima()));
  while (next_round()) {
    u64 sum = 0;
    f64 shingle_s = 0;
    const f64 start = seconds();
    for (const std::string_view document : documents) {
      shingler.shingles(document, scratch, shingles);
      signer.minima(shingles, minima);
      sum += fold(minima);
    }
    const f64 total_s = seconds() - start;
    for (const std::string_view document : documents) {
      const f64 before = seconds();
      shingler.shingles(document, scratch, shingles);
      shingle_s += seconds() - before;
    }
    printf("{\"cpu_s\":%.6f,\"shingle_s\":%.6f,\"bytes\":%zu,\"documents\":%zu,\"sum\":\"%s\"}\n",
           total_s, shingle_s, all.size() - documents.size(), documents.size(), hex64(sum).c_str());
    fflush(stdout);
  }
}

void write_shingles(const std::string& path) {
  const std::string all = io::read_file(path);
  const dedup::Shingler shingler{dedup::MinhashParams()};
  dedup::Shingler::Scratch scratch;
  std::vector<i64> offsets = {0};
  std::vector<u64> hashes;
  std::vector<u64> one;
  for (const std::string_view document : documents_of(all)) {
    shingler.shingles(document, scratch, one);
    hashes.insert(hashes.end(), one.begin(), one.end());
    offsets.push_back(isize(hashes));
  }
  const i64 count = isize(offsets) - 1;
  fwrite(&count, sizeof count, 1, stdout);
  fwrite(offsets.data(), sizeof(i64), offsets.size(), stdout);
  fwrite(hashes.data(), sizeof(u64), hashes.size(), stdout);
}

void minima_only(const std::string& path) {
  const std::string all = io::read_file(path);
  i64 count = 0;
  std::memcpy(&count, all.data(), sizeof count);
  std::vector<i64> offsets(usize(count + 1));
  std::memcpy(offsets.data(), all.data() + 8, offsets.size() * 8);
  std::vector<u64> hashes(usize(offsets.back()));
  std::memcpy(hashes.data(), all.data() + 8 + offsets.size() * 8, hashes.size() * 8);
  const dedup::MinhashParams params;
  const dedup::Signer signer(params);
  std::vector<u32> minima(usize(params.minima()));
  while (next_round()) {
    u64 sum = 0;
    const f64 start = seconds();
    for (i64 i = 0; i < count; ++i) {
      const i64 from = offsets[usize(i)];
      signer.minima(std::span(hashes).subspan(usize(from), usize(offsets[usize(i + 1)] - from)),
                    minima);
      sum += fold(minima);
    }
    printf("{\"cpu_s\":%.6f,\"shingles\":%zu,\"sum\":\"%s\"}\n", seconds() - start, hashes.size(),
           hex64(sum).c_str());
    fflush(stdout);
  }
}

/// Keys are drawn beforehand in batches of 64 Ki, as the program hands them over.
void bloom(const std::string& scheme, i64 gib, i64 k) {
  constexpr i64 kBatch = 1 << 16;
  constexpr i64 kBatches = 64;
  dedup::BloomInfo info;
  info.shape.scheme =
      scheme == "classic" ? dedup::BloomScheme::kClassic : dedup::BloomScheme::kBlocked;
  info.shape.k = k;
  info.shape.bits = gib << 33;
  LocalContext ctx(1, (gib << 30) + (i64{1} << 28));
  dedup::BloomFilter filter(info, *ctx->memory);
  std::vector<Hash128> keys(usize(kBatch));
  std::vector<u8> seen(usize(kBatch));
  // Pass 0 touches the filter's pages before the clock runs.
  for (i64 pass = 0; pass < 3; ++pass) {
    f64 spent = 0;
    i64 found = 0;
    for (i64 batch = 0; batch < kBatches; ++batch) {
      for (i64 i = 0; i < kBatch; ++i) {
        const u64 x = static_cast<u64>((pass == 0 ? -1 - batch : batch) * kBatch + i);
        keys[usize(i)] = {mix64(x), mix64(x ^ 0x5bd1e9955bd1e995ULL)};
      }
      const f64 start = seconds();
      filter.test_and_insert(keys, seen);
      spent += seconds() - start;
      for (const u8 one : seen)
        found += one;
    }
    if (pass == 0) continue;
    printf(
        "{\"scheme\":\"%s\",\"gib\":%lld,\"k\":%lld,\"keys\":\"%s\",\"million_per_s\":%.2f,"
        "\"found\":%lld}\n",
        scheme.c_str(), static_cast<long long>(gib), static_cast<long long>(k),
        pass == 1 ? "new" : "seen", static_cast<f64>(kBatches * kBatch) / spent / 1e6,
        static_cast<long long>(found));
  }
}

int run(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  set_threads(1);
  if (what == "sign") {
    sign(argv[2]);
  } else if (what == "shingles") {
    write_shingles(argv[2]);
  } else if (what == "minima") {
    minima_only(argv[2]);
  } else if (what == "bloom" && argc == 5) {
    bloom(argv[2], std::stoll(argv[3]), std::stoll(argv[4]));
  } else {
    fprintf(stderr, "usage: bench-dedup sign|shingles|minima FILE | bloom SCHEME GIB K\n");
    return 64;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const lm::Error& error) {
    fprintf(stderr, "bench-dedup: %s\n", error.what());
    return 65;
  }
}
