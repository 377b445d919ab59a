#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>
#include <unordered_map>

#include <sentencepiece_trainer.h>

#include "core/error.h"
#include "core/str.h"
#include "text/sentencepiece.h"
#include "text/sentencepiece_quiet.h"

namespace lm::text {

namespace {

constexpr std::string_view kReserved = "\xE2\x96\x85";  // U+2585 marks unknown characters inside
constexpr i64 kLibraryThreads = 16;                     // part of the result: see the header
constexpr i64 kMaxPlainBytes = 1500 * (i64{1} << 20);   // 32-bit suffix array, with room to grow
constexpr i64 kBytesPerByte = 3;                        // held by the library per byte of text
constexpr i64 kChargeStep = i64{1} << 20;

// True if line surely keeps a character after normalisation: the library aborts when a whole corpus
// normalises to nothing, so blanks, controls and format characters (U+0080-00BF, U+2000-2FFF,
// U+3000, U+E000-FFFF) do not count.
bool has_graphic(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const u8 byte = static_cast<u8>(line[i]);
    if (byte > 0x20 && byte < 0x7f) return true;
    if ((byte >= 0xc3 && byte <= 0xe1) || (byte >= 0xe4 && byte <= 0xed) || byte >= 0xf0)
      return true;
    if (byte == 0xe3 && line.compare(i, 3, "\xE3\x80\x80") != 0) return true;
  }
  return false;
}

// Feeds the library sentence by sentence. Counts what the library would skip with a log line only.
// An exception of the source is kept and rethrown outside, because the library is not written for
// one.
class Sentences final : public sentencepiece::SentenceIterator {
 public:
  Sentences(const DocumentSource& source, const SentencePieceOptions& options, const Context& ctx)
      : source_(source), options_(options), ctx_(ctx) {
    Next();
  }
  ~Sentences() override { ctx_.memory->release(charged_); }
  Sentences(const Sentences&) = delete;
  Sentences& operator=(const Sentences&) = delete;

