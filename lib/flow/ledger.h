#pragma once
// What the values of a record take of --memory. A text, list or map that several values share
// counts once, as long as one of them is held. What cannot be charged ends the run: an output does
// not depend on how much memory there is. One thread at a time.

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "core/memory_hold.h"
#include "text/value.h"

namespace lm::flow {

class Ledger {
 public:
  /// owner: of the values, for messages ("record \"17\""). budget null: nothing is refused.
  Ledger(MemoryBudget* budget, std::string owner) : memory_(budget), owner_(std::move(owner)) {}

  /// A holder more; node: whose value it is. Returns how many levels of lists and maps it has.
  /// Throws Error{kOs} with the node, the size and the --memory that would do.
  i64 hold(const text::Value& value, std::string_view node);
  /// One of them less.
  void drop(const text::Value& value);

  /// What is no value: pieces of work, requests, traces. what: "a request" and the like.
  void add(i64 bytes, std::string_view node, std::string_view what);
  bool try_add(i64 bytes) { return memory_.try_add(bytes); }
  void give(i64 bytes) { memory_.add(-bytes, {}); }
  i64 held() const { return memory_.bytes(); }
  /// make(), whose Error{kOs} gets the node and the owner.
  template <typename Make>
  auto about(std::string_view node, Make make) const {
    try {
      return make();
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kOs) refuse(node, e);
      throw;
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view node, const Error& error) const;

  struct Entry {
    text::Value value;  // so that its address stays its own
    i64 holders = 0;
    i64 bytes = 0;
    i64 depth = 0;
  };
  MemoryHold memory_;
  const std::string owner_;
  std::unordered_map<const void*, Entry> entries_;  // by what is shared; never iterated
};

/// More than the value of a JSON text takes while it is read and afterwards. O(n).
i64 json_value_bytes(std::string_view json);

}  // namespace lm::flow
