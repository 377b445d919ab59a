// Runs a SentencePiece model over lines the way spm_encode and spm_decode do; run by
// scripts/bench/parity_sentencepiece.
//   bench-sentencepiece-lines MODEL encode|decode < lines > ids-or-text
//   bench-sentencepiece-lines train TYPE VOCAB_SIZE OUT.model < lines

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "text/sentencepiece.h"

namespace {

using namespace lm;

int run_lines(const std::string& model, bool encode) {
  text::LoadOptions options;
  options.special = text::SpecialPolicy::kText;  // as spm_encode has control pieces
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_sentencepiece(model, options);
  const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
  std::vector<i32> ids;
  for (std::string line; std::getline(std::cin, line);) {
    ids.clear();
    if (encode) {
      tokenizer->encode(line, *state, ids);
      std::string out;
      for (const i32 id : ids)
        append(out, out.empty() ? "" : " ", id);
      std::cout << out << '\n';
    } else {
      for (const std::string_view id : split(line, ' ')) {
        if (!id.empty()) ids.push_back(static_cast<i32>(parse_int(id).value()));
      }
      std::cout << tokenizer->decode(ids, true) << '\n';
    }
  }
  return 0;
}

int train(char** argv) {
  text::SentencePieceOptions options;
  options.model_type = argv[2];
  options.vocab_size = parse_int(argv[3]).value();
  std::string line;
  const text::DocumentSource source = [&line](std::string_view& out) {
    if (!std::getline(std::cin, line)) return false;
    out = line;
    return true;
  };
  io::write_file(argv[4], text::train_sentencepiece(source, options, LocalContext()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ios::sync_with_stdio(false);
    if (argc == 5 && std::string(argv[1]) == "train") return train(argv);
    if (argc != 3) throw Error(ErrorKind::kUsage, "two or four arguments expected");
    return run_lines(argv[1], std::string(argv[2]) == "encode");
  } catch (const Error& e) {
    std::fprintf(stderr, "sentencepiece_lines: %s\n", e.what());
    return static_cast<int>(e.kind());
  }
}
