#pragma once
// A tree of guesses grown from chances: the likeliest path first, until there are enough.

#include <functional>
#include <utility>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// Appends at most `most` guesses of at most 16 levels to an empty tree. next(node, least, out) is
/// called once for the history (node -1) and then for each guess behind the last one that was
/// appended, which is `node`, where it may go on: it sets out to what may follow, chance given that
/// path and token, the likeliest first; chances below `least` are not used.
void grow_tree(
    i64 most, DraftTree& tree,
    const std::function<void(i64 node, f64 least, std::vector<std::pair<f32, i32>>& out)>& next);

}  // namespace lm::decode
