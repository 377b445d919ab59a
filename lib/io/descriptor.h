#pragma once
// The three descriptors that a program starts with, where its caller has closed some.

#include <string_view>

namespace lm::io {

/// Gives those of 0, 1 and 2 that are closed a place of their own that cannot be read or written as
/// they are, so that no file opened later takes their numbers and is written to in their stead.
/// Before anything is opened.
void keep_standard_descriptors();

/// Throws Error{kCannotCreate} "NAME: cannot write: ..." where fd is closed or open for reading
/// alone.
void require_writable(int fd, std::string_view name);

}  // namespace lm::io
