#include "cli/build.h"

#include <simdjson.h>
#include <zstd.h>

#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/json.h"
#include "io/tags.h"

namespace lm::cli {

namespace {

#ifdef LM_HAVE_CUDA
constexpr bool kCuda = true;
#else
constexpr bool kCuda = false;
#endif

#ifdef LM_HAVE_MPI
constexpr bool kMpi = true;
#else
constexpr bool kMpi = false;
#endif

// The library has no call that says it.
std::string simdjson_version() {
  return cat(static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR), ".",
             static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR), ".",
             static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION));
}

}  // namespace

std::vector<std::string> program_names() {
  std::vector<std::string> out;
  for (const std::string_view name : split(LM_PROGRAMS, ' '))
    out.emplace_back(name);
  return out;
}

std::string build_json() {
  return cat("{\"stream_version\":", io::kStreamVersion,
             ",\"compiler\":", io::json_string(__VERSION__), ",\"zstd\":\"", ZSTD_versionString(),
             "\",\"simdjson\":\"", simdjson_version(), "\",\"tbb\":\"", parallel_version(),
             "\",\"xxhash\":\"", xxhash_version(), "\",\"cuda\":", kCuda, ",\"mpi\":", kMpi, "}");
}

std::string build_text() {
  return cat("stream version ", io::kStreamVersion, "\nzstd ", ZSTD_versionString(), "\nsimdjson ",
             simdjson_version(), "\noneTBB ", parallel_version(), "\nxxhash ", xxhash_version(),
             "\n", kCuda ? "with CUDA kernels\n" : "without CUDA\n",
             kMpi ? "with MPI\n" : "without MPI\n");
}

}  // namespace lm::cli
