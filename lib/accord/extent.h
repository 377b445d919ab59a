#pragma once
// What the texts of solutions are made of, and how long they get: known before any is written.

#include <string_view>

#include "accord/automaton.h"

namespace lm::accord {

/// Every byte that a solution's text can hold, some of them twice.
std::string_view bytes_of(Problem problem, Format format);

/// Bytes of a solution's text at most; O(size of the instance).
i64 most_bytes(const Instance& instance, Format format);

}  // namespace lm::accord
