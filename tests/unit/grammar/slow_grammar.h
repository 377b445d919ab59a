#pragma once
// Grammars for tests, made at random, and a recogniser that is slow and obvious: the set of places
// where a text of a node may end, computed from the definition. It shares nothing with the engine.

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/types.h"
#include "unit/dice.h"

namespace lm::test {

struct SlowNode {
  enum Kind { kLiteral, kClass, kCat, kAlt, kRepeat, kRule } kind;
  std::string text;  // literal; ASCII members of a class
  std::vector<std::unique_ptr<SlowNode>> parts;
  int min = 0;
  int max = -1;
  int rule = 0;
};
using SlowNodePtr = std::unique_ptr<SlowNode>;

struct SlowGrammar {
  std::vector<SlowNodePtr> rules;

  /// In the notation of gbnf.h; rule 0 is the root.
  std::string gbnf() const {
    std::string out;
    for (std::size_t i = 0; i < rules.size(); ++i)
      out += name(static_cast<int>(i)) + " ::= " + shown(*rules[i]) + "\n";
    return out;
  }
  static std::string name(int rule) { return rule == 0 ? "root" : "r" + std::to_string(rule); }

 private:
  static std::string shown(const SlowNode& n) {
    std::string out;
    switch (n.kind) {
      case SlowNode::kLiteral:
        return "\"" + n.text + "\"";
      case SlowNode::kClass:
        return "[" + n.text + "]";
      case SlowNode::kRule:
        return name(n.rule);
      case SlowNode::kCat:
        for (const SlowNodePtr& part : n.parts)
          out += (out.empty() ? "" : " ") + shown(*part);
        return "(" + out + ")";
      case SlowNode::kAlt:
        for (std::size_t i = 0; i < n.parts.size(); ++i)
          out += (i == 0 ? "" : " | ") + shown(*n.parts[i]);
        return "(" + out + ")";
      case SlowNode::kRepeat:
        return "(" + shown(*n.parts[0]) + "){" + std::to_string(n.min) + "," +
               (n.max < 0 ? "" : std::to_string(n.max)) + "}";
    }
    return out;
  }
};

/// Of one text.
class SlowMatch {
 public:
  SlowMatch(const SlowGrammar& grammar, std::string text)
      : grammar_(grammar), text_(std::move(text)), end_(static_cast<int>(text_.size())) {}
  /// The text is of the language.
  bool whole() { return ends(*grammar_.rules[0], 0).count(end_) != 0; }
  /// Some text of the language begins with it. Every node of the grammar must have some text.
  bool begun() {
    const std::set<int>& found = ends(*grammar_.rules[0], 0);
    return found.count(end_) != 0 || found.count(end_ + 1) != 0;
  }

 private:
  // Places where a text of n that begins at `at` may end; end_ + 1: it may go on behind our text.
  const std::set<int>& ends(const SlowNode& n, int at) {
    const auto known = known_.find({&n, at});
    if (known != known_.end()) return known->second;
    std::set<int> out;
    switch (n.kind) {
      case SlowNode::kLiteral: {
        const std::string rest = text_.substr(static_cast<std::size_t>(at), n.text.size());
        if (rest == n.text) {
          out.insert(at + static_cast<int>(n.text.size()));
        } else if (n.text.substr(0, rest.size()) == rest) {
          out.insert(end_ + 1);
        }
        break;
      }
      case SlowNode::kClass:
        if (at == end_) {
          out.insert(end_ + 1);
        } else if (n.text.find(text_[static_cast<std::size_t>(at)]) != std::string::npos) {
          out.insert(at + 1);
        }
        break;
      case SlowNode::kRule:
        out = ends(*grammar_.rules[static_cast<std::size_t>(n.rule)], at);
        break;
      case SlowNode::kAlt:
        for (const SlowNodePtr& part : n.parts) {
          const std::set<int> one = ends(*part, at);
          out.insert(one.begin(), one.end());
        }
        break;
      case SlowNode::kCat: {
        std::set<int> now{at};
        for (const SlowNodePtr& part : n.parts)
          now = after(*part, now);
        out = now;
        break;
      }
      case SlowNode::kRepeat: {
        std::set<int> now{at};
        // Beyond the text's length more repetitions lead nowhere new.
        const int most = n.max >= 0 ? n.max : n.min + end_ + 2;
        for (int i = 0; i <= most; ++i) {
          if (i >= n.min) out.insert(now.begin(), now.end());
          now = after(*n.parts[0], now);
        }
        break;
      }
    }
    return known_[{&n, at}] = out;
  }
  std::set<int> after(const SlowNode& n, const std::set<int>& places) {
    std::set<int> out;
    for (const int at : places) {
      if (at > end_) {
        out.insert(at);
        continue;
      }
      const std::set<int> one = ends(n, at);
      out.insert(one.begin(), one.end());
    }
    return out;
  }

  const SlowGrammar& grammar_;
  std::string text_;
  int end_;
  std::map<std::pair<const SlowNode*, int>, std::set<int>> known_;
};

inline constexpr const char* kLetters = "abcx";

inline SlowNodePtr random_node(Dice& dice, int depth, int rules) {
  auto node = std::make_unique<SlowNode>();
  const int pick = dice.below(depth > 0 ? 10 : 4);
  if (pick < 2) {
    node->kind = SlowNode::kLiteral;
    const int length = dice.below(4);
    for (int i = 0; i < length; ++i)
      node->text += kLetters[dice.below(4)];
  } else if (pick < 3) {
    node->kind = SlowNode::kClass;
    for (const char c : std::string(kLetters)) {
      if (dice.one_in(2)) node->text += c;
    }
    if (node->text.empty()) node->text = "a";
  } else if (pick < 4) {
    node->kind = SlowNode::kRule;
    node->rule = dice.below(rules);
  } else if (pick < 7) {
    node->kind = SlowNode::kCat;
    for (int i = dice.below(3) + 1; i > 0; --i)
      node->parts.push_back(random_node(dice, depth - 1, rules));
  } else if (pick < 9) {
    node->kind = SlowNode::kAlt;
    for (int i = dice.below(3) + 1; i > 0; --i)
      node->parts.push_back(random_node(dice, depth - 1, rules));
  } else {
    node->kind = SlowNode::kRepeat;
    node->parts.push_back(random_node(dice, depth - 1, rules));
    node->min = dice.below(3);
    node->max = dice.one_in(2) ? -1 : node->min + dice.below(3);
    if (node->max == 0) node->max = 1;
  }
  return node;
}

/// Many of them recurse, so that many are refused: for left recursion or because nothing ends.
inline SlowGrammar random_grammar(u64 seed) {
  Dice dice(seed);
  SlowGrammar out;
  const int rules = dice.below(4) + 1;
  for (int i = 0; i < rules; ++i)
    out.rules.push_back(random_node(dice, 3, rules));
  return out;
}

/// Texts over the letters of the grammars, some twice, some empty.
inline std::vector<std::string> random_vocabulary(u64 seed) {
  Dice dice(seed ^ 0x5eedULL);
  std::vector<std::string> out{"a", "b", "c", "x", "", "ab", "ab"};
  const int count = dice.below(40) + 20;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (int length = dice.below(6); length > 0; --length)
      text += kLetters[dice.below(4)];
    out.push_back(text);
  }
  return out;
}

}  // namespace lm::test
