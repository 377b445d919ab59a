// GPT-2's two files: vocab.json (encoder.json), a JSON object from byte-level strings to ids, and
// merges.txt (vocab.bpe), one "left right" a line after an optional "#version" line.

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "text/tokenizer_files.h"

namespace lm::text {

TokenizerParts parse_gpt2(std::string_view vocab, const std::string& vocab_name,
                          std::string_view merges, const std::string& merges_name) {
  const io::JsonDocument document(vocab);
  TokenizerParts out;
  out.digest = sha256_hex(cat(sha256_hex(vocab), sha256_hex(merges)));
  out.options.byte_level = true;
  out.decoder.byte_level = true;
  parse_vocab(document.root(vocab_name), out);
  i64 line_number = 0;
  for (std::size_t at = 0; at < merges.size();) {
    const std::size_t end = std::min(merges.find('\n', at), merges.size());
    std::string_view line = merges.substr(at, end - at);
    at = end + 1;
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (line_number == 1 && line.starts_with("#version"))) continue;
    const std::size_t space = line.find(' ');
    const bool two =
        space != std::string_view::npos && line.find(' ', space + 1) == std::string_view::npos;
    if (!two || !add_merge(line.substr(0, space), line.substr(space + 1), out)) {
      throw Error(ErrorKind::kData, cat(merges_name, ":", line_number, ": ", quote(line),
                                        " is not a merge of two tokens of ", vocab_name));
    }
  }
  PreTokenizerStep step;
  step.pattern = PatternId::kR50k;
  out.pre_tokenizer.add(std::move(step));
  const i32 end_of_text = out.vocab.find("<|endoftext|>");
  if (end_of_text >= 0) {
    AddedToken t;
    t.id = end_of_text;
    t.content = "<|endoftext|>";
    t.special = true;
    out.added.add(std::move(t));
    out.bos = out.eos = end_of_text;
  }
  return out;
}

}  // namespace lm::text
