#pragma once
// The descriptor behind a TempFile, for who has to give it to a library.

#include <string>

#include "io/file.h"

namespace lm::io {

/// A new file in dir, open for reading and writing and already unlinked; name: what messages call
/// it. Throws kCannotCreate naming dir.
Fd open_spill(const std::string& dir, std::string& name);

}  // namespace lm::io
