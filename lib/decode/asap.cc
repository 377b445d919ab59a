#include "decode/asap.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "decode/generate.h"

namespace lm::decode {

namespace {

constexpr KeptKind kKept = {"LMASAP01", "learned samples", "--asap-trie", "model"};
constexpr i64 kWarmup = i64{1} << 31;  // numbers of samples that are not written

bool is_share(f64 x) {
  return x >= 0 && x <= 1;
}

}  // namespace

PermittedMass::PermittedMass(MemoryBudget* memory) : memory_(memory) {
  charge(bytes_of(1));
  nodes_.emplace_back();
}

PermittedMass::~PermittedMass() {
  if (memory_ != nullptr) memory_->release(bytes());
}

/// A node, its place in its parent's map (48 bytes of the heap) and in a file that is written (33);
/// and an empty deque.
i64 PermittedMass::bytes_of(i64 nodes) {
  return 1024 + nodes * (static_cast<i64>(sizeof(Node)) + 96);
}

void PermittedMass::charge(i64 bytes) {
  if (memory_ != nullptr) memory_->charge(bytes, "what samples of asap learn");
}

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
  return child(node, token, p);
}

i32 PermittedMass::child(i32 node, i32 token, f64 p) {
  std::map<i32, i32>& children = nodes_[usize(node)].children;
  if (const auto known = children.find(token); known != children.end()) return known->second;
  charge(bytes_of(1) - bytes_of(0));
  const i32 out = static_cast<i32>(nodes_.size());
  nodes_.emplace_back();
  nodes_.back().parent = node;
  nodes_.back().token = token;
  nodes_.back().p = p;
  children.emplace(token, out);
  return out;
}

void PermittedMass::close(i32 leaf, bool permitted) {
  const std::lock_guard lock(mutex_);
  end(leaf, permitted ? End::kPermitted : End::kRefused);
  for (i32 node = nodes_[usize(leaf)].parent; node >= 0; node = nodes_[usize(node)].parent)
    update(node);
}

void PermittedMass::end(i32 leaf, End how) {
  Node& own = nodes_[usize(leaf)];
  if (own.end != End::kNone || how == End::kNone) return;
  own.end = how;
  if (how == End::kRefused) {
    own.c = 0;
    return;
  }
  for (i32 node = leaf; node >= 0; node = nodes_[usize(node)].parent)
    if (nodes_[usize(node)].end == End::kRefused) return;  // it came where none was expected
  found_ += std::exp(log_p(leaf));
}

f64 PermittedMass::mass(i32 node) const {
  const std::lock_guard lock(mutex_);
  return nodes_[usize(node)].c;
}

f64 PermittedMass::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

f64 PermittedMass::distance() const {
  const std::lock_guard lock(mutex_);
  const f64 mass = nodes_[kRoot].c;
  return mass > 0 ? std::clamp(1 - found_ / mass, 0.0, 1.0) : 0;
}

f64 PermittedMass::log_probability(i32 node) const {
  const std::lock_guard lock(mutex_);
  return log_p(node);
}

f64 PermittedMass::log_p(i32 node) const {
  f64 out = 0;
  for (; node > 0; node = nodes_[usize(node)].parent)
    out += std::log(nodes_[usize(node)].p);
  return out;
}

i64 PermittedMass::nodes() const {
  const std::lock_guard lock(mutex_);
  return isize(nodes_);
}

std::shared_ptr<PermittedMass> PermittedMass::copy() const {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<PermittedMass> out = std::make_shared<PermittedMass>(memory_);
  out->charge(bytes_of(isize(nodes_)) - bytes_of(1));
  out->nodes_ = nodes_;
  out->found_ = found_;
  return out;
}

void PermittedMass::add(const PermittedMass& other) {
  const std::shared_ptr<PermittedMass> theirs = other.copy();
  const std::lock_guard lock(mutex_);
  std::vector<i32> place = {kRoot};  // of their nodes
  for (i32 i = 0; i < static_cast<i32>(theirs->nodes_.size()); ++i) {
    const Node& from = theirs->nodes_[usize(i)];
    if (i > 0) place.push_back(child(place[usize(from.parent)], from.token, from.p));
    Node& own = nodes_[usize(place.back())];
    if (own.masked < 0) own.masked = from.masked;
    own.c = std::min(own.c, from.c);
    end(place.back(), from.end);
  }
  // Children have larger numbers than their parents.
  for (i32 node = static_cast<i32>(nodes_.size()) - 1; node >= 0; --node)
    if (nodes_[usize(node)].end == End::kNone) update(node);
}

