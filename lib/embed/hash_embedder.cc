#include "embed/hash_embedder.h"

#include "core/hash.h"
#include "core/str.h"
#include "embed/pooling.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::embed {
namespace {

constexpr i64 kMostGram = 16;
constexpr i64 kMostDim = i64{1} << 24;
constexpr u64 kCharSeed = 0;  // n-grams of characters and of words are different features
constexpr u64 kWordSeed = 1;

constexpr const char* kExample = "hash:char3-5,dim=1024, or hash:word1-2, or both";

[[noreturn]] void refuse(std::string_view part) {
  throw Error(ErrorKind::kUsage, cat("--model hash: ", quote(part), " is not understood"),
              kExample);
}

/// "3-5" or "3".
void parse_range(std::string_view part, std::string_view text, i64& least, i64& most) {
  const std::size_t dash = text.find('-');
  const std::optional<i64> first = parse_count(text.substr(0, dash));
  const std::optional<i64> last =
      dash == std::string_view::npos ? first : parse_count(text.substr(dash + 1));
  if (!first || !last) refuse(part);
  if (least != 0)
    throw Error(ErrorKind::kUsage, cat("--model hash: ", quote(part), " is a second range"));
  if (*first < 1 || *last < *first || *last > kMostGram) {
    throw Error(ErrorKind::kUsage, cat("--model hash: ", quote(part),
                                       ", expected lengths from 1 to ", kMostGram, ", rising"));
  }
  least = *first;
  most = *last;
}

/// The text in its compared form, and where its units begin, with the end behind them.
struct Units {
  std::string text;
  std::vector<i64> chars;  // of characters
  std::vector<i64> words;  // of words, without the blank between them; in pairs begin, end
};

Units units_of(std::string_view text) {
  const std::string lower = lm::text::to_lower(lm::text::nfkc(text));
  Units out;
  bool blank = true;
  for (i64 at = 0; at < isize(lower);) {
    const lm::text::Decoded d = lm::text::decode_at(lower, at);
    if (lm::text::is_white_space(d.cp)) {
      blank = true;
    } else {
      if (blank) {
        if (!out.words.empty()) out.words.push_back(isize(out.text));
        out.chars.push_back(isize(out.text));
        out.text += ' ';
        out.words.push_back(isize(out.text));
      }
      blank = false;
      out.chars.push_back(isize(out.text));
      out.text.append(lower, usize(at), usize(d.size));
    }
    at += d.size;
  }
  if (out.words.empty()) return out;
  out.words.push_back(isize(out.text));
  out.chars.push_back(isize(out.text));
  out.text += ' ';
  out.chars.push_back(isize(out.text));
  return out;
}

void count(std::string_view gram, u64 seed, std::vector<f32>& vector) {
  const u64 hash = xxh3_64(gram, seed);
  vector[usize(static_cast<i64>((hash & ~(u64{1} << 63)) % vector.size()))] +=
      (hash >> 63) != 0 ? -1.0f : 1.0f;
}

}  // namespace

HashShape parse_hash_shape(std::string_view text) {
  HashShape out;
  for (const std::string_view part : split(text, ',')) {
    if (part.starts_with("char")) {
      parse_range(part, part.substr(4), out.char_least, out.char_most);
    } else if (part.starts_with("word")) {
      parse_range(part, part.substr(4), out.word_least, out.word_most);
    } else if (part.starts_with("dim=")) {
      const std::optional<i64> dim = parse_count(part.substr(4));
      if (!dim) refuse(part);
      if (*dim < 1 || *dim > kMostDim) {
        throw Error(ErrorKind::kUsage,
                    cat("--model hash: dim is ", *dim, ", expected 1 to ", kMostDim));
      }
      out.dim = *dim;
    } else {
      refuse(part);
    }
  }
  if (out.char_least == 0 && out.word_least == 0) {
    throw Error(
        ErrorKind::kUsage,
        cat("--model hash: ", quote(text), " names n-grams neither of characters nor of words"),
        kExample);
  }
  return out;
}

std::string hash_shape_text(const HashShape& shape) {
  std::string out = "hash:";
  if (shape.char_least > 0) append(out, "char", shape.char_least, "-", shape.char_most, ",");
  if (shape.word_least > 0) append(out, "word", shape.word_least, "-", shape.word_most, ",");
  return cat(out, "dim=", shape.dim);
}

HashEmbedder::HashEmbedder(const HashShape& shape)
    : shape_(shape), digest_(hash_shape_text(shape)) {}

Result<PreparedText> HashEmbedder::prepare(std::string_view text) {
  const Units units = units_of(text);
  const std::string_view all = units.text;
  PreparedText out;
  out.tokens = isize(units.words) / 2;
  out.vector.assign(usize(shape_.dim), 0.0f);
  for (i64 n = shape_.char_least; n > 0 && n <= shape_.char_most; ++n) {
    for (i64 i = 0; i + n < isize(units.chars); ++i) {
      const i64 begin = units.chars[usize(i)];
      count(all.substr(usize(begin), usize(units.chars[usize(i + n)] - begin)), kCharSeed,
            out.vector);
    }
  }
  for (i64 n = shape_.word_least; n > 0 && n <= shape_.word_most; ++n) {
    for (i64 i = 0; i + n <= out.tokens; ++i) {
      const i64 begin = units.words[usize(2 * i)];
      const i64 end = units.words[usize(2 * (i + n) - 1)];
      count(all.substr(usize(begin), usize(end - begin)), kWordSeed, out.vector);
    }
  }
  normalize(out.vector);
  return out;
}

std::optional<std::vector<f32>> HashEmbedder::take() {
  if (done_.empty()) return std::nullopt;
  std::vector<f32> out = std::move(done_.front());
  done_.pop_front();
  return out;
}

u64 HashEmbedder::key() const {
  return xxh3_64(digest_);
}

}  // namespace lm::embed
