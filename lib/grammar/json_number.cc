#include "grammar/json_number.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "core/str.h"

namespace lm::grammar {

namespace {

/// Digits of a magnitude; a bound of the interval.
struct Bound {
  Decimal value;
  bool open = false;
};

u64 capped_number(const std::string& digits) {
  constexpr u64 kCap = 1000000000;
  u64 value = 0;
  for (const char c : digits)
    value = std::min(10 * value + static_cast<u64>(c - '0'), kCap);
  return value;
}

/// d as a whole number of units of 10^-places.
u64 scaled(const Decimal& d, i64 places) {
  std::string digits = d.whole + d.fraction;
  digits.append(usize(places - isize(d.fraction)), '0');
  return capped_number(digits);
}

/// Reads the magnitudes of an interval. Numbers with the same count of digits before the point
/// compare as their digits do, so each count is read by itself.
class Reader {
 public:
  Reader(ExprTable& table, const NumberSet& set) : table_(table), set_(set) {
    for (const Decimal& d : set.multiples)
      places_ = std::max(places_, isize(d.fraction));
    for (const Decimal& d : set.multiples)
      add_divisor(scaled(d, places_));
    for (const Decimal& d : set.not_multiples)
      add_divisor(capped_number(d.whole));
  }

  /// Magnitudes m with low <= m <= high, no upper bound if high is absent.
  Expr magnitudes(const Bound& low, const std::optional<Bound>& high) {
    low_ = low;
    high_ = high;
    known_.clear();
    const i64 least = isize(low.value.whole);
    i64 most = std::max(kMostDigits, least);
    if (high) most = isize(high->value.whole);
    fraction_digits_ = std::max(kMostDigits, isize(low.value.fraction));
    if (high) fraction_digits_ = std::max(fraction_digits_, isize(high->value.fraction));
    if (!set_.multiples.empty()) fraction_digits_ = places_;
    if (set_.whole) fraction_digits_ = 0;
    constexpr i64 kMostStates = 200000;
    if (static_cast<i64>(modulus_) * (most + fraction_digits_) > kMostStates)
      refuse(cat("multiples of ", modulus_, " units need too many states"));
    std::vector<Expr> options;
    for (i64 digits = least; digits <= most; ++digits) {
      const bool on_low = digits == least;
      const bool on_high = high && digits == most;
      options.push_back(before_point({digits, on_low, on_high, 0, false}, true));
    }
    return table_.alt(std::move(options));
  }

 private:
  struct Place {
    i64 left;  // digits before the point still to come; behind it: -1 - digits read there
    bool on_low;
    bool on_high;
    u64 rest;                                        // of what was read, modulo modulus_
    bool broken;                                     // a digit behind the point that is not zero
    auto operator<=>(const Place&) const = default;  // NOLINT: no pointer, clang-tidy 14
  };

  void add_divisor(u64 d) {
    if (d == 0) refuse("multiples of a divisor that is too small");
    modulus_ = std::lcm(modulus_, d);
    constexpr u64 kMost = 100000;
    if (modulus_ > kMost) refuse(cat("multiples of more than ", kMost, " units"));
  }

  static char digit_at(const std::string& digits, i64 at) {
    return at < isize(digits) ? digits[usize(at)] : '0';
  }

  // The digit steps of a place: where it stands on a bound, digits beyond the bound are left out.
  template <typename Next>
  Expr digits_of(const Place& p, char low_digit, char high_digit, bool no_zero, Next next) {
    std::map<Place, ByteSet> steps;
    for (char c = no_zero ? '1' : '0'; c <= '9'; ++c) {
      if ((p.on_low && c < low_digit) || (p.on_high && c > high_digit)) continue;
      Place to = p;
      to.on_low = p.on_low && c == low_digit;
      to.on_high = p.on_high && c == high_digit;
      to.rest = (10 * p.rest + static_cast<u64>(c - '0')) % modulus_;
      to.left = p.left - 1;
      if (p.left <= -1) to.broken = set_.broken && (p.broken || c != '0');
      steps[to].add(static_cast<u8>(c));
    }
    std::vector<Expr> options;
    for (const auto& [to, digits] : steps)
      options.push_back(table_.cat(table_.bytes(digits), next(to)));
    return table_.alt(std::move(options));
  }

  Expr before_point(const Place& p, bool first) {
    if (p.left == 0) return point(p);
    const auto known = known_.find(p);
    if (!first && known != known_.end()) return known->second;
    const char low = p.on_low ? digit_at(low_.value.whole, isize(low_.value.whole) - p.left) : '0';
    const char high =
        p.on_high ? digit_at(high_->value.whole, isize(high_->value.whole) - p.left) : '9';
    const Expr out = digits_of(p, low, high, first && p.left > 1,
                               [&](const Place& to) { return before_point(to, false); });
    if (!first) known_[p] = out;
    return out;
  }

  Expr point(const Place& p) {
    const Expr end = may_end(p) ? kEmpty : kNothing;
    if (fraction_digits_ == 0) return end;
    Place behind = p;
    behind.left = -1;
    return table_.alt(end, table_.cat(table_.byte('.'), behind_point(behind, true)));
  }

  Expr behind_point(const Place& p, bool first) {
    const auto known = known_.find(p);
    if (!first && known != known_.end()) return known->second;
    const i64 read = -1 - p.left;
    std::vector<Expr> options;
    if (!first && may_end(p)) options.push_back(kEmpty);
    if (read < fraction_digits_) {
      const char low = p.on_low ? digit_at(low_.value.fraction, read) : '0';
      const char high = p.on_high ? digit_at(high_->value.fraction, read) : '9';
      options.push_back(
          digits_of(p, low, high, false, [&](const Place& to) { return behind_point(to, false); }));
    }
    const Expr out = table_.alt(std::move(options));
    if (!first) known_[p] = out;
    return out;
  }

