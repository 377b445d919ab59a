#pragma once
// What a source gives a step: examples of any length, each with the tokens that its loss counts.

#include <vector>

#include "core/types.h"

namespace lm::train {

/// n tokens, of which the first n-1 are read and the last n-1 predicted; or several sequences, each
/// by itself.
struct Example {
  std::vector<i32> tokens;
  std::vector<i32> starts;    // ascending, in 1..n-1: where a further document or sequence begins;
                              // empty also where it does not matter
  std::vector<i32> prefixes;  // of each document or sequence: how many of its first tokens see all
                              // of themselves and are no targets; empty: none
  std::vector<u8> loss;       // [n]: whether a token is a target; empty: all are
  std::vector<f32> scalars;   // what an objective reads of its records, one record after another
  i64 number = 0;             // in the source; keys its random choices
};

using Examples = std::vector<Example>;

}  // namespace lm::train
