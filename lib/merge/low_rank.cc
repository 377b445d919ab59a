#include "merge/low_rank.h"

#include "core/error.h"
#include "core/str.h"
#include "merge/convert.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

/// Buffers of one call.
template <class A>
struct Product {
  std::vector<A> left;   // [rank]
  std::vector<A> right;  // [count], or [count, rank] where transposed
  std::vector<A> sum;    // [count]
};

template <class A>
void widen_from(const SafeEntry& entry, i64 first, i64 count, A* to) {
  widen(entry.dtype, entry.data + first * item_bytes(entry.dtype), count, to);
}

// sum[j] = (B A)[row, col + j].
template <class A>
void multiply(const model::LowRank& delta, i64 row, i64 col, i64 count, Product<A>& p) {
  const i64 rank = delta.rank();
  const i64 in = delta.a->shape[1];
  widen_from(*delta.b, row * rank, rank, p.left.data());
  std::fill_n(p.sum.data(), count, A{0});
  for (i64 k = 0; k < rank; ++k) {
    widen_from(*delta.a, k * in + col, count, p.right.data());
    const A factor = p.left[usize(k)];
    const A* const right = p.right.data();
    A* const sum = p.sum.data();
    vectorised([&]() LM_INLINE {
      for (i64 j = 0; j < count; ++j)
        sum[j] += factor * right[j];
    });
  }
}

// sum[j] = (B A)[col + j, row].
template <class A>
void multiply_transposed(const model::LowRank& delta, i64 row, i64 col, i64 count, Product<A>& p) {
  const i64 rank = delta.rank();
  const i64 in = delta.a->shape[1];
  for (i64 k = 0; k < rank; ++k)
    widen_from(*delta.a, k * in + row, 1, &p.left[usize(k)]);
  widen_from(*delta.b, col * rank, count * rank, p.right.data());
  for (i64 j = 0; j < count; ++j) {
    A sum = 0;
    for (i64 k = 0; k < rank; ++k)
      sum += p.left[usize(k)] * p.right[usize(j * rank + k)];
    p.sum[usize(j)] = sum;
  }
}

}  // namespace

LowRankSource::LowRankSource(SourcePtr base, const model::LowRank& delta, std::string adapter)
    : base_(std::move(base)), delta_(delta), adapter_(std::move(adapter)) {
  LM_CHECK(base_->shape() == delta_.shape(), "a low-rank delta has the shape of its base");
}

std::string LowRankSource::describe() const {
  return cat(base_->describe(), " with ", adapter_);
}

template <class A>
void LowRankSource::load_sum(i64 first, i64 count, A* to) const {
  base_->load(first, count, to);
  const i64 widest = std::min(count, shape().cols());
  Product<A> product;
  product.left.resize(usize(delta_.rank()));
  product.right.resize(usize(delta_.transposed ? widest * delta_.rank() : widest));
  product.sum.resize(usize(widest));
  const A scale = static_cast<A>(delta_.scale);
  each_row_part(first, count, shape().cols(), [&](i64 row, i64 col, i64 now, i64 at) {
    if (delta_.transposed) {
      multiply_transposed(delta_, row, col, now, product);
    } else {
      multiply(delta_, row, col, now, product);
    }
    const A* const sum = product.sum.data();
    A* const out = to + at;
    vectorised([&]() LM_INLINE {
      for (i64 j = 0; j < now; ++j)
        out[j] += scale * sum[j];
    });
  });
}

void LowRankSource::load(i64 first, i64 count, f32* to) const {
  load_sum(first, count, to);
}
void LowRankSource::load(i64 first, i64 count, f64* to) const {
  load_sum(first, count, to);
}

void LowRankSource::load_bytes(i64 first, i64 count, u8* to) const {
  // What is out of range becomes an infinity, which the reader sees.
  if (wants_f64(dtype())) {
    std::vector<f64> values(usize(count));
    load_sum(first, count, values.data());
    narrow(dtype(), values.data(), count, to);
  } else {
    std::vector<f32> values(usize(count));
    load_sum(first, count, values.data());
    narrow(dtype(), values.data(), count, to);
  }
}

Hash128 LowRankSource::digest(i64 first, i64 count) const {
  std::call_once(digested_, [&] {
    std::string text = format_float(delta_.scale);
    for (const SafeEntry* const factor : {delta_.a, delta_.b}) {
      const char* const bytes = reinterpret_cast<const char*>(factor->data);
      const Hash128 hash = xxh3_128({bytes, usize(factor->bytes)});
      append(text, " ", dtype_name(factor->dtype), hex64(hash.hi), hex64(hash.lo));
    }
    factors_ = xxh3_128(text);
  });
  const Hash128 base = base_->digest(first, count);
  const u64 words[4] = {base.lo, base.hi, factors_.lo, factors_.hi};
  return xxh3_128({reinterpret_cast<const char*>(words), sizeof words});
}

}  // namespace lm::merge