  bool done() const override { return done_; }
  const std::string& value() const override { return sentence_; }
  sentencepiece::util::Status status() const override {
    if (!error_) return {};
    return {sentencepiece::util::StatusCode::kAborted, "the source failed"};
  }
  void Next() override {
    try {
      done_ = !advance();
    } catch (...) {  // thread boundary: train_sentencepiece rethrows it
      error_ = std::current_exception();
      done_ = true;
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }
  const SentencePieceReport& report() const { return report_; }
  bool saw_graphic() const { return saw_graphic_; }

 private:
  bool advance() {
    for (;;) {
      while (rest_.empty()) {
        if (ctx_.stop->requested()) throw Error(ErrorKind::kTemporary, "training was stopped");
        if (!source_(rest_)) {
          if (saw_graphic_) return false;
          throw Error(ErrorKind::kData, cat("no text to train on: ", report_.documents,
                                            " documents, ", report_.too_long, " sentences over ",
                                            options_.max_sentence_length, " bytes skipped"));
        }
        ++report_.documents;
      }
      const std::size_t cut = rest_.find('\n');
      std::string_view line = rest_.substr(0, cut);
      rest_ = cut == std::string_view::npos ? std::string_view() : rest_.substr(cut + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty() || skip(line)) continue;
      accept(line);
      return true;
    }
  }

  bool skip(std::string_view line) {
    if (isize(line) > options_.max_sentence_length) {
      ++report_.too_long;
      report_.too_long_bytes += isize(line);
      return true;
    }
    if (line.find(kReserved) != std::string_view::npos) {
      ++report_.reserved;
      return true;
    }
    return false;
  }

  void accept(std::string_view line) {
    ++report_.sentences;
    report_.bytes += isize(line);
    saw_graphic_ = saw_graphic_ || has_graphic(line);
    const i64 held = held_bytes(isize(line));
    if (held * kBytesPerByte > charged_) {
      ctx_.memory->charge_growing(charged_, kChargeStep, "the training sentences");
      charged_ += kChargeStep;
    }
    if (held > kMaxPlainBytes && !options_.train_extremely_large_corpus &&
        options_.model_type == "unigram") {
      throw Error(ErrorKind::kUsage,
                  cat("more than ", format_bytes(kMaxPlainBytes), " of training text for unigram"),
                  "sample with input_sentence_size, or set train_extremely_large_corpus");
    }
    sentence_.assign(line);
  }

  // Bytes of the sentences that the library keeps: all, the first input_sentence_size ones, or a
  // uniform sample of that many, whose sum stays within six standard deviations of its mean (a
  // length between 0 and the longest deviates by at most half of it).
  i64 held_bytes(i64 length) {
    const i64 kept = options_.input_sentence_size;
    longest_ = std::max(longest_, length);
    if (kept <= 0 || report_.sentences <= kept) return first_bytes_ = report_.bytes;
    if (!options_.shuffle_input_sentence) return first_bytes_;
    const f64 share = static_cast<f64>(kept) / static_cast<f64>(report_.sentences);
    const f64 margin = 3 * std::sqrt(static_cast<f64>(kept)) * static_cast<f64>(longest_);
    return std::min(report_.bytes,
                    static_cast<i64>(static_cast<f64>(report_.bytes) * share + margin));
  }

  const DocumentSource& source_;
  const SentencePieceOptions& options_;
  const Context& ctx_;
  std::string_view rest_;
  std::string sentence_;
  SentencePieceReport report_;
  std::exception_ptr error_;
  i64 charged_ = 0;
  i64 longest_ = 0;
  i64 first_bytes_ = 0;  // of the sentences that no sampling could leave out
  bool done_ = false;
  bool saw_graphic_ = false;
};

void check_range(std::string_view name, i64 value, i64 low, i64 high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorKind::kUsage, cat(name, " is ", value, ", expected ", low, " to ", high));
}

// Everything that the library would answer with an abort instead of a status.
void check_options(const SentencePieceOptions& options) {
  const auto one_of = [](std::string_view name, const std::string& value,
                         const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), value) != known.end()) return;
    throw Error(ErrorKind::kUsage,
                cat(name, " is ", quote(value), ", expected ", join(known, ", ")));
  };
  one_of("model_type", options.model_type, {"unigram", "bpe", "char", "word"});
  one_of("normalization", options.normalization,
         {"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"});
  check_range("vocab_size", options.vocab_size, 2, i64{1} << 24);
  check_range("max_sentence_length", options.max_sentence_length, 10, i64{1} << 20);
  check_range("max_sentencepiece_length", options.max_sentencepiece_length, 1, 512);
  check_range("input_sentence_size", options.input_sentence_size, 0, i64{1} << 40);
  check_range("unk_id", options.unk_id, 0, options.vocab_size - 1);
  for (const i64 id : {options.bos_id, options.eos_id, options.pad_id}) {
    check_range("bos, eos or pad id", id, -1, options.vocab_size - 1);
  }
  if (!(options.character_coverage >= 0.98 && options.character_coverage <= 1.0)) {
    throw Error(ErrorKind::kUsage,
                cat("character_coverage is ", options.character_coverage, ", expected 0.98 to 1"));
  }
  const i64 meta = 1 + (options.bos_id >= 0) + (options.eos_id >= 0) + (options.pad_id >= 0) +
                   isize(options.user_defined_symbols) + isize(options.control_symbols) +
                   (options.byte_fallback ? 256 : 0);
  if (options.vocab_size <= meta) {
    throw Error(ErrorKind::kUsage, cat("vocab_size ", options.vocab_size, " leaves no room beside ",
                                       meta, " special, byte and user-defined pieces"));
  }
  for (const std::vector<std::string>* symbols :
       {&options.user_defined_symbols, &options.control_symbols}) {
    for (const std::string& symbol : *symbols) {
      if (symbol.empty() ||
          symbol.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
        throw Error(ErrorKind::kUsage,
                    cat("symbol ", quote(symbol), " is empty or has NUL, CR or LF"));
      }
    }
  }
}

