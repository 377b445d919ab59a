#include "merge/source.h"

#include <algorithm>
#include <cstring>

#include "core/str.h"
#include "io/pages.h"
#include "merge/convert.h"

namespace lm::merge {

Hash128 TensorSource::digest(i64 first, i64 count) const {
  std::string bytes(usize(count * item_bytes(dtype())), '\0');
  load_bytes(first, count, reinterpret_cast<u8*>(bytes.data()));
  return xxh3_128(bytes);
}

MappedSource::MappedSource(const SafeEntry& entry, std::string file)
    : entry_(entry), file_(std::move(file)) {}

std::string MappedSource::describe() const {
  return cat(file_, ": tensor ", quote(entry_.name, 200));
}
void MappedSource::load(i64 first, i64 count, f32* to) const {
  widen(entry_.dtype, entry_.data + first * item_bytes(entry_.dtype), count, to);
}
void MappedSource::load(i64 first, i64 count, f64* to) const {
  widen(entry_.dtype, entry_.data + first * item_bytes(entry_.dtype), count, to);
}
void MappedSource::load_bytes(i64 first, i64 count, u8* to) const {
  const i64 item = item_bytes(entry_.dtype);
  std::memcpy(to, entry_.data + first * item, usize(count * item));
}
Hash128 MappedSource::digest(i64 first, i64 count) const {
  const i64 item = item_bytes(entry_.dtype);
  const char* const at = reinterpret_cast<const char*>(entry_.data + first * item);
  return xxh3_128({at, usize(count * item)});
}
void MappedSource::prefetch(i64 first, i64 count) const {
  const i64 item = item_bytes(entry_.dtype);
  io::fault_in(entry_.data + first * item, count * item);
}
void MappedSource::release(i64 first, i64 count) const {
  const i64 item = item_bytes(entry_.dtype);
  io::let_go(entry_.data + first * item, count * item);
}

RowMapSource::RowMapSource(SourcePtr from, std::vector<i32> rows, i64 cols)
    : from_(std::move(from)), rows_(std::move(rows)) {
  if (from_->shape().rank != 2)
    throw ShapeError(cat(from_->describe(), ": ", to_string(from_->shape()),
                         " has no rows to choose, expected a matrix"));
  shape_ = Shape{isize(rows_), cols};
}

void RowMapSource::load(i64 first, i64 count, f32* to) const {
  each_row_part(first, count, shape_.cols(), [&](i64 row, i64 col, i64 now, i64 at) {
    from_->load(rows_[usize(row)] * from_->shape().cols() + col, now, to + at);
  });
}
void RowMapSource::load(i64 first, i64 count, f64* to) const {
  each_row_part(first, count, shape_.cols(), [&](i64 row, i64 col, i64 now, i64 at) {
    from_->load(rows_[usize(row)] * from_->shape().cols() + col, now, to + at);
  });
}
void RowMapSource::load_bytes(i64 first, i64 count, u8* to) const {
  const i64 item = item_bytes(dtype());
  each_row_part(first, count, shape_.cols(), [&](i64 row, i64 col, i64 now, i64 at) {
    from_->load_bytes(rows_[usize(row)] * from_->shape().cols() + col, now, to + at * item);
  });
}

void ZeroSource::load(i64 /*first*/, i64 count, f32* to) const {
  std::fill_n(to, count, 0.0f);
}
void ZeroSource::load(i64 /*first*/, i64 count, f64* to) const {
  std::fill_n(to, count, 0.0);
}
void ZeroSource::load_bytes(i64 /*first*/, i64 count, u8* to) const {
  std::memset(to, 0, usize(count * item_bytes(dtype_)));
}

}  // namespace lm::merge
