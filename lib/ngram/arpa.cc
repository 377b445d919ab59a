#include "ngram/arpa.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::ngram {

// Writing -----------------------------------------------------------------------------------------

namespace {

class ArpaChunk final : public ModelSink::Chunk {
 public:
  ArpaChunk(const Vocab& vocab, bool highest) : vocab_(vocab), highest_(highest) {}
  void add(std::span<const u32> words, f64 log10_p, f64 log10_b) override {
    put(log10_p);
    char separator = '\t';
    for (const u32 word : words) {
      text.push_back(separator);
      text.append(vocab_.word(word));
      separator = ' ';
    }
    if (!highest_) {
      text.push_back('\t');
      put(log10_b);
    }
    text.push_back('\n');
  }
  std::string text;

 private:
  void put(f64 value) {
    char buf[32];
    // 0 for negative zero as well: -0 would be a second spelling of one value.
    const f32 narrow = static_cast<f32>(value) + 0.0f;
    text.append(buf, std::to_chars(buf, buf + sizeof buf, narrow).ptr);
  }
  const Vocab& vocab_;
  bool highest_;
};

}  // namespace

void ArpaWriter::begin(const Vocab& vocab, std::span<const i64> counts) {
  vocab_ = &vocab;
  order_ = static_cast<int>(counts.size());
  std::string text = "\\data\\\n";
  for (int n = 1; n <= order_; ++n)
    append(text, "ngram ", n, "=", counts[usize(n - 1)], "\n");
  write_(text);
}

void ArpaWriter::begin_order(int n) {
  write_(cat("\n\\", n, "-grams:\n"));
}

std::unique_ptr<ModelSink::Chunk> ArpaWriter::new_chunk(int n) const {
  return std::make_unique<ArpaChunk>(*vocab_, n == order_);
}

void ArpaWriter::take(Chunk& chunk) {
  write_(static_cast<ArpaChunk&>(chunk).text);
}

void ArpaWriter::end() {
  write_("\n\\end\\\n");
}

// Reading -----------------------------------------------------------------------------------------

bool looks_like_arpa(std::string_view bytes) {
  while (!bytes.empty() && is_blank(bytes.front()) && bytes.front() != '\0')
    bytes.remove_prefix(1);
  return bytes.starts_with("\\data\\");
}

ArpaReader::ArpaReader(std::string_view text, std::string name)
    : rest_(text), name_(std::move(name)) {
  if (next_content() != "\\data\\") fail("expected \\data\\ as the first line of an ARPA file");
  for (;;) {
    std::string_view at;
    if (!line(at)) fail("the file ends inside its header");
    at = trim(at);
    if (at.empty()) {
      if (counts_.empty()) continue;
      return;
    }
    constexpr std::string_view kPrefix = "ngram ";
    const std::size_t equals = at.find('=');
    if (!at.starts_with(kPrefix) || equals == std::string_view::npos) {
      fail(cat("expected \"ngram N=COUNT\" or a blank line, found ", quote(at)));
    }
    const std::string_view n = trim(at.substr(kPrefix.size(), equals - kPrefix.size()));
    const std::optional<i64> order = parse_int(n);
    const std::optional<i64> count = parse_int(trim(at.substr(equals + 1)));
    if (!order || *order != isize(counts_) + 1) {
      fail(cat("expected the count of order ", counts_.size() + 1, ", found ", quote(at)));
    }
    if (!count || *count < 0 || (*count == 0 && *order == 1)) {
      fail(cat("the count of order ", n, " is not a usable number: ", quote(at)));
    }
    if (*order > kMaxOrder) fail(cat("order ", *order, " is above the limit of ", kMaxOrder));
    counts_.push_back(*count);
  }
}

void ArpaReader::fail(std::string_view what) const {
  throw Error(ErrorKind::kData, cat(name_, ":", line_, ": ", what));
}

bool ArpaReader::line(std::string_view& out) {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  out = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (!out.empty() && out.back() == '\r') out.remove_suffix(1);
  ++line_;
  return true;
}

std::string_view ArpaReader::next_content() {
  std::string_view at;
  while (line(at)) {
    if (!trim(at).empty()) return trim(at);
  }
  return {};
}

f32 ArpaReader::number(std::string_view text, const char* what) const {
  f32 value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, value);
  // An underflowing exponent (1e-60) reads as zero elsewhere too; an overflow is not a value.
  if (read.ec == std::errc::result_out_of_range && read.ptr == end) {
    const std::optional<f64> wide = parse_float(text);
    if (wide && std::fabs(*wide) < 1) return 0;
  }
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) {
    fail(cat(what, " ", quote(text), " is not a finite number"));
  }
  return value;
}

void ArpaReader::entry(std::string_view text, int n, ArpaGram& gram) {
  std::string_view fields[kMaxOrder + 3];
  int found = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    while (at < end && (*at == ' ' || *at == '\t'))
      ++at;
    if (at == end) break;
    const char* const begin = at;
    while (at < end && *at != ' ' && *at != '\t')
      ++at;
    if (found == n + 2) fail(cat("too many fields for a ", n, "-gram: ", quote(text)));
    fields[found++] = {begin, static_cast<std::size_t>(at - begin)};
  }
  if (found < n + 1) fail(cat("too few fields for a ", n, "-gram: ", quote(text)));
  gram.log10_p = number(fields[0], "log probability");
  if (gram.log10_p > 0) fail(cat("log probability ", gram.log10_p, " is above 0"));
  words_.assign(fields + 1, fields + 1 + n);
  gram.words = words_;
  gram.log10_b = 0;
  if (found == n + 2) {
    gram.log10_b = number(fields[n + 1], "back-off");
    if (n == order() && gram.log10_b != 0) fail("an n-gram of the highest order has a back-off");
  }
}

void ArpaReader::read(const std::function<void(const ArpaGram&)>& visit) {
  ArpaGram gram;
  std::string_view head = next_content();
  for (int n = 1; n <= order(); ++n) {
    if (head != cat("\\", n, "-grams:")) {
      fail(cat("expected \\", n, "-grams:, found ",
               head.empty() ? "the end of the file" : quote(head)));
    }
    i64 count = 0;
    for (;;) {
      std::string_view at;
      if (!line(at)) fail(cat("the file ends inside the ", n, "-grams"));
      // A section ends at a blank line; tolerate its absence before the next heading.
      if (at.empty() || trim(at).empty()) {
        head = next_content();
        break;
      }
      if (at.front() == '\\') {
        head = trim(at);
        break;
      }
      entry(at, n, gram);
      ++count;
      if (count > counts_[usize(n - 1)]) {
        fail(cat("more ", n, "-grams than the ", counts_[usize(n - 1)], " the header promises"));
      }
      visit(gram);
    }
    if (count != counts_[usize(n - 1)]) {
      fail(cat("found ", count, " ", n, "-grams, the header promises ", counts_[usize(n - 1)]));
    }
  }
  if (head != "\\end\\") {
    fail(cat("expected \\end\\, found ", head.empty() ? "the end of the file" : quote(head)));
  }
  const std::string_view after = next_content();
  if (!after.empty()) fail(cat("text after \\end\\: ", quote(after)));
}

}  // namespace lm::ngram
