// tokenize-lines TOKENIZER [--ids] [--text] [--pattern P] [--no-cache] < documents
// Encodes NUL-separated documents. --ids writes, per document, the ids in decimal separated by
// blanks and a line feed; otherwise one JSON line with the time of the encode calls alone.

#include <chrono>
#include <cstdio>
#include <string>

#include "core/error.h"
#include "core/types.h"
#include "text/tokenizer.h"

namespace {

std::string read_stdin() {
  std::string all;
  char buf[1 << 16];
  for (std::size_t n = fread(buf, 1, sizeof buf, stdin); n > 0; n = fread(buf, 1, sizeof buf, stdin)) {
    all.append(buf, n);
  }
  return all;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int run(int argc, char** argv) {
  bool write_ids = false;
  lm::text::LoadOptions options;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--ids") {
      write_ids = true;
    } else if (arg == "--text") {
      options.special = lm::text::SpecialPolicy::kText;
    } else if (arg == "--no-cache") {
      options.cache_bytes = 0;
    } else if (arg == "--pattern" && i + 1 < argc) {
      options.pattern = argv[++i];
    } else {
      path = arg;
    }
  }
  options.add_specials = false;
  const double load_start = seconds();
  const std::unique_ptr<lm::text::Tokenizer> tokenizer = lm::text::load_tokenizer(path, options);
  const double load_s = seconds() - load_start;
  const std::unique_ptr<lm::text::EncodeState> state = tokenizer->new_state();
  const std::string all = read_stdin();
  std::vector<lm::i32> ids;
  lm::i64 tokens = 0;
  double wall_s = 0;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    ids.clear();
    const double start = seconds();
    tokenizer->encode(std::string_view(all).substr(at, end - at), *state, ids);
    wall_s += seconds() - start;
    tokens += lm::isize(ids);
    at = end + 1;
    if (!write_ids) continue;
    std::string line;
    for (const lm::i32 id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
    line += '\n';
    fwrite(line.data(), 1, line.size(), stdout);
  }
  if (!write_ids) {
    printf("{\"load_s\": %.3f, \"bytes\": %zu, \"tokens\": %lld, \"wall_s\": %.3f, \"mb_per_s\": %.1f}\n",
           load_s, all.size(), static_cast<long long>(tokens), wall_s,
           static_cast<double>(all.size()) / wall_s / 1e6);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const lm::Error& error) {
    fprintf(stderr, "tokenize-lines: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
