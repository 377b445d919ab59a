// Trains BPE on NUL-separated documents and times the two phases; run by
// scripts/bench/parity_bpe_train.
//   bench-train-bpe CORPUS r50k|cl100k|none VOCAB_SIZE MIN_FREQUENCY TIES THREADS OUT.json

#include <cstdio>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/context.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "text/bpe_train.h"

namespace {

using namespace lm;

int run(char** argv) {
  const std::string pattern_name = argv[2];
  const text::PatternId pattern = pattern_name == "r50k"     ? text::PatternId::kR50k
                                  : pattern_name == "cl100k" ? text::PatternId::kCl100kHf
                                                             : text::PatternId::kOther;
  text::BpeTrainOptions options;
  options.vocab_size = parse_int(argv[3]).value();
  options.min_frequency = parse_int(argv[4]).value();
  options.ties = text::parse_bpe_ties(argv[5]);
  options.specials = {"<|endoftext|>"};
  const int threads = static_cast<int>(parse_int(argv[6]).value());
  set_threads(threads);
  const LocalContext ctx(threads, i64{16} << 30);
  const io::Mapping corpus{std::string(argv[1])};
  const std::vector<std::string_view> documents = split(corpus.bytes(), '\0');
  const f64 start = monotonic_s();
  text::WordCounter counter(text::pattern_splitter(pattern), 1 << 20, ctx);
  constexpr std::size_t kBatch = 1024;
  for (std::size_t i = 0; i < documents.size(); i += kBatch) {
    counter.add(std::span(documents).subspan(i, std::min(kBatch, documents.size() - i)));
  }
  const text::WordCounts words = counter.finish();
  const f64 counted = monotonic_s();
  const text::TrainedBpe model = text::train_bpe(words, options, ctx);
  const f64 merged = monotonic_s();
  io::write_file(argv[7], text::bpe_tokenizer_json(model, pattern));
  std::printf("%s\n", cat("{\"bytes\": ", words.bytes, ", \"pretokens\": ", words.pretokens,
                          ", \"distinct\": ", words.words.size(),
                          ", \"merges\": ", model.merges.size(), ", \"count_s\": ", counted - start,
                          ", \"merge_s\": ", merged - counted, ", \"budget_bytes\": ",
                          ctx->memory->used(), ", \"max_rss_bytes\": ", max_rss_bytes(), "}")
                          .c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 8) throw Error(ErrorKind::kUsage, "seven arguments expected");
    return run(argv);
  } catch (const Error& e) {
    std::fprintf(stderr, "train_bpe: %s\n", e.what());
    return static_cast<int>(e.kind());
  }
}