  // Zeros follow: whether the number is within the bounds and divides as it should.
  bool may_end(const Place& p) const {
    const i64 read = p.left < 0 ? -1 - p.left : 0;
    const auto rest_is_zero = [&](const Bound& bound) {
      return read >= isize(bound.value.fraction);
    };
    if (p.on_low && (!rest_is_zero(low_) || low_.open)) return false;
    if (p.on_high && rest_is_zero(*high_) && high_->open) return false;
    if (set_.broken && !p.broken) return false;
    if (set_.multiples.empty() && set_.not_multiples.empty()) return true;
    u64 rest = p.rest;
    for (i64 i = read; i < places_; ++i)
      rest = 10 * rest % modulus_;
    for (const Decimal& d : set_.multiples) {
      if (rest % scaled(d, places_) != 0) return false;
    }
    // These are of whole numbers, which have no places.
    return std::none_of(set_.not_multiples.begin(), set_.not_multiples.end(),
                        [&](const Decimal& d) { return p.rest % capped_number(d.whole) == 0; });
  }

  ExprTable& table_;
  const NumberSet& set_;
  Bound low_;
  std::optional<Bound> high_;
  i64 places_ = 0;  // behind the point, of the divisors
  u64 modulus_ = 1;
  i64 fraction_digits_ = 0;
  std::map<Place, Expr> known_;
};

int compare_magnitudes(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  const int order = a.whole.compare(b.whole);
  return order != 0 ? order : a.fraction.compare(b.fraction);
}

/// Numbers of any kind: the same digits with an exponent that keeps them far from infinity.
Expr any_number(ExprTable& table) {
  const Expr digit = table.bytes(ByteSet::range('0', '9'));
  const Expr whole = table.alt(table.byte('0'), table.cat(table.bytes(ByteSet::range('1', '9')),
                                                          table.repeat(digit, 0, kMostDigits - 1)));
  const Expr fraction =
      table.optional(table.cat(table.byte('.'), table.repeat(digit, 1, kMostDigits)));
  ByteSet mark;
  mark.add('e');
  mark.add('E');
  ByteSet sign;
  sign.add('+');
  sign.add('-');
  const Expr exponent = table.optional(table.cat(
      table.bytes(mark), table.cat(table.optional(table.bytes(sign)), table.repeat(digit, 1, 2))));
  return table.cat(table.optional(table.byte('-')),
                   table.cat(whole, table.cat(fraction, exponent)));
}

}  // namespace

Decimal decimal(const io::Json& number) {
  std::string text = number.is_number_float() ? format_float(number.get<f64>()) : number.dump();
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.erase(0, 1);
  }
  i64 exponent = 0;
  const std::size_t mark = text.find('e');
  if (mark != std::string::npos) {
    std::string_view power = std::string_view(text).substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const bool below = power.starts_with('-');
    if (below) power.remove_prefix(1);
    exponent = parse_int(power).value_or(0) * (below ? -1 : 1);
    text.erase(mark);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point);
  if (point < text.size()) digits += text.substr(point + 1);
  i64 whole = static_cast<i64>(point) + exponent;
  if (whole < 0) {
    digits.insert(0, usize(-whole), '0');
    whole = 0;
  }
  if (whole > isize(digits)) digits.append(usize(whole - isize(digits)), '0');
  out.whole = digits.substr(0, usize(whole));
  out.fraction = digits.substr(usize(whole));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole = "0";
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  if (out.zero()) out.negative = false;
  return out;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

void NumberSet::at_least(const Decimal& bound, bool open) {
  const int order = low ? compare(bound, *low) : 1;
  if (order > 0) {
    low = bound;
    low_open = open;
  } else if (order == 0) {
    low_open |= open;
  }
}

void NumberSet::at_most(const Decimal& bound, bool open) {
  const int order = high ? compare(bound, *high) : -1;
  if (order < 0) {
    high = bound;
    high_open = open;
  } else if (order == 0) {
    high_open |= open;
  }
}

Expr numerals(ExprTable& table, const NumberSet& set) {
  if (!set.low && !set.high && !set.whole && !set.broken && set.multiples.empty())
    return any_number(table);
  if (set.low && set.high) {
    const int order = compare(*set.low, *set.high);
    if (order > 0 || (order == 0 && (set.low_open || set.high_open))) return kNothing;
  }
  Reader reader(table, set);
  std::vector<Expr> options;
  const Bound zero;
  if (!set.high || !set.high->negative) {  // zero and above
    const bool from_low = set.low && !set.low->negative;
    std::optional<Bound> high;
    if (set.high) high = Bound{*set.high, set.high_open};
    options.push_back(reader.magnitudes(from_low ? Bound{*set.low, set.low_open} : zero, high));
  }
  if (!set.low || set.low->negative) {  // below zero, where low and high change places
    Bound from{Decimal{}, true};
    if (set.high && set.high->negative) from = Bound{*set.high, set.high_open};
    from.value.negative = false;
    std::optional<Bound> to;
    if (set.low) {
      to = Bound{*set.low, set.low_open};
      to->value.negative = false;
    }
    options.push_back(table.cat(table.byte('-'), reader.magnitudes(from, to)));
  }
  return table.alt(std::move(options));
}

}  // namespace lm::grammar
