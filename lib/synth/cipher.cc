// cipher: texts whose symbols are replaced one for one, by another key in every record.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/str.h"
#include "synth/chain.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

constexpr i64 kLetters = 27;  // a .. z and the blank
char letter(i64 id) {
  return id == kLetters - 1 ? ' ' : static_cast<char>('a' + id);
}

/// Letters in lower case; what stands between them is one blank.
std::vector<u8> letters_of(std::string_view text) {
  std::vector<u8> out;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower >= 'a' && lower <= 'z')
      out.push_back(static_cast<u8>(lower - 'a'));
    else if (!out.empty() && out.back() != kLetters - 1)
      out.push_back(kLetters - 1);
  }
  return out;
}

struct Message final : Drawn {
  std::vector<i64> plain;
  std::vector<i64> key;  // key[symbol of the plain text] = symbol of the cipher
};

class Cipher final : public Task {
 public:
  Cipher(const Params& params, const TaskSetup& setup)
      : length_(params.whole("length")),
        enciphered_(params.is("key", "random")),
        ids_(setup.form == "ids"),
        of_text_(!setup.text.empty()),
        logprobs_(params.is("logprobs", "chain")),
        letters_(letters_of(setup.text)) {
    if (of_text_ && logprobs_)
      throw Error(ErrorKind::kUsage, "--set: logprobs=chain are of the drawn chain, not of --text");
    if (of_text_ && isize(letters_) < length_)
      throw Error(ErrorKind::kUsage, cat("--text: has ", letters_.size(),
                                         " letters and blanks, fewer than length ", length_));
  }
  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("cipher");
    auto out = std::make_unique<Message>();
    if (of_text_) {
      // Windows do not overlap, so that no two splits share a passage.
      const i64 begin = length_ * draws.below(isize(letters_) / length_);
      out->plain.assign(letters_.begin() + begin, letters_.begin() + begin + length_);
    } else {
      out->plain = chain_.draw(length_, draws);
    }
    out->key = enciphered_ ? draws.permutation(symbols()) : identity();
    // Renaming symbols changes nothing that can be told without the key.
    std::vector<i64> names(usize(symbols()), -1), pattern;
    i64 known = 0;
    for (const i64 one : out->plain) {
      if (names[usize(one)] < 0) names[usize(one)] = known++;
      pattern.push_back(names[usize(one)]);
    }
    out->canonical = key_of(pattern);
    out->variant = key_of(coded(*out));
    return out;
  }
  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Message& it = static_cast<const Message&>(drawn);
    const std::vector<i64> code = coded(it);
    if (ids_) {
      add_list(fields, "input_ids", code);
      add_list(fields, "loss_mask", std::vector<i64>(code.size(), 1));
      add_list(fields, "plain_ids", it.plain);
    } else {
      add_text(fields, "text", spelt(code));
      add_text(fields, "plain", spelt(it.plain));
    }
    add_list(fields, "key", it.key);
    if (!logprobs_) return;
    add_reals(fields, "keyless_logprobs", chain_.keyless_logprobs(code));
    add_reals(fields, "chain_logprobs", chain_.logprobs(it.plain));
  }
  f64 space() const override {
    if (!of_text_ || enciphered_) return std::numeric_limits<f64>::infinity();
    return static_cast<f64>(isize(letters_) / length_);
  }
  i64 id_count() const override { return ids_ ? symbols() : 0; }

 private:
  i64 symbols() const { return of_text_ ? kLetters : kChainStates; }
  std::vector<i64> identity() const {
    std::vector<i64> out(usize(symbols()));
    for (i64 i = 0; i < symbols(); ++i)
      out[usize(i)] = i;
    return out;
  }
  static std::vector<i64> coded(const Message& it) {
    std::vector<i64> out;
    for (const i64 one : it.plain)
      out.push_back(it.key[usize(one)]);
    return out;
  }
  static std::string spelt(const std::vector<i64>& ids) {
    std::string out;
    for (const i64 id : ids)
      out += letter(id);
    return out;
  }
  i64 length_;
  bool enciphered_, ids_, of_text_, logprobs_;
  std::vector<u8> letters_;
  Chain chain_;
};

}  // namespace

void add_cipher_task(std::vector<TaskInfo>& out) {
  out.push_back({.name = "cipher",
                 .summary = "a text with every symbol replaced, by a key of its own",
                 .forms = {"text", "ids"},
                 .params = {{"length", Param::Kind::kWhole, "96", "symbols", 2, 1e6},
                            {"key",
                             Param::Kind::kChoice,
                             "random",
                             "none leaves the text as it is",
                             0,
                             0,
                             {"random", "none"}},
                            {"logprobs",
                             Param::Kind::kChoice,
                             "none",
                             "chain: of each symbol, with and without the key",
                             0,
                             0,
                             {"none", "chain"}}},
                 .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
                   return std::make_unique<Cipher>(params, setup);
                 }});
}

}  // namespace lm::synth
