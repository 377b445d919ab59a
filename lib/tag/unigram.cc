// Mean log-probability of the words of a text, one by one: datatrove's filter, whose idea is
// peS2o's. Words are Unicode's in lower case, white space left out; datatrove's come from a parser
// of English.

#include <cmath>
#include <unordered_map>

#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "tag/tagger.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::tag {

std::vector<TaggerDef> unigram_taggers();

namespace {

constexpr f64 kUnseen = 1e-9;  // probability of a word that is not in the table

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return xxh3_64(s); }
};

/// Words and the logarithms of their shares.
class Frequencies {
 public:
  /// lines: word,count; a first line "word,count" is a heading. Throws Error{kData}.
  Frequencies(std::string_view lines, const std::string& name) {
    i64 number = 0;
    f64 sum = 0;
    for (std::string_view line : split(lines, '\n')) {
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty() || (number == 1 && line == "word,count")) continue;
      const std::size_t comma = line.rfind(',');
      const std::optional<i64> count =
          comma == std::string_view::npos ? std::nullopt : parse_int(line.substr(comma + 1));
      if (!count || *count < 1 || !text::is_valid_utf8(line))
        throw Error(ErrorKind::kData, cat(name, ":", number, ": expected WORD,COUNT in UTF-8"));
      sum += static_cast<f64>(*count);
      logs_[std::string(line.substr(0, comma))] = static_cast<f64>(*count);
    }
    if (logs_.empty()) throw Error(ErrorKind::kData, cat(name, ": has no words"));
    for (auto& [word, value] : logs_)
      value = std::log(value / sum);
  }

  f64 log_of(std::string_view word) const {
    static const f64 kNever = std::log(kUnseen);
    const auto at = logs_.find(word);
    return at == logs_.end() ? kNever : at->second;
  }

 private:
  std::unordered_map<std::string, f64, WordHash, std::equal_to<>> logs_;
};

class UnigramLogProb : public Tagger {
 public:
  explicit UnigramLogProb(std::shared_ptr<const Frequencies> table) : table_(std::move(table)) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    f64 sum = 0;
    i64 words = 0;
    std::string_view word;
    for (text::WordSegments all(document.lower()); all.next(word);) {
      if (text::is_blank(word)) continue;
      sum += table_->log_of(word);
      ++words;
    }
    out.value(0, words == 0 ? 0 : sum / static_cast<f64>(words));
    return std::nullopt;
  }

 private:
  std::shared_ptr<const Frequencies> table_;
};

}  // namespace

std::vector<TaggerDef> unigram_taggers() {
  TaggerDef def{"unigram_logprob",
                "document",
                "how common the words are",
                "datatrove; peS2o",
                {{"logprob", "mean logarithm of the words' shares; datatrove keeps more than -10"}},
                {},
                {}};
  def.file = "unigram_freq";
  def.bind = [](TaggerDef& own, const std::string& path, TagFiles& files) {
    const std::shared_ptr<const Frequencies> table = files.read<Frequencies>(
        path, [](const std::string& name) { return Frequencies(io::read_file(name), name); });
    own.make = [table](const TagSettings&) { return std::make_unique<UnigramLogProb>(table); };
  };
  return {std::move(def)};
}

}  // namespace lm::tag
