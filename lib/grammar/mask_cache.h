#pragma once
// Masks that were made, the least lately used dropped first. One with few tokens is kept as a list.

#include <array>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/types.h"
#include "grammar/table_memory.h"

namespace lm::grammar {

struct KeptMask {
  std::vector<u32> bits;    // one of the two is empty
  std::vector<i32> tokens;  // some perhaps twice
  // Nodes of the short tries at which the rule may be done and tokens go on.
  std::array<std::vector<u32>, 2> leaves;
  bool whole = false;  // such nodes are too many: the mask is made with the stack below

  void add_to(std::span<u32> out) const;
  i64 bytes() const;
};

/// A mask while it is made: a list of tokens as long as they are few.
class TokenSink {
 public:
  /// words: of a mask of the vocabulary.
  explicit TokenSink(i64 words) : words_(words) {}
  void add(i32 token) {
    if (!bits_.empty()) {
      bits_[usize(token >> 5)] |= u32{1} << (token & 31);
    } else {
      tokens_.push_back(token);
      if (isize(tokens_) > words_ / 4) spread();
    }
  }
  void add(std::span<const u32> mask);
  void add(const KeptMask& mask);
  KeptMask finish();

 private:
  void spread();

  i64 words_;
  std::vector<u32> bits_;
  std::vector<i32> tokens_;
};

class MaskCache {
 public:
  enum Kind : u32 { kState, kRuleState };
  /// memory: where masks are charged and may not fit; null: nowhere.
  explicit MaskCache(i64 limit, std::shared_ptr<TableMemory> memory = nullptr)
      : limit_(limit), memory_(std::move(memory)) {}
  ~MaskCache();
  MaskCache(const MaskCache&) = delete;
  MaskCache& operator=(const MaskCache&) = delete;
  /// Null if there is none.
  std::shared_ptr<const KeptMask> find(Kind kind, i32 id);
  std::shared_ptr<const KeptMask> keep(Kind kind, i32 id, KeptMask mask);

 private:
  struct Entry {
    u64 key;
    std::shared_ptr<const KeptMask> mask;  // also with who is using it while it is dropped
  };
  void drop_last();

  i64 limit_;
  std::shared_ptr<TableMemory> memory_;  // shared with the other matchers of the run
  i64 used_ = 0;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<u64, std::list<Entry>::iterator> index_;
};

}  // namespace lm::grammar
