#pragma once
// Embeddings of tokens that are drawn anew for every sequence: nothing is known of a symbol but its
// use in the sequence. z(v) ~ N(0, I) of the model's width C is what a token v gives to the first
// layer; its logit is h . E(v) s, E(v) = z(v) / sqrt(C), with a learnt scale s (embed_scale).
// Source: Huang et al. 2023, "Lexinvariant Language Models"; their E(v) ~ N(0, I) is z(v).

#include <span>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::model {

enum class EmbedKind : u8 {
  kLearned,
  kGaussian,  // every token's rows are drawn; the model has no table
  kSemi,      // those of a drawn share of the tokens; the others have their learnt rows
};

struct EmbedCfg {
  EmbedKind kind = EmbedKind::kLearned;
  f64 share = 0;  // kSemi: probability that a token's rows are drawn
  bool drawn() const { return kind != EmbedKind::kLearned; }
  bool operator==(const EmbedCfg&) const = default;
};

/// "learned", "gaussian" or "semi:P", P in [0, 1]; semi:0 is learned, semi:1 gaussian. Throws
/// Error{kUsage} naming the option.
EmbedCfg parse_embed(std::string_view text);
/// What parse_embed reads.
std::string embed_name(const EmbedCfg& cfg);

/// Which table: a sequence's number in its data, and how often it was drawn before (of training,
/// the step).
struct EmbedDraw {
  u64 seed = 0;
  i64 number = 0;
  u32 draw = 0;
};

/// Fills rows [V, width] with z. kSemi: learned [V] becomes the token where its learnt row counts,
/// whose z is 0 then, and -1 where z counts; kGaussian: learned is empty. A function of the other
/// arguments, and z(v) not of the share. O(V width) normal numbers. Safe to call concurrently.
void draw_embeddings(const EmbedCfg& cfg, const EmbedDraw& at, i64 width, std::span<f32> rows,
                     std::span<i32> learned);

/// The factor between z and E.
f32 embed_factor(i64 width);

}  // namespace lm::model
