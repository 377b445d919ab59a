// bench-tokenize-lines TOKENIZER [--ids] [--text] [--pattern P] [--no-cache] < documents
// Encodes NUL-separated documents. --ids writes, per document, the ids in decimal separated by
// blanks and a line feed; otherwise one JSON line with the processor time of the encode calls
// alone.

#include <cstdio>
#include <string>

#include <time.h>

#include "core/error.h"
#include "core/types.h"
#include "text/tokenizer.h"

namespace {

std::string read_stdin() {
  std::string all;
  char buf[1 << 16];
  for (std::size_t n = fread(buf, 1, sizeof buf, stdin); n > 0;
       n = fread(buf, 1, sizeof buf, stdin)) {
    all.append(buf, n);
  }
  return all;
}

/// Processor time of this thread: a shared machine's wall time says little.
double seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
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
  double cpu_s = 0;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    ids.clear();
    const double start = seconds();
    tokenizer->encode(std::string_view(all).substr(at, end - at), *state, ids);
    cpu_s += seconds() - start;
    tokens += lm::isize(ids);
    at = end + 1;
    if (!write_ids) continue;
    std::string line;
    for (const lm::i32 id : ids)
      line += (line.empty() ? "" : " ") + std::to_string(id);
    line += '\n';
    fwrite(line.data(), 1, line.size(), stdout);
  }
  if (!write_ids) {
    printf(
        "{\"load_s\": %.3f, \"bytes\": %zu, \"tokens\": %lld, \"cpu_s\": %.3f, \"mb_per_s\": "
        "%.1f}\n",
        load_s, all.size(), static_cast<long long>(tokens), cpu_s,
        static_cast<double>(all.size()) / cpu_s / 1e6);
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
