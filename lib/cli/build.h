#pragma once
// What the program was built of, for --version, --build-info and the report.

#include <string>
#include <vector>

namespace lm::cli {

inline constexpr const char* kToolkitVersion = "0.1.0";

/// Every program of the toolkit, by name.
std::vector<std::string> program_names();

/// {"stream_version":1,"compiler":"12.2.0","zstd":"1.5.4",...,"cuda":false}: libraries with the
/// versions that run.
std::string build_json();

/// The same for --version, a line each.
std::string build_text();

}  // namespace lm::cli
