#include "text/scorer.h"

#include "core/error.h"

namespace lm::text {

void Scorer::score_after(std::span<const std::string_view> /*prompts*/,
                         std::span<const std::string_view> /*texts*/, std::span<Score> /*scores*/) {
  LM_CHECK(false, "this scorer reads a text alone");
}

}  // namespace lm::text
