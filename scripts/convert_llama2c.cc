// convert-llama2c WEIGHTS.bin TOKENIZER.bin FOLDER: a llama2.c model becomes a Llama model folder.
// A developer's helper for tests and demonstrations; not installed.

#include <cstdio>

#include "core/error.h"
#include "model/llama2c.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: convert-llama2c WEIGHTS.bin TOKENIZER.bin FOLDER\n", stderr);
    return static_cast<int>(lm::ErrorKind::kUsage);
  }
  try {
    lm::model::convert_llama2c(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const lm::Error& error) {
    std::fprintf(stderr, "convert-llama2c: %s\n", error.message().c_str());
    return static_cast<int>(error.kind());
  }
}
