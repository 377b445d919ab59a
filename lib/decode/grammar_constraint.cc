#include "decode/grammar_constraint.h"

#include <algorithm>

namespace lm::decode {

GrammarConstraint::GrammarConstraint(std::shared_ptr<grammar::Matcher> matcher, bool at_once)
    : matcher_(std::move(matcher)), at_once_(at_once), state_(matcher_->start()) {}

std::optional<Fault> GrammarConstraint::mask(TokenWeights& x, i64 left) const {
  bits_.resize(usize(matcher_->trie().words()));
  closing_ = matcher_->distance(state_) >= left && left > 0;
  if (std::optional<Fault> fault =
          closing_ ? matcher_->closing_mask(state_, bits_) : matcher_->mask(state_, bits_))
    return fault;
  if (closing_ && std::all_of(bits_.begin(), bits_.end(), [](u32 word) { return word == 0; })) {
    // No token leads nearer: the text goes on as it may.
    closing_ = false;
    if (std::optional<Fault> fault = matcher_->mask(state_, bits_)) return fault;
  }
  forced_ = forced_ || closing_;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < x.ids.size(); ++i) {
    if (!grammar::allows(bits_, x.ids[i])) continue;
    x.ids[kept] = x.ids[i];
    x.w[kept++] = x.w[i];
  }
  x.ids.resize(kept);
  x.w.resize(kept);
  return std::nullopt;
}

bool GrammarConstraint::permits(i32 token, i64 left) const {
  if (closing_ || matcher_->trie().text(token).empty()) return true;  // the latter: an end token
  const Result<grammar::State> after = matcher_->accept(state_, token);
  return !after || matcher_->distance(*after) <= left;
}

void GrammarConstraint::accept(i32 token) {
  const Result<grammar::State> after = matcher_->accept(state_, token);
  state_ = after ? *after : grammar::kDead;
  heard_ = true;
}

std::optional<TextEnd> GrammarConstraint::end(std::string_view) {
  const bool last = !heard_;
  heard_ = false;
  if (state_ == grammar::kDead) return std::nullopt;
  if (at_once_ && !last) {
    const Result<bool> closed = matcher_->closed(state_);
    if (closed && *closed) return TextEnd{forced_ ? "forced_close" : "grammar", {}};
  }
  if (last && forced_ && matcher_->accepting(state_)) return TextEnd{"forced_close", {}};
  return std::nullopt;
}

std::unique_ptr<Constraint> GrammarConstraint::clone() const {
  return std::make_unique<GrammarConstraint>(*this);
}

}  // namespace lm::decode
