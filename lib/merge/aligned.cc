// Rows of a model by the tokens of another vocabulary.

#include "core/error.h"
#include "core/str.h"
#include "merge/convert.h"
#include "merge/vocabulary.h"

namespace lm::merge {

AlignedSource::AlignedSource(const Vocabulary& vocabulary, i64 own, std::vector<SourcePtr> all)
    : vocabulary_(vocabulary), own_(own), all_(std::move(all)) {
  shape_ = this->own().shape();
  cols_ = shape_.rank > 1 ? shape_.cols() : 1;
  shape_.dim[0] = vocabulary.size();
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const Shape& other = all_[i]->shape();
    if (other.rank != shape_.rank || (other.rank > 1 && other.cols() != cols_)) {
      throw Error(ErrorKind::kData,
                  cat(all_[i]->describe(), " is ", to_string(other), ", but ",
                      this->own().describe(), " is ", to_string(this->own().shape()),
                      ": rows of one length can be matched by token"));
    }
    if (!is_floating(all_[i]->dtype()) || (wants_f64(all_[i]->dtype()) != wants_f64(dtype()))) {
      throw Error(ErrorKind::kData,
                  cat(all_[i]->describe(), " is of type ", dtype_name(all_[i]->dtype()), ", but ",
                      this->own().describe(), " of ", dtype_name(dtype())));
    }
    for (const i32 row : vocabulary.rows[i]) {
      if (row < other[0]) continue;
      throw Error(ErrorKind::kData, cat(all_[i]->describe(), " has ", other[0],
                                        " rows, but its model has a token ", row));
    }
  }
}

bool AlignedSource::has_own_row(i64 token) const {
  return vocabulary_.rows[usize(own_)][usize(token)] >= 0 && !vocabulary_.fill[usize(token)].forced;
}

// The mean of all rows that stand for tokens, in their order.
void AlignedSource::find_padding() const {
  std::call_once(padding_found_, [this] {
    padding_.assign(usize(cols_), 0.0);
    std::vector<f64> row(usize(cols_));
    i64 count = 0;
    for (i64 token = 0; token < vocabulary_.size(); ++token) {
      if (!has_own_row(token) && vocabulary_.fill[usize(token)].kind == RowFill::kPadding) continue;
      load_part(token, 0, cols_, row.data());
      for (std::size_t i = 0; i < row.size(); ++i)
        padding_[i] += row[i];
      ++count;
    }
    for (f64& value : padding_)
      value /= static_cast<f64>(std::max<i64>(1, count));
  });
}

template <class A>
void AlignedSource::load_part(i64 token, i64 col, i64 count, A* to) const {
  const auto load_row = [&](i64 model, i64 row, auto* out) {
    all_[usize(model)]->load(row * cols_ + col, count, out);
  };
  if (has_own_row(token)) return load_row(own_, vocabulary_.rows[usize(own_)][usize(token)], to);
  const RowFill& fill = vocabulary_.fill[usize(token)];
  switch (fill.kind) {
    case RowFill::kRow:
      return load_row(fill.model, fill.row, to);
    case RowFill::kZero:
      std::fill_n(to, count, A{0});
      return;
    case RowFill::kPadding:
      find_padding();
      for (i64 i = 0; i < count; ++i)
        to[i] = static_cast<A>(padding_[usize(col + i)]);
      return;
    case RowFill::kMean:
      break;
  }
  std::vector<f64> sum(usize(count), 0.0);
  std::vector<f64> row(usize(count));
  i64 models = 0;
  for (std::size_t model = 0; model < all_.size(); ++model) {
    const i32 at = vocabulary_.rows[model][usize(token)];
    if (at < 0) continue;
    load_row(static_cast<i64>(model), at, row.data());
    for (std::size_t i = 0; i < row.size(); ++i)
      sum[i] += row[i];
    ++models;
  }
  for (i64 i = 0; i < count; ++i)
    to[i] = static_cast<A>(sum[usize(i)] / static_cast<f64>(models));
}

template <class A>
void AlignedSource::load_rows(i64 first, i64 count, A* to) const {
  each_row_part(first, count, cols_,
                [&](i64 token, i64 col, i64 now, i64 at) { load_part(token, col, now, to + at); });
}

void AlignedSource::load(i64 first, i64 count, f32* to) const {
  load_rows(first, count, to);
}
void AlignedSource::load(i64 first, i64 count, f64* to) const {
  load_rows(first, count, to);
}

void AlignedSource::load_bytes(i64 first, i64 count, u8* to) const {
  const i64 item = item_bytes(dtype());
  std::vector<f64> made;
  each_row_part(first, count, cols_, [&](i64 token, i64 col, i64 now, i64 at) {
    if (has_own_row(token)) {
      const i64 row = vocabulary_.rows[usize(own_)][usize(token)];
      return own().load_bytes(row * cols_ + col, now, to + at * item);
    }
    made.resize(usize(now));
    load_part(token, col, now, made.data());
    narrow(dtype(), made.data(), now, to + at * item);
  });
}

}  // namespace lm::merge
