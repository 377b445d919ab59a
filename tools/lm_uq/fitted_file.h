#pragma once
// What lm-uq fit learned, as a safetensors file of f64.

#include <memory>
#include <string>

#include "io/atomic_file.h"
#include "uq/fitted.h"

namespace lm::uq_tool {

/// Equal contents give equal bytes.
void write_fitted(io::AtomicFile& file, const uq::Fitted& fitted);
/// Throws Error{kData} naming file and tensor for what write_fitted does not write.
std::shared_ptr<const uq::Fitted> read_fitted(const std::string& path);

}  // namespace lm::uq_tool
