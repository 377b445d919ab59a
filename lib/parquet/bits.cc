#include "parquet/bits.h"

#include "core/str.h"

namespace lm::parquet {

namespace {

u64 unzigzag(u64 value) {
  return (value >> 1) ^ (~(value & 1) + 1);
}

}  // namespace

bool get_varint(std::string_view bytes, std::size_t& at, u64& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at >= bytes.size()) return false;
    const u8 b = static_cast<u8>(bytes[at++]);
    value |= u64{b & 0x7Fu} << shift;
    if (b < 0x80) return true;
  }
  return false;
}

bool RunDecoder::next_run() {
  u64 head = 0;
  if (!get_varint(bytes_, at_, head)) return false;
  const u64 left = bytes_.size() - at_;
  const u64 width = static_cast<u64>(width_);
  if ((head & 1) != 0) {
    const u64 groups = head >> 1;
    if (groups > u64{1} << 40) return false;
    bit_ = at_ * 8;
    // The last group of a page is sometimes written without its padding.
    const u64 take = std::min(groups * width, left);
    packed_ = groups * width <= left ? groups * 8 : left * 8 / width;
    at_ += take;
    return true;
  }
  const u64 bytes = (width + 7) / 8;
  if (bytes > left) return false;
  repeat_ = head >> 1;
  value_ = 0;
  for (u64 i = 0; i < bytes; ++i)
    value_ |= u64{static_cast<u8>(bytes_[at_++])} << (8 * i);
  return true;
}

DeltaDecoder::DeltaDecoder(std::string_view bytes, const Place& place)
    : bytes_(bytes), place_(&place) {
  u64 first = 0;
  if (!get_varint(bytes_, at_, per_block_) || !get_varint(bytes_, at_, minis_) ||
      !get_varint(bytes_, at_, total_) || !get_varint(bytes_, at_, first))
    place.fail("the header of DELTA_BINARY_PACKED values is cut");
  const bool good = per_block_ > 0 && per_block_ <= 1 << 20 && minis_ > 0 && minis_ <= per_block_ &&
                    per_block_ % minis_ == 0 && per_block_ / minis_ % 8 == 0 &&
                    total_ <= u64{1} << 40;
  if (!good) {
    place.fail(cat("DELTA_BINARY_PACKED blocks of ", per_block_, " values in ", minis_, " parts, ",
                   total_, " values in all: that cannot be"));
  }
  per_mini_ = per_block_ / minis_;
  value_ = unzigzag(first);
  left_ = total_;
  mini_ = minis_;
}

void DeltaDecoder::next_block() {
  u64 delta = 0;
  if (!get_varint(bytes_, at_, delta) || bytes_.size() - at_ < minis_)
    place_->fail("a block of DELTA_BINARY_PACKED values is cut");
  min_delta_ = unzigzag(delta);
  widths_ = bytes_.substr(at_, minis_);
  at_ += minis_;
  mini_ = 0;
}

i64 DeltaDecoder::next() {
  if (left_ == 0) place_->fail("fewer values than the page header promises");
  --left_;
  if (first_) {
    first_ = false;
    return static_cast<i64>(value_);
  }
  if (in_mini_ == 0) {
    if (mini_ == minis_) next_block();
    width_ = static_cast<u8>(widths_[mini_++]);
    const u64 size = static_cast<u64>(width_) * per_mini_ / 8;
    // Only the values that are there need bytes.
    const u64 needed = (std::min(per_mini_, left_ + 1) * static_cast<u64>(width_) + 7) / 8;
    if (width_ > 64 || needed > bytes_.size() - at_)
      place_->fail("a block of DELTA_BINARY_PACKED values is cut");
    bit_ = at_ * 8;
    at_ += std::min<u64>(size, bytes_.size() - at_);
    in_mini_ = per_mini_;
  }
  --in_mini_;
  value_ += min_delta_ + get_bits(bytes_, bit_, width_);
  bit_ += static_cast<u64>(width_);
  return static_cast<i64>(value_);
}

std::size_t DeltaDecoder::end() const {
  DeltaDecoder walk = *this;
  u64 left = total_ == 0 ? 0 : total_ - 1;
  while (left > 0) {
    walk.next_block();
    for (; walk.mini_ < minis_ && left > 0; ++walk.mini_) {
      const u64 width = static_cast<u8>(walk.widths_[walk.mini_]);
      const u64 size = width * per_mini_ / 8;
      if (width > 64 || size > bytes_.size() - walk.at_)
        place_->fail("a block of DELTA_BINARY_PACKED values is cut");
      walk.at_ += size;
      left -= std::min(left, per_mini_);
    }
  }
  return walk.at_;
}

}  // namespace lm::parquet
