#include "model/drawn_embeddings.h"

#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"

namespace lm::model {
namespace {

constexpr std::string_view kSemiPrefix = "semi:";

RandomStream stream_of(const EmbedDraw& at, std::string_view purpose) {
  return {at.seed ^ fnv1a64(purpose), RandomPurpose::kOther,
          static_cast<u64>(at.number) << 32 | at.draw};
}

}  // namespace

EmbedCfg parse_embed(std::string_view text) {
  if (text == "learned") return {};
  if (text == "gaussian") return {EmbedKind::kGaussian, 0};
  std::optional<f64> share;
  if (text.starts_with(kSemiPrefix)) share = parse_float(text.substr(kSemiPrefix.size()));
  if (!share || !(*share >= 0 && *share <= 1))
    throw Error(ErrorKind::kUsage,
                cat("--embed ", quote(text),
                    ", expected learned, gaussian, or semi:P with a share P from 0 to 1"));
  if (*share == 0) return {};
  if (*share == 1) return {EmbedKind::kGaussian, 0};
  return {EmbedKind::kSemi, *share};
}

std::string embed_name(const EmbedCfg& cfg) {
  if (cfg.kind == EmbedKind::kSemi) return cat(kSemiPrefix, cfg.share);
  return cfg.drawn() ? "gaussian" : "learned";
}

void draw_embeddings(const EmbedCfg& cfg, const EmbedDraw& at, i64 width, std::span<f32> rows,
                     std::span<i32> learned) {
  const i64 vocab = isize(rows) / width;
  const bool semi = cfg.kind == EmbedKind::kSemi;
  LM_CHECK(isize(rows) == vocab * width && isize(learned) == (semi ? vocab : 0),
           "a row for each token");
  const RandomStream numbers = stream_of(at, "drawn embeddings");
  const RandomStream types = stream_of(at, "types of drawn embeddings");
  for (i64 v = 0; v < vocab; ++v) {
    const bool own = semi && types.uniform(static_cast<u64>(v)) >= cfg.share;
    if (semi) learned[usize(v)] = own ? static_cast<i32>(v) : -1;
    for (i64 i = v * width; i < (v + 1) * width; ++i)
      rows[usize(i)] = own ? 0.0f : static_cast<f32>(numbers.normal(static_cast<u64>(i)));
  }
}

f32 embed_factor(i64 width) {
  return static_cast<f32>(1 / std::sqrt(static_cast<f64>(width)));
}

}  // namespace lm::model
