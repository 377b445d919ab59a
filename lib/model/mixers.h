#pragma once
// Which mixer each layer of a new hybrid has, in words: "conv:3,linear:16@1,6,window:64@2,7" gives
// layers 1 and 6 linear attention with queries of 16 numbers, layers 2 and 7 attention to the last
// 64 tokens, and all others a convolution of 3 rows. An entry without layers is for those that no
// other names; "window:0" attends to all tokens, "pla:16" is prefix linear attention.

#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::model {

enum class MixerKind : u8 { kConv, kLinear, kPrefixLinear, kAttention };

struct MixerChoice {
  MixerKind kind = MixerKind::kConv;
  i64 size = 3;  // rows of a convolution, numbers of a query, tokens of a window
};

/// Of every layer. Empty text: of five layers in turn conv:3, linear:16, window:256, conv:3,
/// conv:3. Throws Error{kUsage} naming the entry: unknown, a size that is none, a layer that there
/// is not or that two entries name, a layer without a mixer.
std::vector<MixerChoice> parse_mixers(std::string_view text, i64 layers);

}  // namespace lm::model
