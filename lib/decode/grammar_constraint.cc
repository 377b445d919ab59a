#include "decode/grammar_constraint.h"

#include <algorithm>

#include "grammar/forced.h"

namespace lm::decode {

namespace {

constexpr std::size_t kTail = 1024;  // bytes of a text that decide how it goes on in tokens

}  // namespace

GrammarConstraint::GrammarConstraint(std::shared_ptr<grammar::Matcher> matcher, bool at_once,
                                     const text::Tokenizer* tokenizer)
    : matcher_(std::move(matcher)),
      at_once_(at_once),
      tokenizer_(tokenizer),
      state_(matcher_->start()) {
  look_ahead();
}

GrammarConstraint::GrammarConstraint(const GrammarConstraint& other)
    : Constraint(other),
      matcher_(other.matcher_),
      at_once_(other.at_once_),
      tokenizer_(other.tokenizer_),
      state_(other.state_),
      text_(other.text_),
      queue_(other.queue_),
      queued_(other.queued_),
      over_(other.over_),
      ended_(other.ended_),
      heard_(other.heard_),
      closing_(other.closing_),
      forced_(other.forced_) {}

/// The tokens of a text that must come now.
void GrammarConstraint::look_ahead() {
  queue_.clear();
  queued_ = 0;
  if (tokenizer_ == nullptr || state_ == grammar::kDead) return;
  const Result<grammar::Matcher::Forced> text = matcher_->forced(state_);
  if (!text || text->text.empty()) return;
  if (!encoder_) encoder_ = tokenizer_->new_state();
  Result<grammar::ForcedTokens> tokens =
      grammar::forced_tokens(*tokenizer_, *encoder_, *matcher_, state_, text_);
  if (tokens) queue_ = std::move(tokens->ids);  // else drawing goes on
}

std::optional<Fault> GrammarConstraint::mask(TokenWeights& x, i64 left) const {
  if (!forced().empty()) {
    const i32 token = forced()[0];
    const auto at = std::lower_bound(x.ids.begin(), x.ids.end(), token);
    if (at != x.ids.end() && *at == token) {  // else it is banned: other tokens of the text may do
      const f64 w = x.w[usize(at - x.ids.begin())];
      x.ids.assign(1, token);
      x.w.assign(1, w);
      closing_ = true;
      return std::nullopt;
    }
  }
  bits_.resize(usize(matcher_->trie().words()));
  closing_ = matcher_->distance(state_) >= left;
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
  if (closing_) return true;
  if (matcher_->trie().text(token).empty()) return true;  // an end token
  const Result<grammar::State> after = matcher_->accept(state_, token);
  return !after || matcher_->distance(*after) <= left;
}

void GrammarConstraint::accept(i32 token) {
  heard_ = true;
  if (matcher_->trie().text(token).empty()) {  // an end token that ends no text by itself
    over_ = true;
    return;
  }
  const Result<grammar::State> after = matcher_->accept(state_, token);
  state_ = after ? *after : grammar::kDead;
  if (tokenizer_ == nullptr) return;
  text_ += matcher_->trie().text(token);
  if (text_.size() > 2 * kTail) {  // tokens hardly depend on what is further away
    const std::size_t blank = text_.find(' ', text_.size() - kTail);
    text_.erase(0, blank == std::string::npos ? text_.size() - kTail : blank);
  }
  const bool queued = !forced().empty() && forced()[0] == token;
  if (queued) ++queued_;
  if (!queued || forced().empty()) look_ahead();
}

std::optional<TextEnd> GrammarConstraint::end(std::string_view text) {
  const bool last = !heard_;
  heard_ = false;
  if (over_) return TextEnd{forced_ ? "forced_close" : "stop", ended_};
  ended_ = isize(text);
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
