#pragma once
// What tests of this room share.

#include <string>

#include "core/error.h"
#include "core/str.h"

namespace lm::test {

/// "message (hint)" of the error that f throws; empty if it throws none.
template <typename F>
std::string refusal_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return cat(e.message(), " (", e.hint(), ")");
  }
  return {};
}

}  // namespace lm::test
