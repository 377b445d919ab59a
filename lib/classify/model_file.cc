#include "classify/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/str.h"

namespace lm::classify {

namespace {

constexpr i32 kMagic = 793712314;
constexpr i64 kCentroids = 256;  // per part of a quantised row
// Sums over a text and products of two such weights stay finite, so no probability is NaN.
constexpr f32 kMaxWeight = 1e6F;
// The library's Huffman tree takes larger counts for "none".
constexpr i64 kMaxCount = 1'000'000'000'000'000;

enum : i32 { kHierarchical = 1, kOneVsAll = 4, kSupervised = 3 };

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  template <typename T>
  T take(const char* what) {
    T value;
    std::memcpy(&value, take_bytes(i64{sizeof(T)}, what).data(), sizeof(T));
    return value;
  }

  std::string_view take_bytes(i64 size, const char* what) {
    if (size < 0 || size > left())
      fail(cat("has ", left(), " bytes at ", at_, " where ", what, " should be"));
    const std::string_view part = bytes_.substr(usize(at_), usize(size));
    at_ += size;
    return part;
  }

  std::string_view take_word() {
    const std::size_t end = bytes_.find('\0', usize(at_));
    if (end == std::string_view::npos) fail(cat("ends within the word at byte ", at_));
    const std::string_view word = bytes_.substr(usize(at_), end - usize(at_));
    at_ = static_cast<i64>(end) + 1;
    return word;
  }

  bool take_flag(const char* what) {
    const u8 value = take<u8>(what);
    if (value > 1) fail(cat(what, " is ", int{value}, ", expected 0 or 1"));
    return value == 1;
  }

  /// Weights that keep sums and products finite.
  void take_weights(i64 count, const char* what) {
    if (count > left() / 4)
      fail(cat("has ", left(), " bytes at ", at_, " where ", count, " weights of ", what,
               " should be"));
    const char* at = take_bytes(count * 4, what).data();
    for (i64 i = 0; i < count; ++i, at += 4) {
      f32 weight;
      std::memcpy(&weight, at, 4);
      if (!(std::abs(weight) <= kMaxWeight)) fail(cat("has a weight of ", what, " out of range"));
    }
  }

  void require(bool good, std::string_view what) const {
    if (!good) fail(what);
  }

  i64 left() const { return isize(bytes_) - at_; }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kData, cat(path_, ": the fastText model ", what),
                "the file is cut or damaged: fetch or train it again");
  }

 private:
  std::string_view bytes_;
  const std::string& path_;
  i64 at_ = 0;
};

void take_settings(Cursor& in, ModelFile& out, const std::string& path) {
  out.dim = in.take<i32>("the settings");
  in.take_bytes(4 * 4, "the settings");  // window, epochs, least count, negatives
  out.word_grams = in.take<i32>("the settings");
  const i32 loss = in.take<i32>("the settings");
  const i32 kind = in.take<i32>("the settings");
  out.buckets = in.take<i32>("the settings");
  const i32 min_subword = in.take<i32>("the settings");
  out.max_subword = in.take<i32>("the settings");
  in.take_bytes(4 + 8, "the settings");  // updates of the rate, sampling threshold
  if (kind == 1 || kind == 2)
    throw Error(ErrorKind::kData, cat(path, ": the fastText model has word vectors, no labels"),
                "expected a supervised model");
  in.require(kind == kSupervised, cat("is of kind ", kind, ", expected 3, supervised"));
  in.require(loss >= kHierarchical && loss <= kOneVsAll,
             cat("has loss ", loss, ", expected 1 to 4"));
  in.require(out.dim >= 1, cat("has ", out.dim, " dimensions, expected 1 or more"));
  if (out.version == 11) out.max_subword = 0;  // as the library has it
  in.require(out.word_grams <= kMaxGram && out.word_grams >= 0,
             cat("has n-grams of ", out.word_grams, " words, expected at most ", kMaxGram));
  in.require(min_subword >= 0 && out.max_subword >= 0 && out.max_subword <= kMaxGram,
             cat("has parts of ", min_subword, " to ", out.max_subword,
                 " characters, expected at most ", kMaxGram));
  in.require(out.buckets >= (out.max_subword > 0 || out.word_grams > 1 ? 1 : 0),
             cat("has ", out.buckets, " buckets for n-grams"));
}

