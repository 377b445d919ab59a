// make-tiny-encoder FOLDER [SEED [plain]]: a BERT folder for command-line tests, a
// sentence-transformers one unless plain.

#include <cstdio>
#include <string_view>

#include "../tiny_encoder.h"
#include "core/error.h"

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  try {
    const lm::i64 seed = argc > 2 ? lm::parse_int(argv[2]).value_or(1) : 1;
    lm::test::write_tiny_encoder(argv[1], static_cast<lm::u64>(seed),
                                 argc < 4 || std::string_view(argv[3]) != "plain");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make-tiny-encoder: %s\n", e.what());
    return 1;
  }
  return 0;
}
