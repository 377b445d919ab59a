#include "decode/asap.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::decode {

void PermittedMass::update(i32 node) {
  Node& u = nodes_[usize(node)];
  f64 c = 1 - std::max(0.0, u.masked);
  for (const auto& [token, child] : u.children)
    c -= nodes_[usize(child)].p * (1 - nodes_[usize(child)].c);
  u.c = std::clamp(c, 0.0, u.c);  // rounding does not raise it
}

void PermittedMass::weigh(i32 node, f64 masked, TokenWeights& x) {
  const std::lock_guard lock(mutex_);
  Node& u = nodes_[usize(node)];
  if (u.masked < 0) {
    u.masked = masked;
    update(node);
  }
  std::size_t kept = 0;
  auto child = u.children.begin();
  for (std::size_t i = 0; i < x.ids.size(); ++i) {
    while (child != u.children.end() && child->first < x.ids[i])
      ++child;
    f64 w = x.w[i];
    if (child != u.children.end() && child->first == x.ids[i]) {
      const f64 c = nodes_[usize(child->second)].c;
      if (c <= 0) continue;
      w += std::log(c);
    }
    x.ids[kept] = x.ids[i];
    x.w[kept++] = w;
  }
  x.ids.resize(kept);
  x.w.resize(kept);
}

i32 PermittedMass::step(i32 node, i32 token, f64 p) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] =
      nodes_[usize(node)].children.try_emplace(token, static_cast<i32>(nodes_.size()));
  const i32 child = at->second;
  if (fresh) {
    nodes_.emplace_back();
    nodes_.back().parent = node;
    nodes_.back().p = p;
  }
  return child;
}

void PermittedMass::close(i32 leaf, bool permitted) {
  const std::lock_guard lock(mutex_);
  if (!permitted) nodes_[usize(leaf)].c = 0;
  for (i32 node = nodes_[usize(leaf)].parent; node >= 0; node = nodes_[usize(node)].parent)
    update(node);
}

f64 PermittedMass::mass(i32 node) const {
  const std::lock_guard lock(mutex_);
  return nodes_[usize(node)].c;
}

f64 PermittedMass::log_probability(i32 node) const {
  const std::lock_guard lock(mutex_);
  f64 out = 0;
  for (; node > 0; node = nodes_[usize(node)].parent)
    out += std::log(nodes_[usize(node)].p);
  return out;
}

i64 PermittedMass::nodes() const {
  const std::lock_guard lock(mutex_);
  return isize(nodes_);
}

AsapConstraint::AsapConstraint(std::unique_ptr<Constraint> inner,
                               std::shared_ptr<PermittedMass> mass, bool unbounded)
    : inner_(std::move(inner)), mass_(std::move(mass)), unbounded_(unbounded) {}

std::optional<Fault> AsapConstraint::mask(TokenWeights& x, i64 left) const {
  before_ = x;
  log_sum_ = x.log_sum();
  if (std::optional<Fault> fault = inner_->mask(x, left)) return fault;
  const f64 kept = x.empty() ? 0 : std::exp(x.log_sum() - log_sum_);
  mass_->weigh(node_, std::clamp(1 - kept, 0.0, 1.0), x);
  return std::nullopt;
}

/// The node of a token that was drawn behind the last mask.
i32 AsapConstraint::step(i32 token) {
  const auto at = std::lower_bound(before_.ids.begin(), before_.ids.end(), token);
  LM_CHECK(at != before_.ids.end() && *at == token, "the token was in the mask");
  const f64 p = std::exp(before_.w[usize(at - before_.ids.begin())] - log_sum_);
  return mass_->step(node_, token, p);
}

void AsapConstraint::accept(i32 token) {
  node_ = step(token);
  inner_->accept(token);
}

std::optional<TextEnd> AsapConstraint::end(std::string_view text) {
  return inner_->end(text);
}

void AsapConstraint::finish(std::optional<i32> end_token) {
  inner_->finish(end_token);
  finished_ = true;
  if (end_token) node_ = step(*end_token);
  if (end_token || !unbounded_) mass_->close(node_, end_token.has_value());
}

std::unique_ptr<Constraint> AsapConstraint::clone() const {
  std::unique_ptr<AsapConstraint> out =
      std::make_unique<AsapConstraint>(inner_->clone(), mass_, unbounded_);
  out->node_ = node_;
  return out;
}

std::string AsapConstraint::note() const {
  const f64 mass = mass_->mass();
  std::string out = inner_->note();
  append(out, out.empty() ? "" : ",", "\"asap\":{\"root_mass\":", format_float(mass),
         ",\"exact_logprob\":");
  if (mass > 0) {
    append(out, format_float(mass_->log_probability(node_) - std::log(mass)), "}");
  } else {
    out += "null}";
  }
  return out;
}

}  // namespace lm::decode
