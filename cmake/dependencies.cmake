# Debian 12 packages; scripts/install_deps names them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(TBB REQUIRED)
find_package(simdjson REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
# SHA-256 alone. From the archive it costs 22 KiB of a program and no time at its start; the shared
# library adds 2 ms to every start.
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SNAPPY REQUIRED IMPORTED_TARGET snappy)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(PSL REQUIRED IMPORTED_TARGET libpsl)
# As archives: only lm-cat has pages to read, and no other program should load what it does not use.
find_library(LM_GUMBO NAMES libgumbo.a gumbo REQUIRED)
find_library(LM_UCHARDET NAMES libuchardet.a uchardet REQUIRED)
# Without a pkg-config file in Debian 12.
find_library(LM_JQ NAMES jq REQUIRED)
pkg_check_modules(SENTENCEPIECE REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(FASTTEXT REQUIRED IMPORTED_TARGET fasttext)
# The full library is tables alone, for 175 languages instead of 83: linked first, its tables stand in
# for those of the other (lib/tag/cld2.cc).
find_library(LM_CLD2_FULL cld2_full REQUIRED)
find_library(LM_CLD2 cld2 REQUIRED)

# Open MPI: its headers now, its library when a launcher has started several ranks (lib/comm/mpi.cc).
add_library(lm_mpi INTERFACE)
set(LM_HAVE_MPI OFF)
if(NOT LM_MPI STREQUAL "OFF")
  find_package(MPI COMPONENTS CXX QUIET)
  if(MPI_CXX_FOUND)
    include(CheckCXXSourceCompiles)
    set(CMAKE_REQUIRED_INCLUDES ${MPI_CXX_INCLUDE_DIRS})
    check_cxx_source_compiles("#define OMPI_SKIP_MPICXX 1
      #include <mpi.h>
      #ifndef OPEN_MPI
      #error
      #endif
      int main() { return MPI_SUCCESS; }" LM_MPI_IS_OPEN_MPI)
    unset(CMAKE_REQUIRED_INCLUDES)
  endif()
  if(MPI_CXX_FOUND AND LM_MPI_IS_OPEN_MPI)
    set(LM_HAVE_MPI ON)
    set_property(SOURCE ${CMAKE_SOURCE_DIR}/lib/comm/mpi.cc ${CMAKE_SOURCE_DIR}/lib/cli/build.cc
      APPEND PROPERTY COMPILE_DEFINITIONS LM_HAVE_MPI)
    target_include_directories(lm_mpi SYSTEM INTERFACE ${MPI_CXX_INCLUDE_DIRS})
  elseif(LM_MPI STREQUAL "ON")
    message(FATAL_ERROR "LM_MPI=ON but the headers of Open MPI were not found")
  endif()
endif()
