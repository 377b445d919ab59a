#include "cpu/recurrent.h"

#include <algorithm>
#include <vector>

#include "cpu/gemm.h"
#include "cpu/pointwise.h"
#include "cpu/rows.h"
#include "ops/attr.h"

namespace lm::cpu {

namespace {

constexpr i64 kScanColumns = 256;  // of a task, a multiple of any vector

template <typename Run>
void scan_tasks(const Scan& args, const TextRun* texts, i64 count, Run run) {
  const i64 blocks = (args.cols + kScanColumns - 1) / kScanColumns;
  parallel_for(count * blocks, 1, [&](i64 begin, i64 end) {
    for (i64 t = begin; t < end; ++t) {
      const i64 c0 = t % blocks * kScanColumns;
      run({&args, texts[t / blocks], c0, std::min(args.cols, c0 + kScanColumns)});
    }
  });
}

template <typename Run>
void head_tasks(const LinearAttention& args, const TextRun* texts, i64 count,
                const i32* prefix_ends, Run run) {
  const i64 space = active().linear_attention_scratch(args);
  parallel_for(count * args.heads, 1, [&](i64 begin, i64 end) {
    const Scratch scratch(space);
    for (i64 t = begin; t < end; ++t) {
      const TextRun& text = texts[t / args.heads];
      const i64 prefix = prefix_ends == nullptr ? text.begin : prefix_ends[t / args.heads];
      run({&args, text, prefix, t % args.heads, scratch.data()});
    }
  });
}

}  // namespace

void scan_forward(const Scan& args, const TextRun* texts, i64 count) {
  scan_tasks(args, texts, count, active().scan_forward);
}

void scan_backward(const Scan& args, const TextRun* texts, i64 count) {
  scan_tasks(args, texts, count, active().scan_backward);
}

namespace {

// The texts that have a row `step`, longest first, as numbers of `order`.
i64 texts_at(const std::vector<TextRun>& order, i64 step) {
  return std::partition_point(order.begin(), order.end(),
                              [&](const TextRun& t) { return t.end - t.begin > step; }) -
         order.begin();
}

std::vector<TextRun> longest_first(const TextRun* texts, i64 count) {
  std::vector<TextRun> order(texts, texts + count);
  std::stable_sort(order.begin(), order.end(), [](const TextRun& x, const TextRun& y) {
    return x.end - x.begin > y.end - y.begin;
  });
  return order;
}

}  // namespace

void lstm_forward(const Lstm& args, const TextRun* texts, i64 count) {
  const isa::Kernels& isa = active();
  const i64 n = args.width;
  const std::vector<TextRun> order = longest_first(texts, count);
  if (order.empty()) return;
  PackedWeights w;
  w.pack(Layout::kNT, 4 * n, n, args.w, args.ldw);
  const Scratch c(count * n);
  const Scratch h(count * n);
  const Scratch p(count * 4 * n);
  for (i64 t = 0; t < count; ++t) {
    const f32* const from = order[usize(t)].from;
    if (from == nullptr) {
      fill(n, 0.0f, c.data() + t * n);
      fill(n, 0.0f, h.data() + t * n);
      continue;
    }
    std::copy(from, from + n, c.data() + t * n);
    std::copy(from + n, from + 2 * n, h.data() + t * n);
  }
  const i64 steps = order[0].end - order[0].begin;
  for (i64 step = 0; step < steps; ++step) {
    const i64 live = texts_at(order, step);
    gemm(live, h.data(), n, w, p.data(), 4 * n);
    for_rows(live, 16 * n, [&](i64 t) {
      const i64 row = order[usize(t)].begin + step;
      f32* const own = p.data() + t * 4 * n;
      isa.add(4 * n, own, args.x + row * args.ldx, own);
      isa.lstm_row(n, own, c.data() + t * n, args.h + row * args.ldh,
                   args.gates == nullptr ? nullptr : args.gates + row * args.ld_gates);
      std::copy(args.h + row * args.ldh, args.h + row * args.ldh + n, h.data() + t * n);
      if (args.c != nullptr)
        std::copy(c.data() + t * n, c.data() + (t + 1) * n, args.c + row * args.ldc);
    });
  }
  for (i64 t = 0; t < count; ++t) {
    f32* const to = order[usize(t)].to;
    if (to == nullptr) continue;
    std::copy(c.data() + t * n, c.data() + (t + 1) * n, to);
    std::copy(h.data() + t * n, h.data() + (t + 1) * n, to + n);
  }
}

void lstm_backward(const Lstm& args, const TextRun* texts, i64 count) {
  const isa::Kernels& isa = active();
  const i64 n = args.width;
  const std::vector<TextRun> order = longest_first(texts, count);
  if (order.empty()) return;
  PackedWeights w;
  w.pack(Layout::kNN, n, 4 * n, args.w, args.ldw);
  const Scratch dc(count * n);
  const Scratch dh(count * n);  // from the row behind
  const Scratch dp(count * 4 * n);
  fill(count * n, 0.0f, dc.data());
  fill(count * n, 0.0f, dh.data());
  const i64 steps = order[0].end - order[0].begin;
  for (i64 step = steps - 1; step >= 0; --step) {
    const i64 live = texts_at(order, step);
    for_rows(live, 16 * n, [&](i64 t) {
      const i64 row = order[usize(t)].begin + step;
      f32* const up = dh.data() + t * n;
      f32* const own = dp.data() + t * 4 * n;
      isa.add(n, up, args.dh + row * args.ld_dh, up);
      isa.lstm_row_backward(n, args.gates + row * args.ld_gates, args.c + row * args.ldc,
                            step > 0 ? args.c + (row - 1) * args.ldc : nullptr, up,
                            dc.data() + t * n, own);
      std::copy(own, own + 4 * n, args.dx + row * args.ld_dx);
    });
    if (step > 0) gemm(live, dp.data(), 4 * n, w, dh.data(), n);
  }
}

void conv_forward(const Conv& args, const TextRun* texts, i64 count) {
  const isa::Kernels& isa = active();
  for (i64 t = 0; t < count; ++t) {
    const TextRun& text = texts[t];
    for_rows(text.end - text.begin, args.taps * args.cols,
             [&](i64 r) { isa.conv_row(args, text, text.begin + r); });
    if (text.to == nullptr) continue;
    // What was there may be what these rows came from: older rows move to the front.
    const i64 keep = args.taps - 1;
    const i64 fresh = std::min(keep, text.end - text.begin);
    const i64 old = keep - fresh;
    if (text.from == nullptr)
      fill(old * args.cols, 0.0f, text.to);
    else
      std::copy(text.from + fresh * args.cols, text.from + keep * args.cols, text.to);
    copy_rows(fresh, args.cols, args.x + (text.end - fresh) * args.ldx, args.ldx,
              text.to + old * args.cols, args.cols);
  }
}

void conv_backward(const Conv& args, const TextRun* texts, i64 count, i64 rows, f32* dw) {
  const isa::Kernels& isa = active();
  for (i64 t = 0; t < count; ++t) {
    const TextRun& text = texts[t];
    for_rows(text.end - text.begin, args.taps * args.cols,
             [&](i64 r) { isa.conv_row_backward(args, text, text.begin + r); });
  }
  const i64 size = args.taps * args.cols;
  fill(size, 0.0f, dw);
  sum_chunks(rows, size, dw, [&](i64 r0, i64 r1, f32* partial) {
    fill(size, 0.0f, partial);
    const TextRun* text = std::partition_point(texts, texts + count,
                                               [&](const TextRun& one) { return one.end <= r0; });
    for (; text != texts + count && text->begin < r1; ++text)
      isa.conv_weight_backward(args, *text, std::max(r0, text->begin), std::min(r1, text->end),
                               partial);
  });
}

i64 linear_attention_state(const LinearAttention& args) {
  return args.heads * taylor_features(args.dim) * (args.head_dim + 1);
}

void linear_attention_forward(const LinearAttention& args, const TextRun* texts, i64 count,
                              const i32* prefix_ends) {
  head_tasks(args, texts, count, prefix_ends, active().linear_attention_forward);
}

void linear_attention_backward(const LinearAttention& args, const TextRun* texts, i64 count,
                               const i32* prefix_ends) {
  head_tasks(args, texts, count, prefix_ends, active().linear_attention_backward);
}

}  // namespace lm::cpu
