#pragma once
// Samples of a language model that a constraint lets pass, in their true proportions. Masking and
// drawing on (grammar-constrained decoding) prefers beginnings that look likely and seldom lead to
// a permitted text; this one learns from every sample how much of the model's mass behind each
// beginning is permitted, and draws by that. Source: Park et al. 2024 (ASAp); the trie keeps
// visited tokens only.

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/context.h"
#include "decode/constraint.h"
#include "decode/kept_file.h"

namespace lm::decode {

/// What is known of the permitted mass: an upper bound c of every visited beginning,
///   c(u) = 1 - masked(u) - sum over visited children v of P(v|u) (1 - c(uv)),
/// which falls with every sample, never below the truth. Thread-safe.
class PermittedMass {
 public:
  /// memory: what it takes is charged there, null: nowhere. What grows throws Error{kOs} when the
  /// budget has no room.
  explicit PermittedMass(MemoryBudget* memory = nullptr);
  ~PermittedMass();
  PermittedMass(const PermittedMass&) = delete;
  PermittedMass& operator=(const PermittedMass&) = delete;
  static constexpr i32 kRoot = 0;

  /// Adds ln c of visited children to the weights, and takes those out that lead nowhere. masked:
  /// the share of the model's probability that the constraint has taken away here.
  void weigh(i32 node, f64 masked, TokenWeights& x);
  /// The child for a token of probability p.
  i32 step(i32 node, i32 token, f64 p);
  /// A text ended here, permitted or not: what is above learns of it.
  void close(i32 leaf, bool permitted);

  f64 mass(i32 node = kRoot) const;
  /// Of all permitted texts that have come: the truth is between it and mass().
  f64 found() const;
  /// The total variation from what is drawn next to the true conditional is at most this:
  ///   1 - found / mass.
  /// Texts that have come are drawn with P(text) / mass, and their true share is P(text) / Z with
  /// found <= Z <= mass; whatever the rest does weighs 1 - found / mass. Falls with every sample.
  f64 distance() const;
  /// ln of the product of the probabilities that led here.
  f64 log_probability(i32 node) const;
  i64 nodes() const;
  i64 bytes() const { return bytes_of(nodes()); }

  std::shared_ptr<PermittedMass> copy() const;
  /// Learns what the other one, of the same model and constraint, knows.
  void add(const PermittedMass& other);
  void save(KeptWriter& out) const;
  /// Throws Error{kData}.
  static std::shared_ptr<PermittedMass> load(KeptReader& in, MemoryBudget* memory = nullptr);

 private:
  enum class End : u8 { kNone, kPermitted, kRefused };
  struct Node {
    i32 parent = -1;
    i32 token = -1;
    f64 p = 1;        // given its parent
    f64 masked = -1;  // -1: not seen yet
    f64 c = 1;
    End end = End::kNone;
    std::map<i32, i32> children = {};  // by token
  };
  static i64 bytes_of(i64 nodes);
  void charge(i64 bytes);
  void update(i32 node);
  void end(i32 leaf, End how);
  i32 child(i32 node, i32 token, f64 p);
  f64 log_p(i32 node) const;
  MemoryBudget* memory_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Node> nodes_;    // grows without a second copy
  f64 found_ = 0;
};

/// A constraint whose samples learn from each other. Its clones share what is known. P is the
/// distribution that the constraint is given: the model's own at temperature 1, if nothing else is
/// asked for; penalties and truncations behind it change the target.
class AsapConstraint final : public Constraint {
 public:
  /// A text that ends for another reason than an end token counts as not permitted, unless
  /// `unbounded`: then nothing is learned from it.
  AsapConstraint(std::unique_ptr<Constraint> inner, std::shared_ptr<PermittedMass> mass,
                 bool unbounded = false);
  std::optional<Fault> mask(TokenWeights& x, i64 left) const override;
  /// A token that the constraint takes back leads nowhere, which is learned.
  bool permits(i32 token, i64 left) const override;
  void accept(i32 token) override;
  std::optional<TextEnd> end(std::string_view text) override;
  void finish(std::optional<i32> end_token) override;
  std::unique_ptr<Constraint> clone() const override;
  std::string note() const override;

 private:
  i32 step(i32 token) const;
  std::unique_ptr<Constraint> inner_;
  std::shared_ptr<PermittedMass> mass_;
  bool unbounded_;
  i32 node_ = PermittedMass::kRoot;
  bool finished_ = false;
  mutable TokenWeights before_;  // what the last mask was given
  mutable f64 log_sum_ = 0;      // of it
};

/// What runs have learned, each under a key that stands for all that it depends on beside the
/// model: prompt, constraint and parameters.
class KeptMasses {
 public:
  /// memory: of PermittedMass.
  explicit KeptMasses(MemoryBudget* memory = nullptr) : memory_(memory) {}
  /// Reads what save wrote for a model of this key. Throws what KeptReader throws.
  void load(const std::string& path, u64 model);
  void save(const std::string& path, u64 model) const;
  /// A copy of what is known, or nothing yet.
  std::shared_ptr<PermittedMass> get(u64 key) const;
  /// Takes part in the mass from here on.
  void add(u64 key, std::shared_ptr<PermittedMass> mass);
  /// Adds all of the other's.
  void take(KeptMasses&& other);
  i64 bytes() const { return bytes_; }

 private:
  MemoryBudget* memory_;
  std::map<u64, std::shared_ptr<PermittedMass>> masses_;
  i64 bytes_ = 0;  // of them
};

struct GenerateRequest;

/// Samples that are drawn before the request's own, whose draws stay what they are.
void add_warmup(GenerateRequest& request, i64 samples);

}  // namespace lm::decode