// The number of nodes (8 bytes); of each its parent (4), token (4), end (1), and the reals P given
// the parent, masked and c (8 each).
void PermittedMass::save(KeptWriter& out) const {
  const std::lock_guard lock(mutex_);
  out.word(nodes_.size(), 8);
  for (const Node& node : nodes_) {
    out.word(static_cast<u32>(node.parent), 4);
    out.word(static_cast<u32>(node.token), 4);
    out.word(static_cast<u64>(node.end), 1);
    for (const f64 real : {node.p, node.masked, node.c})
      out.real(real);
  }
}

std::shared_ptr<PermittedMass> PermittedMass::load(KeptReader& in, MemoryBudget* memory) {
  std::shared_ptr<PermittedMass> out = std::make_shared<PermittedMass>(memory);
  const i64 count = static_cast<i64>(in.count(in.word(8), 33));
  for (i64 i = 0; i < count; ++i) {
    const i32 parent = static_cast<i32>(in.word(4));
    const i32 token = static_cast<i32>(in.word(4));
    const u64 end = in.word(1);
    const f64 p = in.real();
    const f64 masked = in.real();
    const f64 c = in.real();
    const bool fits = i == 0 ? parent == -1 : parent >= 0 && parent < i && token >= 0;
    if (!fits || end > 2 || !is_share(p) || (masked != -1 && !is_share(masked)) || !is_share(c))
      in.fail("a sample is impossible");
    const i32 at = i == 0 ? kRoot : out->child(parent, token, p);
    if (at != i) in.fail("a sample is there twice");
    Node& own = out->nodes_[usize(at)];
    own.masked = masked;
    own.c = c;
    out->end(at, static_cast<End>(end));
  }
  return out;
}

void KeptMasses::load(const std::string& path, u64 model) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::optional<MemoryCharge> held;
  if (memory_ != nullptr && !error) held.emplace(*memory_, static_cast<i64>(size), path);
  KeptReader in(path, kKept, model);
  for (u64 left = in.word(8); left > 0; --left) {
    const u64 key = in.word(8);
    add(key, PermittedMass::load(in, memory_));
  }
}

void KeptMasses::save(const std::string& path, u64 model) const {
  KeptWriter out(kKept, model);
  out.word(masses_.size(), 8);
  for (const auto& [key, mass] : masses_) {
    out.word(key, 8);
    mass->save(out);
  }
  out.save(path);
}

std::shared_ptr<PermittedMass> KeptMasses::get(u64 key) const {
  const auto found = masses_.find(key);
  return found == masses_.end() ? std::make_shared<PermittedMass>(memory_) : found->second->copy();
}

void KeptMasses::add(u64 key, std::shared_ptr<PermittedMass> mass) {
  std::shared_ptr<PermittedMass>& known = masses_[key];
  const i64 before = known ? known->bytes() : 0;
  if (known) {
    known->add(*mass);
  } else {
    known = std::move(mass);
  }
  bytes_ += known->bytes() - before;
}

void KeptMasses::take(KeptMasses&& other) {
  for (auto& [key, mass] : other.masses_)
    add(key, std::move(mass));
  other.masses_.clear();
  other.bytes_ = 0;
}

void add_warmup(GenerateRequest& request, i64 samples) {
  std::vector<SampleVariant> all;
  for (i64 i = 0; i < samples; ++i)
    all.push_back({request.params.temperature, kWarmup + i, false});
  for (i64 i = 0; i < request.params.n; ++i)
    all.push_back({request.params.temperature, i, true});
  request.variants = std::move(all);
  request.params.n += samples;
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
i32 AsapConstraint::step(i32 token) const {
  const auto at = std::lower_bound(before_.ids.begin(), before_.ids.end(), token);
  LM_CHECK(at != before_.ids.end() && *at == token, "the token was in the mask");
  const f64 p = std::exp(before_.w[usize(at - before_.ids.begin())] - log_sum_);
  return mass_->step(node_, token, p);
}

bool AsapConstraint::permits(i32 token, i64 left) const {
  if (inner_->permits(token, left)) return true;
  mass_->close(step(token), false);
  return false;
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
         ",\"found_mass\":", format_float(mass_->found()),
         ",\"distance\":", format_float(mass_->distance()), ",\"exact_logprob\":");
  if (mass > 0) {
    append(out, format_float(mass_->log_probability(node_) - std::log(mass)), "}");
  } else {
    out += "null}";
  }
  return out;
}

}  // namespace lm::decode
