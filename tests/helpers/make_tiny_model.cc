// make-tiny-model FOLDER [SEED [VOCAB [CONTEXT [WIDTH]]]]: a model folder for command-line tests.

#include <cstdio>

#include "../tiny_model.h"
#include "core/error.h"

int main(int argc, char** argv) {
  const auto number = [&](int i, lm::i64 fallback) {
    return argc > i ? lm::parse_int(argv[i]).value_or(fallback) : fallback;
  };
  if (argc < 2) return 64;
  try {
    lm::test::write_tiny_folder(argv[1], static_cast<lm::u64>(number(2, 1)), number(3, 262),
                                number(4, 64), number(5, 16));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make-tiny-model: %s\n", e.what());
    return 1;
  }
  return 0;
}
