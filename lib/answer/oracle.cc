#include "answer/oracle.h"

#include <algorithm>
#include <cmath>

#include "answer/json_at.h"
#include "answer/request.h"
#include "core/str.h"
#include "core/utf8.h"
#include "decode/draw.h"

namespace lm::answer {

namespace {

i64 power_of_ten(i64 exponent) {
  i64 out = 1;
  for (i64 i = 0; i < exponent; ++i)
    out *= 10;
  return out;
}

/// 10^-decimals times a whole number.
std::string fixed(i64 units, i64 decimals) {
  const i64 one = power_of_ten(decimals);
  std::string out = cat(units < 0 ? "-" : "", std::abs(units) / one);
  if (decimals == 0) return out;
  const std::string fraction = cat(std::abs(units) % one);
  return cat(out, ".", std::string(usize(decimals) - fraction.size(), '0'), fraction);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string count_digits(const Noise& noise, std::string_view input, const RandomStream& draws) {
  const bool noisy = noise.kind == Noise::Kind::kBinomialMiss;
  const f64 miss = noisy ? noise.chance(count_characters(input)) : 0;
  const f64 invent = noisy ? noise.false_rate : 0;
  i64 count = 0;
  u64 k = 0;
  for (i64 at = 0; at < isize(input); ++k) {
    const Decoded c = decode_at(input, at);
    at += c.size;
    if (c.cp >= '0' && c.cp <= '9') {
      if (miss == 0 || draws.uniform(k) >= miss) ++count;
    } else if (invent > 0 && draws.uniform(k) < invent) {
      ++count;
    }
  }
  return cat(count);
}

std::string sort_numbers(const Oracle& oracle, std::string_view input, const RandomStream& draws) {
  const Noise& noise = oracle.noise;
  const i64 chars = count_characters(input);
  std::vector<std::string> numbers;
  for (const std::string_view number : numbers_in(input))
    numbers.emplace_back(number);
  if (noise.kind == Noise::Kind::kDrop) {
    u64 k = 0;
    std::erase_if(numbers,
                  [&](const std::string&) { return draws.uniform(k++) < noise.chance(chars); });
  }
  std::stable_sort(numbers.begin(), numbers.end(), [](const std::string& a, const std::string& b) {
    return parse_float(a).value_or(0) < parse_float(b).value_or(0);
  });
  if (noise.kind == Noise::Kind::kSwap) {
    for (std::size_t k = 0; 2 * k + 1 < numbers.size(); ++k)
      if (draws.uniform(k) < noise.chance(chars)) std::swap(numbers[2 * k], numbers[2 * k + 1]);
  }
  if (noise.kind == Noise::Kind::kJitter) {
    const f64 one = static_cast<f64>(power_of_ten(noise.decimals));
    const i64 width = std::llround(std::clamp(noise.curve(chars) * one, 0.0, 1e15));
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const f64 value = std::clamp(parse_float(numbers[k]).value_or(0) * one, -1e15, 1e15);
      const i64 moved = static_cast<i64>(draws.below(k, static_cast<u64>(2 * width + 1))) - width;
      numbers[k] = fixed(std::llround(value) + moved, noise.decimals);
    }
  }
  return join(numbers, oracle.separator);
}

std::string find_needle(const Oracle& oracle, std::string_view input, std::string_view needle,
                        const RandomStream& draws) {
  const std::size_t place = input.find(needle);
  std::string_view found;
  if (place != std::string_view::npos) {
    std::size_t begin = place + needle.size();
    while (begin < input.size() && !is_digit(input[begin]))
      ++begin;
    std::size_t end = begin;
    while (end < input.size() && is_digit(input[end]))
      ++end;
    found = input.substr(begin, end - begin);
  }
  const Noise& noise = oracle.noise;
  if (noise.kind == Noise::Kind::kNeedle) {
    if (!found.empty() && draws.uniform(0) < noise.chance(count_characters(input)))
      return oracle.absent;
    if (found.empty() && draws.uniform(0) < noise.false_rate) {
      const std::string code = cat(draws.below(1, static_cast<u64>(power_of_ten(noise.digits))));
      return std::string(usize(noise.digits) - code.size(), '0') + code;
    }
  }
  return found.empty() ? oracle.absent : std::string(found);
}

std::string echo(const Noise& noise, std::string_view input, const RandomStream& draws) {
  if (noise.kind != Noise::Kind::kDrop) return std::string(input);
  const f64 drop = noise.chance(count_characters(input));
  std::string out;
  u64 k = 0;
  for (i64 at = 0; at < isize(input); ++k) {
    const int size = decode_at(input, at).size;
    if (draws.uniform(k) >= drop) out += input.substr(usize(at), usize(size));
    at += size;
  }
  return out;
}

Result<std::string> json_path(const Oracle& oracle, std::string_view input) {
  const io::Json json = io::Json::parse(input, nullptr, false);
  if (json.is_discarded()) return Fault{"script", "jsonpath: the input is no JSON", -1};
  const io::Json* const at = json_at(json, oracle.path);
  if (at == nullptr)
    return Fault{"script", cat("jsonpath: the input has nothing at ", quote(oracle.path)), -1};
  return at->is_string() ? at->get<std::string>() : at->dump();
}

}  // namespace

f64 Noise::curve(i64 chars) const {
  return rate + rate_per_char * std::pow(static_cast<f64>(chars), rate_power);
}

f64 Noise::chance(i64 chars) const {
  return std::clamp(curve(chars), 0.0, 1.0);
}

bool fits(Oracle::Kind oracle, Noise::Kind noise) {
  using O = Oracle::Kind;
  switch (noise) {
    case Noise::Kind::kNone:
    case Noise::Kind::kWrong:
      return true;
    case Noise::Kind::kBinomialMiss:
      return oracle == O::kCountDigits;
    case Noise::Kind::kDrop:
      return oracle == O::kSortNumbers || oracle == O::kEcho;
    case Noise::Kind::kSwap:
    case Noise::Kind::kJitter:
      return oracle == O::kSortNumbers;
    case Noise::Kind::kNeedle:
      return oracle == O::kFindNeedle;
  }
  return false;
}

RandomStream oracle_draws(u64 seed, std::string_view id, i64 sample) {
  const decode::DrawKey key = decode::draw_key(seed, id);
  return {u64{key[1]} << 32 | key[0], RandomPurpose::kOther, static_cast<u64>(sample)};
}

Result<std::string> oracle_reply(const Oracle& oracle, std::string_view input,
                                 std::string_view needle, const RandomStream& draws) {
  const Noise& noise = oracle.noise;
  Result<std::string> out = std::string();
  if (noise.kind == Noise::Kind::kWrong &&
      draws.uniform(0) < noise.chance(count_characters(input))) {
    out = noise.wrong;
  } else {
    switch (oracle.kind) {
      case Oracle::Kind::kCountDigits:
        out = count_digits(noise, input, draws);
        break;
      case Oracle::Kind::kSortNumbers:
        out = sort_numbers(oracle, input, draws);
        break;
      case Oracle::Kind::kFindNeedle:
        out = find_needle(oracle, input, needle, draws);
        break;
      case Oracle::Kind::kEcho:
        out = echo(noise, input, draws);
        break;
      case Oracle::Kind::kJsonPath:
        out = json_path(oracle, input);
        break;
    }
  }
  if (!out) return out;
  return cat(oracle.prefix, *out, oracle.suffix);
}

std::vector<std::string_view> numbers_in(std::string_view text) {
  std::vector<std::string_view> out;
  const auto digit = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
  const auto word = [&](std::size_t i) { return digit(i) || is_letter(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    if (!digit(i)) {
      ++i;
      continue;
    }
    std::size_t begin = i;
    if (begin > 0 && text[begin - 1] == '-' && (begin == 1 || !word(begin - 2))) --begin;
    while (digit(i))
      ++i;
    if (i < text.size() && text[i] == '.' && digit(i + 1)) {
      ++i;
      while (digit(i))
        ++i;
    }
    out.push_back(text.substr(begin, i - begin));
  }
  return out;
}

}  // namespace lm::answer
