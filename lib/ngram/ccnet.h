#pragma once
// The text normalisation that CCNet applies before its language models, for use with its models and
// published cut-offs: strip, lower-case, drop accents, every digit 0, 34 punctuation marks mapped
// to ASCII, control characters removed. The newline is a control character, so lines are joined
// without a blank and a document is one sentence (deviation table: D-22). Source: Wenzek et al.
// 2020, "CCNet: extracting high quality monolingual datasets from web crawl data".

#include <string>
#include <string_view>

namespace lm::ngram {

/// text is well-formed UTF-8. O(n). Safe to call concurrently.
std::string ccnet_normalise(std::string_view text);

}  // namespace lm::ngram