// The library splits lists as one CSV line.
std::string csv_list(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) {
    if (!out.empty()) out.push_back(',');
    out.push_back('"');
    for (const char c : item) {
      if (c == '"') out.push_back('"');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out;
}

std::unordered_map<std::string, std::string> library_arguments(const SentencePieceOptions& o) {
  std::unordered_map<std::string, std::string> args = {
      {"minloglevel", "3"},
      {"model_type", o.model_type},
      {"vocab_size", cat(o.vocab_size)},
      {"character_coverage", format_float(o.character_coverage)},
      {"input_sentence_size", cat(o.input_sentence_size)},
      {"shuffle_input_sentence", cat(o.shuffle_input_sentence)},
      {"byte_fallback", cat(o.byte_fallback)},
      {"split_digits", cat(o.split_digits)},
      {"split_by_unicode_script", cat(o.split_by_unicode_script)},
      {"split_by_number", cat(o.split_by_number)},
      {"split_by_whitespace", cat(o.split_by_whitespace)},
      {"add_dummy_prefix", cat(o.add_dummy_prefix)},
      {"remove_extra_whitespaces", cat(o.remove_extra_whitespaces)},
      {"allow_whitespace_only_pieces", cat(o.allow_whitespace_only_pieces)},
      {"normalization_rule_name", o.normalization},
      {"max_sentencepiece_length", cat(o.max_sentencepiece_length)},
      {"max_sentence_length", cat(o.max_sentence_length)},
      {"unk_id", cat(o.unk_id)},
      {"bos_id", cat(o.bos_id)},
      {"eos_id", cat(o.eos_id)},
      {"pad_id", cat(o.pad_id)},
      {"train_extremely_large_corpus", cat(o.train_extremely_large_corpus)},
      {"num_threads", cat(kLibraryThreads)},
  };
  if (!o.user_defined_symbols.empty())
    args["user_defined_symbols"] = csv_list(o.user_defined_symbols);
  if (!o.control_symbols.empty()) args["control_symbols"] = csv_list(o.control_symbols);
  return args;
}

// "./src/trainer_interface.cc(660) [condition] Reason." without the library's own place and
// condition, which mean nothing to whoever reads it, or what is there where no reason is.
std::string reason_of(std::string_view message) {
  const std::size_t place = message.find(".cc(");
  const std::size_t close = place == std::string_view::npos ? place : message.find(") [", place);
  const std::size_t end = close == std::string_view::npos ? close : message.rfind("] ");
  std::string_view reason = end == std::string_view::npos ? message : message.substr(end + 2);
  while (reason.ends_with('.') || reason.ends_with(' '))
    reason.remove_suffix(1);
  return std::string(reason.empty() ? message : reason);
}

}  // namespace

SentencePieceOptions sentencepiece_preset(std::string_view name, i64 vocab_size) {
  if (name != "languini") {
    throw Error(ErrorKind::kUsage,
                cat("no SentencePiece preset ", quote(name), ", expected languini"));
  }
  SentencePieceOptions options;
  options.model_type = "bpe";
  options.vocab_size = vocab_size;
  options.character_coverage = 0.9995;
  options.input_sentence_size = 2'000'000;
  options.byte_fallback = true;
  options.split_digits = true;
  options.add_dummy_prefix = false;
  options.remove_extra_whitespaces = false;
  options.allow_whitespace_only_pieces = true;
  options.normalization = "identity";
  options.max_sentencepiece_length = 99;
  options.user_defined_symbols = {"<D>"};
  options.pad_id = 0;
  options.unk_id = 1;
  options.bos_id = -1;
  options.eos_id = -1;
  return options;
}

std::string train_sentencepiece(const DocumentSource& source, const SentencePieceOptions& options,
                                const Context& ctx, SentencePieceReport* report) {
  check_options(options);
  silence_sentencepiece();
  // A look at the first sentences before the library starts: it aborts on a corpus of nothing.
  std::string model;
  sentencepiece::util::Status status;
  Sentences sentences(source, options, ctx);
  sentences.rethrow();
  // The library's shuffle draws from a thread-local generator that is seeded when a thread first
  // uses it; a fresh thread makes every training start from the seed. (Test: same bytes twice.)
  std::exception_ptr error;
  std::thread worker([&] {
    try {
      sentencepiece::SetRandomGeneratorSeed(static_cast<unsigned>(ctx.seed & 0x7fffffff));
      status = sentencepiece::SentencePieceTrainer::Train(library_arguments(options), &sentences,
                                                          &model);
    } catch (...) {
      error = std::current_exception();
    }
  });
  worker.join();
  if (report != nullptr) *report = sentences.report();
  sentences.rethrow();
  if (error) std::rethrow_exception(error);
  if (!status.ok()) {
    throw Error(ErrorKind::kData,
                cat("SentencePiece training failed: ", reason_of(status.error_message())));
  }
  return model;
}

}  // namespace lm::text
