#include "text/tokenizer.h"
#include "text/utf8.h"

namespace lm::text {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_specials)
    : tokenizer_(&tokenizer), skip_specials_(skip_specials) {}

std::string StreamDecoder::push(i32 id) {
  std::string bytes = tokenizer_->token_bytes(id, !skip_specials_);
  if (at_start_ && !bytes.empty()) {
    if (tokenizer_->strips_leading_space() && bytes[0] == ' ') bytes.erase(0, 1);
    at_start_ = false;
  }
  held_ += bytes;
  const std::size_t keep = usize(incomplete_suffix(held_));
  std::string ready = repair_utf8(std::string_view(held_).substr(0, held_.size() - keep));
  held_.erase(0, held_.size() - keep);
  return ready;
}

std::string StreamDecoder::finish() {
  std::string rest = repair_utf8(held_);
  held_.clear();
  at_start_ = true;
  return rest;
}

}  // namespace lm::text
