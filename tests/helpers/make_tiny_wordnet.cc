// make-tiny-wordnet FOLDER: a WordNet database of a few words for command-line tests.

#include "../tiny_wordnet.h"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  lm::test::write_tiny_wordnet(argv[1]);
  return 0;
}
