#include "text/tokenizer.h"

namespace lm::text {

std::optional<Fault> encode_record(const Tokenizer& tokenizer, std::string_view text,
                                   EncodeState& state, std::vector<i32>& ids,
                                   std::vector<std::pair<i64, i64>>* offsets) {
  bool taken = false;
  std::optional<Fault> fault =
      tokenizer_fault([&] { taken = tokenizer.encode(text, state, ids, offsets); });
  if (!fault && !taken)
    return Fault{"special", "the text contains a special token of the tokenizer", -1};
  return fault;
}

}  // namespace lm::text
