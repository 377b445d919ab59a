#include "parquet/values.h"

#include <array>
#include <string>

#include "core/str.h"
#include "parquet/bits.h"

namespace lm::parquet {

namespace {

constexpr std::string_view kTooFew = "fewer values than the page header promises";

constexpr char kTruths[2] = {0, 1};
std::string_view truth(bool value) {
  return {kTruths + (value ? 1 : 0), 1};
}

class PlainFixed final : public Values {
 public:
  PlainFixed(std::string_view bytes, i64 width, const Place& place)
      : bytes_(bytes), width_(usize(width)), place_(place) {}
  std::string_view next() override {
    if (bytes_.size() - at_ < width_) place_.fail(kTooFew);
    const std::string_view out(bytes_.data() + at_, width_);
    at_ += width_;
    return out;
  }

 private:
  std::string_view bytes_;
  std::size_t width_;
  std::size_t at_ = 0;
  const Place& place_;
};

class PlainBytes final : public Values {
 public:
  PlainBytes(std::string_view bytes, const Place& place) : bytes_(bytes), place_(place) {}
  std::string_view next() override {
    if (bytes_.size() - at_ < 4) place_.fail(kTooFew);
    const u32 size = load<u32>(bytes_.data() + at_);
    at_ += 4;
    if (size > bytes_.size() - at_)
      place_.fail(cat("a value of ", size, " bytes is cut: ", bytes_.size() - at_, " are left"));
    const std::string_view out(bytes_.data() + at_, size);
    at_ += size;
    return out;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  const Place& place_;
};

class PlainTruths final : public Values {
 public:
  PlainTruths(std::string_view bytes, const Place& place) : bytes_(bytes), place_(place) {}
  std::string_view next() override {
    if (at_ / 8 >= bytes_.size()) place_.fail(kTooFew);
    const bool value = (static_cast<u8>(bytes_[at_ / 8]) >> (at_ % 8) & 1) != 0;
    ++at_;
    return truth(value);
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  const Place& place_;
};

class RunTruths final : public Values {
 public:
  RunTruths(std::string_view bytes, const Place& place) : place_(place) {
    if (bytes.size() < 4 || load<u32>(bytes.data()) > bytes.size() - 4)
      place.fail("the runs of truth values are cut");
    runs_ = RunDecoder(bytes.substr(4, load<u32>(bytes.data())), 1);
  }
  std::string_view next() override {
    if (at_ == size_) {
      size_ = runs_.read(buf_.data(), isize(buf_));
      at_ = 0;
      if (size_ == 0) place_.fail(kTooFew);
    }
    return truth(buf_[usize(at_++)] != 0);
  }

 private:
  RunDecoder runs_;
  std::array<u8, 256> buf_{};
  i64 at_ = 0;
  i64 size_ = 0;
  const Place& place_;
};

class DeltaNumbers final : public Values {
 public:
  DeltaNumbers(std::string_view bytes, i64 width, const Place& place)
      : deltas_(bytes, place), width_(usize(width)) {}
  std::string_view next() override {
    value_ = deltas_.next();
    return {reinterpret_cast<const char*>(&value_), width_};  // the low bytes come first
  }

 private:
  DeltaDecoder deltas_;
  i64 value_ = 0;
  std::size_t width_;
};

// All lengths, then all bytes. The lengths are decoded as they are needed.
class DeltaLengths final : public Values {
 public:
  DeltaLengths(std::string_view bytes, const Place& place)
      : lengths_(bytes, place), bytes_(bytes), at_(lengths_.end()), place_(place) {}
  std::string_view next() override {
    const i64 size = lengths_.next();
    if (size < 0 || static_cast<u64>(size) > bytes_.size() - at_)
      place_.fail(cat("a value of ", size, " bytes is cut: ", bytes_.size() - at_, " are left"));
    const std::string_view out = bytes_.substr(at_, usize(size));
    at_ += usize(size);
    return out;
  }

