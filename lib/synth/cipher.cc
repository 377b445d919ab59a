// cipher: texts whose symbols are replaced one for one, by another key in every record.

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

// An order-1 chain over 6 symbols; from symbol (row) to symbol. Perplexity of its entropy
// rate 2.395.
constexpr i64 kStates = 6;
using Chain = std::array<std::array<f64, kStates>, kStates>;
constexpr Chain kChain = {{{.753, .125, .003, .051, .003, .065},
                           {.446, .015, .050, .376, .108, .005},
                           {.557, .053, .005, .346, .004, .035},
                           {.010, .885, .003, .003, .042, .057},
                           {.163, .508, .007, .004, .276, .042},
                           {.006, .023, .914, .039, .007, .011}}};

std::array<f64, kStates> stationary() {
  std::array<f64, kStates> now{};
  now.fill(1.0 / kStates);
  for (i64 round = 0; round < 2000; ++round) {
    std::array<f64, kStates> next{};
    for (std::size_t i = 0; i < kStates; ++i)
      for (std::size_t j = 0; j < kStates; ++j)
        next[j] += now[i] * kChain[i][j];
    now = next;
  }
  return now;
}

i64 draw_from(const std::array<f64, kStates>& weights, f64 uniform) {
  for (std::size_t i = 0; i + 1 < kStates; ++i) {
    uniform -= weights[i];
    if (uniform < 0) return static_cast<i64>(i);
  }
  return kStates - 1;
}

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
        letters_(letters_of(setup.text)),
        start_(stationary()) {
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
      for (i64 i = 0, state = 0; i < length_; ++i) {
        state = draw_from(i == 0 ? start_ : kChain[usize(state)], draws.uniform());
        out->plain.push_back(state);
      }
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
  }
  f64 space() const override {
    if (!of_text_ || enciphered_) return std::numeric_limits<f64>::infinity();
    return static_cast<f64>(isize(letters_) / length_);
  }
  i64 id_count() const override { return ids_ ? symbols() : 0; }

 private:
  i64 symbols() const { return of_text_ ? kLetters : kStates; }
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
  bool enciphered_, ids_, of_text_;
  std::vector<u8> letters_;
  std::array<f64, kStates> start_;
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
                             {"random", "none"}}},
                 .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
                   return std::make_unique<Cipher>(params, setup);
                 }});
}

}  // namespace lm::synth