void take_dictionary(Cursor& in, ModelFile& out) {
  const i64 size = in.take<i32>("the dictionary");
  out.words = in.take<i32>("the dictionary");
  const i64 labels = in.take<i32>("the dictionary");
  in.require(in.take<i64>("the dictionary") >= 0, "has less than no tokens");
  const i64 kept = in.take<i64>("the dictionary");
  in.require(out.words >= 0 && labels >= 1 && size == out.words + labels,
             cat("has ", out.words, " words and ", labels, " labels, but ", size, " entries"));
  i64 left_count = kMaxCount;
  for (i64 i = 0; i < size; ++i) {
    const std::string_view word = in.take_word();
    const i64 count = in.take<i64>("a word's count");
    const i64 type = in.take<u8>("a word's type");
    const bool label = i >= out.words;
    in.require(type == (label ? 1 : 0), cat("has an entry ", quote(word), " of type ", type));
    in.require(count >= (label ? 1 : 0) && count < left_count,
               cat("counts ", quote(word), " ", count, " times"));
    if (!label) continue;
    left_count -= count;
    out.labels.emplace_back(word);
  }
  out.pruned = kept >= 0;
  in.require(kept <= in.left() / 8, cat("keeps ", kept, " buckets, more than it has room for"));
  for (i64 i = 0; i < kept; ++i) {
    const i32 bucket = in.take<i32>("a bucket");
    const i32 row = in.take<i32>("a bucket");
    in.require(bucket >= 0 && bucket < out.buckets && row >= 0, cat("keeps bucket ", bucket));
    out.kept_buckets.emplace_back(bucket, row);
  }
}

/// A product quantiser of rows of dim weights; sets the parts of a row.
void take_quantizer(Cursor& in, i64 dim, const char* what, i64& parts) {
  const i64 own = in.take<i32>(what);
  parts = in.take<i32>(what);
  const i64 size = in.take<i32>(what);
  const i64 last = in.take<i32>(what);
  in.require(own == dim && size >= 1 && size <= dim && parts == (dim + size - 1) / size &&
                 last == dim - (parts - 1) * size,
             cat("cuts rows of ", what, " into ", parts, " parts of ", size, " and ", last));
  in.take_weights(dim * kCentroids, what);
}

/// Returns the rows.
i64 take_matrix(Cursor& in, i64 dim, bool quantised, const char* what) {
  const bool norms = quantised && in.take_flag(what);
  const i64 rows = in.take<i64>(what);
  const i64 columns = in.take<i64>(what);
  in.require(rows >= 0 && rows <= std::numeric_limits<i32>::max() && columns == dim,
             cat("has ", what, " of ", rows, " rows and ", columns, " columns, expected ", dim));
  if (!quantised) {
    in.require(rows <= in.left() / 4 / dim,
               cat("has ", what, " of ", rows, " rows, more than it has room for"));
    in.take_weights(rows * dim, what);
    return rows;
  }
  const i64 codes = in.take<i32>(what);
  in.take_bytes(codes, what);
  i64 parts = 0;
  take_quantizer(in, dim, what, parts);
  in.require(codes == rows * parts, cat("has ", codes, " codes for ", rows, " rows of ", what));
  if (norms) {
    in.take_bytes(rows, what);
    take_quantizer(in, 1, what, parts);
  }
  return rows;
}

}  // namespace

ModelFile check_model(std::string_view bytes, const std::string& path) {
  Cursor in(bytes, path);
  ModelFile out;
  if (bytes.size() < 8 || in.take<i32>("the magic number") != kMagic)
    throw Error(ErrorKind::kData, cat(path, ": is no fastText model"),
                "expected a .bin or .ftz file of a supervised model");
  out.version = in.take<i32>("the version");
  in.require(out.version == 11 || out.version == 12,
             cat("has version ", out.version, ", expected 11 or 12"));
  take_settings(in, out, path);
  take_dictionary(in, out);
  const bool quantised = in.take_flag("the mark of a quantised input matrix");
  in.require(quantised || !out.pruned, "is pruned but not quantised");
  const i64 rows = take_matrix(in, out.dim, quantised, "the input matrix");
  const bool grams = out.max_subword > 0 || out.word_grams > 1;
  i64 needed = out.words + (out.pruned || !grams ? 0 : out.buckets);
  for (const auto& [bucket, row] : out.kept_buckets)
    needed = std::max(needed, out.words + row + 1);
  in.require(rows >= needed, cat("has ", rows, " rows, expected ", needed));
  const bool quantised_output = in.take_flag("the mark of a quantised output matrix") && quantised;
  const i64 outputs = take_matrix(in, out.dim, quantised_output, "the output matrix");
  in.require(outputs == isize(out.labels),
             cat("has ", outputs, " outputs for ", isize(out.labels), " labels"));
  in.require(in.left() == 0, cat("has ", in.left(), " bytes behind its end"));
  return out;
}

}  // namespace lm::classify