 private:
  DeltaDecoder lengths_;
  std::string_view bytes_;
  std::size_t at_;
  const Place& place_;
};

// How many bytes are those of the value before, then the rest as DELTA_LENGTH_BYTE_ARRAY.
class DeltaBytes final : public Values {
 public:
  DeltaBytes(std::string_view bytes, i64 width, const Place& place)
      : prefixes_(bytes, place),
        suffixes_(bytes.substr(prefixes_.end()), place),
        width_(width),
        place_(place) {}
  std::string_view next() override {
    const i64 prefix = prefixes_.next();
    const std::string_view suffix = suffixes_.next();
    if (prefix < 0 || prefix > isize(value_))
      place_.fail(cat("a value repeats ", prefix, " bytes of one that has ", value_.size()));
    value_.resize(usize(prefix));
    value_.append(suffix);
    if (width_ > 0 && isize(value_) != width_)
      place_.fail(cat("a value has ", value_.size(), " bytes, expected ", width_));
    return value_;
  }

 private:
  DeltaDecoder prefixes_;
  DeltaLengths suffixes_;
  std::string value_;
  i64 width_;
  const Place& place_;
};

// The first bytes of all values, then all second bytes, and so on.
class SplitBytes final : public Values {
 public:
  SplitBytes(std::string_view bytes, i64 width, const Place& place)
      : bytes_(bytes), count_(bytes.size() / usize(width)), place_(place) {
    if (bytes.size() % usize(width) != 0)
      place.fail(cat("BYTE_STREAM_SPLIT values take ", bytes.size(), " bytes, expected a multiple",
                     " of ", width));
    if (count_ > 0) value_.resize(usize(width));  // which is at most the page's bytes
  }
  std::string_view next() override {
    if (at_ == count_) place_.fail(kTooFew);
    for (std::size_t i = 0; i < value_.size(); ++i)
      value_[i] = bytes_[i * count_ + at_];
    ++at_;
    return value_;
  }

 private:
  std::string_view bytes_;
  std::string value_;
  std::size_t count_;
  std::size_t at_ = 0;
  const Place& place_;
};

}  // namespace

i64 value_width(Physical physical, i32 type_length) {
  switch (physical) {
    case Physical::kInt32:
    case Physical::kFloat:
      return 4;
    case Physical::kInt64:
    case Physical::kDouble:
      return 8;
    case Physical::kInt96:
      return 12;
    case Physical::kFixed:
      return type_length;
    default:
      return 0;
  }
}

std::unique_ptr<Values> make_values(Encoding encoding, Physical physical, i32 type_length,
                                    std::string_view bytes, const Place& place) {
  const i64 width = value_width(physical, type_length);
  const bool truths = physical == Physical::kBoolean;
  const bool arrays = physical == Physical::kByteArray;
  const bool whole = physical == Physical::kInt32 || physical == Physical::kInt64;
  switch (encoding) {
    case Encoding::kPlain:
      if (truths) return std::make_unique<PlainTruths>(bytes, place);
      if (arrays) return std::make_unique<PlainBytes>(bytes, place);
      return std::make_unique<PlainFixed>(bytes, width, place);
    case Encoding::kRle:
      if (truths) return std::make_unique<RunTruths>(bytes, place);
      break;
    case Encoding::kDeltaBinaryPacked:
      if (whole) return std::make_unique<DeltaNumbers>(bytes, width, place);
      break;
    case Encoding::kDeltaLengthByteArray:
      if (arrays) return std::make_unique<DeltaLengths>(bytes, place);
      break;
    case Encoding::kDeltaByteArray:
      if (arrays || physical == Physical::kFixed)
        return std::make_unique<DeltaBytes>(bytes, width, place);
      break;
    case Encoding::kByteStreamSplit:
      if (width > 0) return std::make_unique<SplitBytes>(bytes, width, place);
      break;
    default:
      break;
  }
  place.fail(cat("values of type ", physical_name(physical), " in the encoding ",
                 encoding_name(encoding), ", which is not one for them"));
}

}  // namespace lm::parquet
