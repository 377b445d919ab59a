#include "census/natural.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace lm::census {

namespace {

constexpr i64 kUnit = -1074;  // exponent of the smallest f64

}  // namespace

Natural::Natural(u64 value) : words_(1, value) {
  trim();
}

Natural::Natural(std::span<const u64> words) : words_(words.begin(), words.end()) {
  trim();
}

void Natural::trim() {
  while (!words_.empty() && words_.back() == 0)
    words_.pop_back();
}

Natural Natural::operator+(const Natural& other) const {
  Natural out;
  const std::size_t n = std::max(words_.size(), other.words_.size());
  u128 carry = 0;
  for (std::size_t i = 0; i < n || carry != 0; ++i) {
    carry += i < words_.size() ? words_[i] : 0;
    carry += i < other.words_.size() ? other.words_[i] : 0;
    out.words_.push_back(static_cast<u64>(carry));
    carry >>= 64;
  }
  return out;
}

Natural Natural::operator-(const Natural& other) const {
  LM_CHECK(!(*this < other), "a difference of whole numbers is not negative");
  Natural out = *this;
  u64 borrow = 0;
  for (std::size_t i = 0; i < out.words_.size(); ++i) {
    const u64 from = out.words_[i];
    const u64 take = i < other.words_.size() ? other.words_[i] : 0;
    out.words_[i] = from - take - borrow;
    borrow = from < take || (from == take && borrow != 0) ? 1 : 0;
  }
  out.trim();
  return out;
}

Natural Natural::operator*(const Natural& other) const {
  Natural out;
  out.words_.resize(words_.size() + other.words_.size());
  for (std::size_t i = 0; i < words_.size(); ++i) {
    u64 carry = 0;
    for (std::size_t j = 0; j < other.words_.size(); ++j) {
      const u128 product = u128{words_[i]} * other.words_[j] + out.words_[i + j] + carry;
      out.words_[i + j] = static_cast<u64>(product);
      carry = static_cast<u64>(product >> 64);
    }
    out.words_[i + other.words_.size()] = carry;
  }
  out.trim();
  return out;
}

bool Natural::operator<(const Natural& other) const {
  if (words_.size() != other.words_.size()) return words_.size() < other.words_.size();
  return std::lexicographical_compare(words_.rbegin(), words_.rend(), other.words_.rbegin(),
                                      other.words_.rend());
}

long double Natural::scaled(i64 exponent) const {
  if (words_.empty()) return 0;
  const std::size_t top = words_.size() - 1;
  const int zeros = std::countl_zero(words_[top]);
  u64 leading = words_[top] << zeros;
  if (zeros > 0 && top > 0) leading |= words_[top - 1] >> (64 - zeros);
  // What is cut off leaves its trace in the last bit, so that rounding to f64 sees on which side of
  // a half the number is.
  bool rest = top > 0 && (words_[top - 1] << zeros) != 0;
  for (std::size_t i = 0; i + 1 < top && !rest; ++i)
    rest = words_[i] != 0;
  leading |= rest ? 1 : 0;
  return std::ldexp(static_cast<long double>(leading),
                    static_cast<int>(exponent + 64 * static_cast<i64>(top) - zeros));
}

void WideSum::add(u128 value, i64 shift) {
  std::size_t at = usize(shift / 64);
  const int off = static_cast<int>(shift % 64);
  const u64 low = static_cast<u64>(value);
  const u64 high = static_cast<u64>(value >> 64);
  const u64 parts[3] = {low << off, off == 0 ? high : low >> (64 - off) | high << off,
                        off == 0 ? 0 : high >> (64 - off)};
  u64 carry = 0;
  for (const u64 part : parts) {
    const u128 sum = u128{words_[at]} + part + carry;
    words_[at++] = static_cast<u64>(sum);
    carry = static_cast<u64>(sum >> 64);
  }
  for (; carry != 0; ++at)
    carry = ++words_[at] == 0 ? 1 : 0;
}

void WideSum::add(const WideSum& other) {
  u64 carry = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const u128 sum = u128{words_[i]} + other.words_[i] + carry;
    words_[i] = static_cast<u64>(sum);
    carry = static_cast<u64>(sum >> 64);
  }
}

void Moments::add(f64 value, i64 times) {
  const u64 bits = std::bit_cast<u64>(value);
  const u64 fraction = bits & ((u64{1} << 52) - 1);
  const i64 exponent = static_cast<i64>(bits >> 52 & 0x7FF);
  const u64 whole = exponent == 0 ? fraction : fraction | u64{1} << 52;
  const i64 shift = exponent == 0 ? 0 : exponent - 1;  // value = whole * 2^(shift - 1074)
  count_ += times;
  if (whole == 0) return;
  ((bits >> 63) != 0 ? negative_ : positive_).add(u128{whole} * static_cast<u64>(times), shift);
  const u128 square = u128{whole} * whole;
  if (times == 1) return squares_.add(square, 2 * shift);
  squares_.add(u128{static_cast<u64>(square)} * static_cast<u64>(times), 2 * shift);
  squares_.add(u128{static_cast<u64>(square >> 64)} * static_cast<u64>(times), 2 * shift + 64);
}

void Moments::add(const Moments& other) {
  count_ += other.count_;
  positive_.add(other.positive_);
  negative_.add(other.negative_);
  squares_.add(other.squares_);
}

f64 Moments::sum() const {
  const Natural up = positive_.natural();
  const Natural down = negative_.natural();
  return static_cast<f64>(up < down ? -(down - up).scaled(kUnit) : (up - down).scaled(kUnit));
}

f64 Moments::mean() const {
  if (count_ == 0) return std::numeric_limits<f64>::quiet_NaN();
  const Natural up = positive_.natural();
  const Natural down = negative_.natural();
  const long double sum = up < down ? -(down - up).scaled(kUnit) : (up - down).scaled(kUnit);
  return static_cast<f64>(sum / static_cast<long double>(count_));
}

f64 Moments::variance() const {
  if (count_ < 2) return std::numeric_limits<f64>::quiet_NaN();
  const Natural up = positive_.natural();
  const Natural down = negative_.natural();
  const Natural sum = up < down ? down - up : up - down;
  const Natural n(static_cast<u64>(count_));
  // n sum x^2 - (sum x)^2 without rounding, so nothing cancels.
  const Natural spread = n * squares_.natural() - sum * sum;
  return static_cast<f64>(spread.scaled(2 * kUnit) / static_cast<long double>(count_) /
                          static_cast<long double>(count_ - 1));
}

}  // namespace lm::census
