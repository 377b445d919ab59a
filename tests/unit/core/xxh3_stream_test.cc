#include "core/xxh3_stream.h"

#include "catch.h"
#include "core/hash.h"
#include "core/str.h"

using namespace lm;

TEST_CASE("bytes in parts have the hash of the whole", "[core]") {
  std::string bytes;
  for (int i = 0; i < 5000; ++i)
    append(bytes, i * i, ",");
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{240}, std::size_t{241},
                                 std::size_t{1024}, bytes.size()}) {
    const std::string_view all = std::string_view(bytes).substr(0, size);
    for (const std::size_t part : {std::size_t{1}, std::size_t{63}, std::size_t{4096}}) {
      Xxh3Stream stream;
      for (std::size_t at = 0; at < size; at += part)
        stream.update(all.substr(at, part));
      CHECK(stream.digest() == xxh3_64(all));
      CHECK(stream.digest() == xxh3_64(all));  // asking changes nothing
    }
  }
}
