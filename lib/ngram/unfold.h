#pragma once
// From the query form back to the list of n-grams. An LMNG file keeps hashes only, but the hash
// step (image.h) can be undone: a hash gives (hash of the suffix) xor (first word + 1), whose upper
// half finds the suffix among the n-grams that are one word shorter; the context, which is in every
// image too, confirms the find. So an image loses nothing but the text it was counted from.

#include "core/context.h"
#include "ngram/image.h"
#include "ngram/sink.h"

namespace lm::ngram {

/// Gives all n-grams of the image to sink, in suffix order: what estimation gave to the image.
/// Memory: 16 bytes per n-gram and 24 per n-gram of one order, spilled beyond the budget; the
/// words are charged. O(n log n). Throws Error{kData} naming `name` for a damaged image.
void unfold(const Context& ctx, const ImageView& view, const std::string& name, ModelSink& sink);

}  // namespace lm::ngram
