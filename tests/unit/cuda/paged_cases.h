#pragma once
// Paged attention on a backend with its own memory (the emulated device in test-cuda, a real one in
// test-gpu): beside double precision, beside the CPU's operator, and bit for bit between all the
// ways in which a row can be computed.

#include "graph/backend.h"

namespace lm::test {

/// Against double precision: sequences of many lengths, pages in random order, grouped queries,
/// holes, trees, padding, f32 and bf16 caches; and against the CPU's operator in f32.
void check_paged_values(const Backend& backend);
/// A row has equal bits alone, beside others, in chunks, with its keys shared out or not, and from
/// other pages.
void check_paged_bits(const Backend& backend);
/// One small case for memory checkers.
void check_paged_small(const Backend& backend);

}  // namespace lm::test
