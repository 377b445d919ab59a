#include "ablate/split.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace lm::ablate {

Part part_of(std::string_view text, f64 valid, f64 test, u64 seed) {
  const u64 bits = mix64(xxh64(text) ^ mix64(seed + 1));
  const f64 at = uniform53(static_cast<u32>(bits >> 32), static_cast<u32>(bits));
  if (at < valid) return Part::kValid;
  return at < valid + test ? Part::kTest : Part::kUnit;
}

std::vector<i32> cut_into_units(std::span<const i64> lengths, i64 unit_tokens) {
  f64 total = 0;
  for (const i64 length : lengths)
    total += static_cast<f64>(length);
  const f64 ratio = unit_tokens > 0 ? total / static_cast<f64>(unit_tokens) : 1;
  const i64 units = std::max<i64>(1, static_cast<i64>(std::floor(ratio + 0.5)));
  std::vector<i32> out;
  f64 before = 0;
  for (const i64 length : lengths) {
    const f64 middle = before + static_cast<f64>(length) / 2;
    before += static_cast<f64>(length);
    const f64 place = total > 0 ? std::floor(middle * static_cast<f64>(units) / total) : 0;
    out.push_back(static_cast<i32>(std::min(place, static_cast<f64>(units - 1))));
  }
  return out;
}

u64 OverlapFilter::hash(std::span<const i32> window) const {
  return xxh3_64({reinterpret_cast<const char*>(window.data()), window.size_bytes()});
}

void OverlapFilter::add(std::span<const i32> tokens) {
  const i64 windows = isize(tokens) - width_ + 1;
  if (windows <= 0) return;
  const i64 bytes = windows * static_cast<i64>(sizeof(u64));
  memory_.charge_growing(charged_, bytes, "the held-out texts that units are compared with");
  charged_ += bytes;
  for (i64 i = 0; i < windows; ++i)
    hashes_.push_back(hash(tokens.subspan(usize(i), usize(width_))));
}

void OverlapFilter::seal() {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

f64 OverlapFilter::share(std::span<const i32> tokens) const {
  const i64 windows = isize(tokens) - width_ + 1;
  if (windows <= 0 || hashes_.empty()) return 0;
  i64 found = 0;
  for (i64 i = 0; i < windows; ++i) {
    const u64 one = hash(tokens.subspan(usize(i), usize(width_)));
    found += std::binary_search(hashes_.begin(), hashes_.end(), one) ? 1 : 0;
  }
  return static_cast<f64>(found) / static_cast<f64>(windows);
}

}  // namespace lm::ablate
