#pragma once
// What pages say of cookies and terms of use, in lower case.

#include <array>
#include <string_view>

namespace lm::clean {

/// Of C4's script and of datatrove.
inline constexpr std::array<std::string_view, 6> kPolicyPhrases = {
    "terms of use", "privacy policy", "cookie policy",
    "uses cookies", "use of cookies", "use cookies"};

/// True if lower, a text in lower case, has one of them in it.
inline bool has_policy_phrase(std::string_view lower) {
  for (const std::string_view phrase : kPolicyPhrases)
    if (lower.find(phrase) != std::string_view::npos) return true;
  return false;
}

}  // namespace lm::clean
