// Runs a fuzz target where libFuzzer is not there: every file named, or in a folder named, then
// mutations of them: --runs of them, or, for a hunt, as many as fit into --seconds. The same seed
// gives the same sequence of inputs, so a test gives a number of runs: what it meets must not
// depend on how fast the machine is. An input that ends the program, never ends (20 s) or asks for
// more than 3 GiB is written to ./failed-input.
//   fuzz-TARGET [--seed N] (--runs N | --seconds S) [FILE | FOLDER]...

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "core/random.h"
#include "fuzz.h"
#include "io/file.h"

#if defined(LM_SHADOW_MEMORY)  // tests/fuzz.cmake
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:max_allocation_size_mb=3072:detect_leaks=0";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

namespace {

using namespace lm;

std::string current;  // what runs now, for the handler

extern "C" void store_current(int signal) {
  const int fd = ::open("failed-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0 && ::write(fd, current.data(), current.size()) >= 0) ::close(fd);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  current = input;
  ::alarm(600);  // only guards against a hang
  // An exact copy, so that reading one byte behind it is seen.
  const std::vector<u8> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  ::alarm(0);
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, u64 seed)
      : corpus_(corpus), random_(seed, RandomPurpose::kOther) {}

  std::string next() {
    std::string out = corpus_[below(corpus_.size())];
    for (u64 steps = 1 + below(4); steps > 0; --steps)
      change(out);
    return out;
  }

 private:
  // Numbers and names that readers compare against, and what breaks quoting.
  static constexpr std::string_view kPieces[] = {"0",
                                                 "-1",
                                                 "1e400",
                                                 "4294967296",
                                                 "9223372036854775807",
                                                 "18446744073709551615",
                                                 "null",
                                                 "true",
                                                 "\"\"",
                                                 "[]",
                                                 "{}",
                                                 "\"\\ud800\"",
                                                 "\\u0000",
                                                 "[[[[[[[[",
                                                 "{\"a\":",
                                                 ",",
                                                 "\"",
                                                 "\\",
                                                 "\n",
                                                 "\r\n",
                                                 "#",
                                                 std::string_view("\0", 1),
                                                 std::string_view("\0\0\0\0\0\0\0\0", 8),
                                                 "\xff\xff\xff\xff",
                                                 "\xff\xff\xff\x7f",
                                                 "\xef\xbb\xbf",
                                                 "\xf0\x9f\x98\x80",
                                                 "\xc3"};

  u64 below(u64 bound) { return random_.below(draws_++, bound); }

  void change(std::string& out) {
    const std::size_t at = below(out.size() + 1);
    const std::size_t length =
        std::min<std::size_t>(out.size() - at, 1 + below(below(4) == 0 ? 4096 : 16));
    switch (below(9)) {
      case 0:
        if (at < out.size()) out[at] = static_cast<char>(out[at] ^ (1 << below(8)));
        return;
      case 1:
        if (at < out.size()) out[at] = static_cast<char>(below(256));
        return;
      case 2:
        out.resize(at);
        return;
      case 3:
        out.erase(at, length);
        return;
      case 4:
        out.insert(at, out.substr(at, length));
        return;
      case 5: {  // a range of another input
        const std::string& other = corpus_[below(corpus_.size())];
        out.insert(at, other.substr(below(other.size() + 1), length));
        return;
      }
      case 6:
        out.insert(at, kPieces[below(std::size(kPieces))]);
        return;
      case 7:
        out.replace(at, length, kPieces[below(std::size(kPieces))]);
        return;
      default: {  // another number for a number
        std::size_t begin = out.find_first_of("0123456789", at);
        if (begin == std::string::npos) return;
        const std::size_t end = std::min(out.find_first_not_of("0123456789", begin), out.size());
        out.replace(begin, end - begin, kPieces[below(6)]);
        return;
      }
    }
  }

  const std::vector<std::string>& corpus_;
  RandomStream random_;
  u64 draws_ = 0;
};

struct Options {
  std::optional<f64> seconds;
  std::optional<i64> runs;
  u64 seed = 1;
  std::vector<std::string> inputs;
};

Options parse(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&](auto number) {
      const std::string_view text = ++i < argc ? argv[i] : "";
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size() || number < 0)
        throw Error(ErrorKind::kUsage, std::string(word) + " takes a number of 0 or more");
      return number;
    };
    if (word == "--seconds") {
      out.seconds = value(f64{});
    } else if (word == "--seed") {
      out.seed = static_cast<u64>(value(i64{}));
    } else if (word == "--runs") {
      out.runs = value(i64{});
    } else if (std::filesystem::is_directory(word)) {
      for (const auto& entry : std::filesystem::directory_iterator(word))
        out.inputs.push_back(entry.path().string());
    } else {
      out.inputs.emplace_back(word);
    }
  }
  if (out.runs.has_value() == out.seconds.has_value())
    throw Error(ErrorKind::kUsage, "one of --runs and --seconds says how many mutations to try");
  std::sort(out.inputs.begin(), out.inputs.end());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> corpus;
  try {
    options = parse(argc, argv);
    for (const std::string& path : options.inputs)
      corpus.push_back(io::read_file(path));
  } catch (const Error& e) {
    std::cerr << argv[0] << ": " << e.message() << "\n";
    return static_cast<int>(e.kind());
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
    std::signal(signal, store_current);
  if (!kSanitized) {
    const rlimit limit{rlim_t{3} << 30, rlim_t{3} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  for (const std::string& input : corpus)
    run(input);
  i64 runs = 0;
  if (!corpus.empty()) {
    Mutator mutator(corpus, options.seed);
    const f64 start = monotonic_s();
    const auto goes_on = [&] {
      return options.runs ? runs < *options.runs : monotonic_s() - start < *options.seconds;
    };
    for (; goes_on(); ++runs)
      run(mutator.next());
  }
  std::cout << corpus.size() << " inputs and " << runs << " mutations\n";
  return 0;
}
