#include "judge.h"

#include <algorithm>

#include "core/str.h"
#include "dedup/bloom.h"
#include "io/json.h"

namespace lm::dedup_tool {

using dedup::BloomFilter;
using dedup::BloomInfo;
using dedup::BloomScheme;

namespace {

std::optional<BloomScheme> scheme_of(const cli::Options& options) {
  const std::string& name = options.text("bloom-scheme");
  if (name == "classic") return BloomScheme::kClassic;
  if (name == "blocked") return BloomScheme::kBlocked;
  return std::nullopt;
}

dedup::BloomShape shape_of(const cli::Options& options) {
  if (!options.given("bloom-n")) {
    throw Error(ErrorKind::kUsage, "a Bloom filter needs --bloom-n, the expected number of keys",
                "without any --bloom option the exact set is used");
  }
  const i64 n = options.integer("bloom-n");
  if (options.given("bloom-size")) {
    return dedup::bloom_shape_in(options.integer("bloom-size"), n, scheme_of(options));
  }
  return dedup::bloom_shape(n, options.real("bloom-p"), scheme_of(options));
}

/// A filter file has 31 bytes for the kind of its keys; a longer one ends in its digest.
std::string fit_kind(const std::string& kind) {
  constexpr std::size_t kWidth = 31;
  if (kind.size() <= kWidth) return kind;
  return cat(kind.substr(0, kWidth - 17), "#", hex64(xxh3_64(kind)));
}

}  // namespace

KeyJudge::KeyJudge(cli::Tool& tool, const std::string& key_kind, const std::string& normaliser)
    : tool_(tool), seed_(tool.seed()) {
  const cli::Options& options = tool.options();
  const bool bloom = options.given("bloom-n") || options.given("bloom-size") ||
                     options.given("bloom-in") || options.given("bloom-out");
  read_only_ = options.on("bloom-read-only");
  if (bloom) {
    open_filter(key_kind, normaliser);
    if (options.given("bloom-out")) tool.owe(options.text("bloom-out"));
  } else {
    exact_ = std::make_unique<dedup::ExactDedup>(tool.ctx(), tool.ctx().memory->limit() * 3 / 4);
  }
}

void KeyJudge::open_filter(const std::string& key_kind, const std::string& normaliser) {
  const cli::Options& options = tool_.options();
  MemoryBudget& memory = *tool_.ctx().memory;
  const std::string& path = options.text("bloom-in");
  if (path.empty()) {
    BloomInfo info;
    info.shape = shape_of(options);
    info.seed = seed_;
    info.n_target = options.integer("bloom-n");
    info.p_target = options.given("bloom-size") ? dedup::bloom_fpr(info.shape, info.n_target)
                                                : options.real("bloom-p");
    info.normaliser = normaliser;
    info.key_kind = fit_kind(key_kind);
    info.created_by = cat("lm-dedup ", cli::kToolkitVersion);
    filter_ = std::make_unique<BloomFilter>(info, memory);
  } else {
    for (const char* const size : {"bloom-n", "bloom-size"}) {
      if (options.given(size))
        throw Error(ErrorKind::kUsage,
                    cat("--", size, " sizes a new filter, --bloom-in has its size"));
    }
    filter_ = read_only_ ? std::make_unique<BloomFilter>(BloomFilter::open(path))
                         : std::make_unique<BloomFilter>(BloomFilter::load(path, memory));
    const BloomInfo& info = filter_->info();
    if (info.normaliser != normaliser || info.key_kind != fit_kind(key_kind)) {
      throw Error(ErrorKind::kData,
                  cat(path, ": holds ", info.key_kind, " keys normalised by ", info.normaliser,
                      ", expected ", key_kind, " by ", normaliser));
    }
    // The default, written out by --print-config or not, asks for nothing.
    if (options.text("seed") != options.find("seed")->def && seed_ != info.seed) {
      throw Error(ErrorKind::kUsage,
                  cat(path, ": its keys are hashed with --seed ", info.seed, ", not ", seed_));
    }
    seed_ = info.seed;
    const std::span<const u64> words = filter_->words();
    const Hash128 digest =
        xxh3_128({reinterpret_cast<const char*>(words.data()), words.size_bytes()});
    tool_.set_param("bloom_in_digest", cat("\"", hex64(digest.hi), hex64(digest.lo), "\""));
  }
  const BloomInfo& info = filter_->info();
  tool_.console().message(
      LogLevel::kInfo,
      cat("Bloom filter: ", info.shape.scheme == BloomScheme::kClassic ? "classic" : "blocked",
          ", ", format_bytes(info.shape.bytes()), ", ", info.shape.k,
          " probes, false-positive rate ", info.p_target, " at ", info.n_target, " keys"));
}

bool KeyJudge::decide(std::span<const Hash128> keys, std::span<u8> seen) {
  if (exact_) return exact_->try_add(keys, seen);
  if (read_only_) {
    filter_->test(keys, seen);
    return true;
  }
  filter_->test_and_insert(keys, seen);
  check_load();
  return true;
}

/// From the number of inserted keys, not from a sample: the same batch warns in every run.
void KeyJudge::check_load() {
  const BloomInfo& info = filter_->info();
  if (warned_ || info.n_inserted <= info.n_target ||
      dedup::bloom_fpr(info.shape, info.n_inserted) <= 2 * info.p_target) {
    return;
  }
  warned_ = true;
  const std::string what =
      cat("the Bloom filter holds ", info.n_inserted, " keys, sized for ", info.n_target,
          ": its false-positive rate is ", dedup::bloom_fpr(info.shape, info.n_inserted));
  if (tool_.options().text("on-overfull") == "stop") {
    throw Error(ErrorKind::kData, what, "give a larger --bloom-n");
  }
  tool_.console().message(LogLevel::kWarning, what);
}

void KeyJudge::defer(std::span<const Hash128> keys, std::span<const u64> priorities) {
  LM_CHECK(priorities.empty() || priorities.size() == keys.size(), "one priority per key");
  if (!exact_->deferred()) {
    if (priorities.empty()) {
      tool_.console().message(LogLevel::kInfo,
                              "the exact set has used --memory up; sorting on disk");
    }
    exact_->start_deferred();
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    exact_->add_deferred(keys[i], priorities.empty() ? 0 : priorities[i], deferred_++);
}

void KeyJudge::finish() {
  if (exact_) {
    exact_->finish();
    next_duplicate_ = exact_->next_duplicate();
  } else if (tool_.options().given("bloom-out")) {
    const std::string& path = tool_.options().text("bloom-out");
    filter_->write(tool_.other_output(path));
    tool_.settle(path);
  }
}

void KeyJudge::answer(std::span<u8> seen) {
  for (u8& one : seen) {
    one = next_duplicate_ == answered_;
    if (one != 0) next_duplicate_ = exact_->next_duplicate();
    ++answered_;
  }
}

void KeyJudge::add_metrics() const {
  tool_.add_metric("deferred_keys", cat(deferred_));
  if (!filter_) return;
  const dedup::BloomLoad load = filter_->estimate();
  tool_.add_metric("bloom_bytes", cat(filter_->info().shape.bytes()));
  tool_.add_metric("bloom_fill", cat(load.fill));
  tool_.add_metric("bloom_keys_estimate", cat(load.keys));
  tool_.add_metric("bloom_fpr_estimate", cat(load.fpr));
}

}  // namespace lm::dedup_tool
