#include "cpu/recurrent.h"

#include <algorithm>

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
